# Runs inside the Python zygote and, after its fork, inside each Python sandbox.
#
# The zygote: an interpreter that has imported what functions commonly import (the SDK included) and never loads user code.
# On order of the launcher it forks a child into a prepared sandbox. The child rehearses (so that copy-on-write faults and
# import paths are paid ahead of need), waits for its assignment, imports the handler and serves the Lambda Runtime API.
# Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes", "Define Lambda function handler in
# Python", "Working with Lambda function logs in Python".
#
# sdk.py stands in front of this file: the build makes one program of the two.
import gc
import importlib
import itertools
import json
import logging
import os
import socket
import sys
import time
import traceback
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec

FD_TELEMETRY = 3
FD_ASSIGN = 4  # the assignment comes here, then it is this process's connection to the Runtime API
BOOTSTRAP = sys._getframe().f_code.co_filename
SHIM = None  # shim.c, where there is a zygote
BARE = sys.argv[1:] == ["bare"]  # without a zygote: this process is one function's

# ---------------------------------------------------------------- the Runtime API

ACCEPTED = (b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n"
            b'{"status":"OK"}\n')  # as src/sandbox/cell.cc writes it; anything else is read with care


def headers_of(head):
    return dict([line.split(b": ", 1) for line in head.split(b"\r\n")[1:]])


class Api:
    """A tight HTTP/1.1 client for one keep-alive connection: about six times faster than http.client. The connection is a
    Unix socket that came with the sandbox: half the work of 127.0.0.1:9001, where the same API answers."""

    def __init__(self, fd):
        self.fd = fd
        self.read = os.read
        self.write = os.write
        self.buffer = b""

    def exchange(self, data):
        """Sends an answer together with the request for the next event; headers and body of that event. Most often the
        platform's two answers come in one piece."""
        self.send(data)
        buffer = self.buffer or self.read(self.fd, 65536)
        if buffer.startswith(ACCEPTED):
            end = buffer.find(b"\r\n\r\n", len(ACCEPTED))
            if end >= 0:
                headers = headers_of(buffer[len(ACCEPTED):end])
                if end + 4 + int(headers.get(b"Content-Length", 0)) == len(buffer):
                    self.buffer = b""
                    return headers, buffer[end + 4:]
            self.buffer = buffer[len(ACCEPTED):]
        else:
            self.buffer = buffer
            self.read_answer()  # whatever it says
        return self.read_answer()

    def read_answer(self):
        """Headers (named as the platform spells them, bytes) and body of the next answer."""
        buffer = self.buffer
        read, fd = self.read, self.fd
        while True:
            end = buffer.find(b"\r\n\r\n")
            if end >= 0:
                break
            part = read(fd, 65536)
            if not part:
                os._exit(0)
            buffer = buffer + part if buffer else part
        headers = headers_of(buffer[:end])
        need = end + 4 + int(headers.get(b"Content-Length", 0))
        if len(buffer) < need:
            parts = [buffer]
            have = len(buffer)
            while have < need:
                part = read(fd, 1048576)
                if not part:
                    os._exit(0)
                parts.append(part)
                have += len(part)
            buffer = b"".join(parts)
        self.buffer = buffer[need:]
        return headers, buffer[end + 4:need]

    def send(self, data):
        sent = self.write(self.fd, data)
        while sent < len(data):
            data = memoryview(data)[sent:]
            sent = self.write(self.fd, data)


def next_event():
    return b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n"


def post(path, body, headers=b""):
    return (b"POST /2018-06-01/runtime%b HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nContent-Type: application/json\r\n%b"
            b"Content-Length: %d\r\n\r\n%b") % (path, headers, len(body), body)


# ---------------------------------------------------------------- what handlers see

class CognitoIdentity:
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]

    def __init__(self, value=None):
        value = value or {}
        self.cognito_identity_id = value.get("cognitoIdentityId")
        self.cognito_identity_pool_id = value.get("cognitoIdentityPoolId")

    def __repr__(self):
        return "CognitoIdentity([cognito_identity_id={},cognito_identity_pool_id={}])".format(
            self.cognito_identity_id, self.cognito_identity_pool_id)


class Client:
    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]

    def __init__(self, value):
        for name in self.__slots__:
            setattr(self, name, value.get(name))


class ClientContext:
    __slots__ = ["custom", "env", "client"]

    def __init__(self, value):
        self.custom = value.get("custom")
        self.env = value.get("env")
        client = value.get("client")
        self.client = Client(client) if client else None


FUNCTION = {}  # what every context says of the function: of the environment that it started with


def describe_function():
    get = os.environ.get
    FUNCTION.update(log_group_name=get("AWS_LAMBDA_LOG_GROUP_NAME"), log_stream_name=get("AWS_LAMBDA_LOG_STREAM_NAME"),
                    function_name=get("AWS_LAMBDA_FUNCTION_NAME"),
                    memory_limit_in_mb=get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
                    function_version=get("AWS_LAMBDA_FUNCTION_VERSION"))


class LambdaContext:
    def __init__(self, request_id, deadline_ms, arn, client_context, identity, tenant_id):
        self.__dict__.update(FUNCTION)
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.tenant_id = tenant_id
        self.client_context = ClientContext(client_context) if client_context else None
        self.identity = CognitoIdentity(identity)
        self._epoch_deadline_time_in_ms = deadline_ms

    def get_remaining_time_in_millis(self):
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message):
        for handler in logging.getLogger().handlers:
            if isinstance(handler, LogHandler):
                return handler.write(str(message))
        sys.stdout.write(str(message))

    def __repr__(self):
        return ("LambdaContext([aws_request_id={},log_group_name={},log_stream_name={},function_name={},"
                "memory_limit_in_mb={},function_version={},invoked_function_arn={},client_context={},identity={},"
                "tenant_id={}])").format(
            self.aws_request_id, self.log_group_name, self.log_stream_name, self.function_name, self.memory_limit_in_mb,
            self.function_version, self.invoked_function_arn, self.client_context, self.identity, self.tenant_id)


# ---------------------------------------------------------------- logs

REQUEST_ID = [""]


def send_record(text):
    """One log event that may have several lines: type, length, microseconds, then the text."""
    data = text.encode("utf-8", "replace")
    header = (0xA55A0003).to_bytes(4, "big") + len(data).to_bytes(4, "big") + int(time.time() * 1e6).to_bytes(8, "big")
    data = header + data
    try:
        while data:
            data = data[os.write(FD_TELEMETRY, data):]
    except OSError:
        pass


class LogFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = REQUEST_ID[0]
        return True


class LogHandler(logging.Handler):
    def emit(self, record):
        self.write(self.format(record))

    def write(self, text):
        send_record(text)


class JsonFormatter(logging.Formatter):
    SKIP = frozenset(("name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module", "exc_info", "exc_text",
                      "stack_info", "lineno", "funcName", "created", "msecs", "relativeCreated", "thread", "threadName",
                      "processName", "process", "aws_request_id", "taskName"))

    def format(self, record):
        out = {"timestamp": self.formatTime(record, self.datefmt), "level": record.levelname,
               "message": record.getMessage(), "logger": record.name}
        if record.exc_info:
            kind, value, trace = record.exc_info
            out["stackTrace"] = traceback.format_tb(trace)
            out["errorType"] = kind.__name__
            out["errorMessage"] = str(value)
            out["location"] = "{}:{}:{}".format(record.pathname, record.funcName, record.lineno)
        out.update({k: v for k, v in record.__dict__.items() if k not in self.SKIP})
        out["requestId"] = record.aws_request_id
        return json.dumps(out, ensure_ascii=False, default=str)


def set_up_logging():
    handler = LogHandler()
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        formatter = JsonFormatter(datefmt="%Y-%m-%dT%H:%M:%SZ")
        root_level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO")
        level = {"TRACE": "DEBUG", "FATAL": "CRITICAL", "WARN": "WARNING"}.get(root_level.upper(), root_level.upper())
        logging.getLogger().setLevel(getattr(logging, level, logging.INFO))
    else:
        formatter = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
                                      "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(LogFilter())
    logging.getLogger().handlers = [handler]


def log_error(error, invoke=None):
    text = "[ERROR] {}: {}".format(error["errorType"], error["errorMessage"])
    trace = error.get("stackTrace")
    if trace:
        text += "\nTraceback (most recent call last):\n" + "".join(trace)
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        record = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "log_level": "ERROR"}
        record.update(error)
        text = json.dumps(record, ensure_ascii=False)
    send_record(text)


# ---------------------------------------------------------------- errors

def describe(error_type, message, request_id=None, trace=()):
    out = {"errorMessage": message, "errorType": error_type}
    out["requestId"] = request_id or ""
    out["stackTrace"] = list(trace)
    return out


def own_frames(trace):
    """The traceback from the user's first frame on."""
    while trace is not None and trace.tb_frame.f_code.co_filename in (BOOTSTRAP, "<frozen importlib._bootstrap>",
                                                                       "<frozen importlib._bootstrap_external>"):
        trace = trace.tb_next
    return trace


def describe_exception(error, request_id):
    trace = own_frames(error.__traceback__)
    return describe(type(error).__name__, str(error), request_id, traceback.format_list(traceback.extract_tb(trace)))


class InitError(Exception):
    def __init__(self, error):
        self.error = error


def import_file(name, folder):
    """The module of one plain file in the function's folder, without the search that importlib makes; None if it is not so simple."""
    path = folder + "/" + name + ".py"
    if "." in name or name in sys.modules or os.path.isdir(folder + "/" + name) or os.path.isdir(folder + "/__pycache__"):
        return None
    try:
        with open(path, "rb") as f:
            source = f.read()
    except OSError:
        return None
    spec = ModuleSpec(name, SourceFileLoader(name, path), origin=path)
    spec.has_location = True
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return sys.modules[name]


def load_handler(name, folder="/var/task"):
    """The function that `_HANDLER` names, or InitError with AWS's texts."""
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        raise InitError(describe("Runtime.MalformedHandlerName", "Bad handler '{}': not enough values to unpack (expected 2, got 1)".format(name)))
    module_name = module_name.replace("/", ".")
    if module_name.partition(".")[0] in sys.builtin_module_names:
        raise InitError(describe("Runtime.BuiltInModuleConflict",
                                 "Cannot use built-in module {} as a handler module".format(module_name)))
    try:
        module = import_file(module_name, folder) or importlib.import_module(module_name)
    except ImportError as e:
        raise InitError(describe("Runtime.ImportModuleError", "Unable to import module '{}': {}".format(module_name, e)))
    except SyntaxError as e:
        trace = ['  File "%s" Line %s\n    %s' % (e.filename, e.lineno, (e.text or "").rstrip("\n"))]
        raise InitError(describe("Runtime.UserCodeSyntaxError", "Syntax error in module '{}': {}".format(module_name, e), None, trace))
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise InitError(describe("Runtime.HandlerNotFound", "Handler '{}' missing on module '{}'".format(function_name, module_name)))


def to_json_default(value):
    import decimal
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError("Object of type {} is not JSON serializable".format(type(value).__name__))


def make_encoder():
    """json.dumps(value, default=to_json_default, ensure_ascii=False) without what it prepares for each call."""
    make = json.encoder.c_make_encoder
    if make is None:
        return json.JSONEncoder(default=to_json_default, ensure_ascii=False).encode
    open_containers = {}
    parts = make(open_containers, to_json_default, json.encoder.encode_basestring, None, ": ", ", ", False, False, True)

    def encode(value):
        try:
            return "".join(parts(value, 0))
        except BaseException:
            open_containers.clear()
            raise

    return encode


encode_json = make_encoder()
scan_json = json.JSONDecoder().scan_once


def decode_json(text):
    """json.loads(text); in one step where nothing stands around the value."""
    try:
        value, end = scan_json(text, 0)
        if end == len(text):
            return value
    except StopIteration:
        pass
    return json.loads(text)


TRACE_VARIABLE = b"_X_AMZN_TRACE_ID"
ENVIRONMENT = os.environ  # functions may put something else in its place


def set_trace_id(value):
    """The variable _X_AMZN_TRACE_ID, for this process and those that it starts."""
    if value is None:
        ENVIRONMENT.pop("_X_AMZN_TRACE_ID", None)
    elif SHIM is None:
        ENVIRONMENT["_X_AMZN_TRACE_ID"] = value.decode()
    else:
        # The environment alone would leave its copy of each value behind: the C library keeps all that a process ever set.
        ENVIRONMENT._data[TRACE_VARIABLE] = value
        SHIM.virga_set_trace_id(value)


def call(handler, headers, body):
    """Runs one invocation; the bytes that answer it."""
    get = headers.get
    id_bytes = get(b"Lambda-Runtime-Aws-Request-Id", b"")
    REQUEST_ID[0] = request_id = id_bytes.decode()
    prefix = b"/invocation/" + id_bytes
    set_trace_id(get(b"Lambda-Runtime-Trace-Id"))
    try:
        try:
            event = decode_json(str(body, "utf-8"))
        except ValueError as e:
            raise MarshalError("Unable to unmarshal input: {}".format(e)) from None
        client = get(b"Lambda-Runtime-Client-Context")
        identity = get(b"Lambda-Runtime-Cognito-Identity")
        tenant = get(b"Lambda-Runtime-Aws-Tenant-Id")
        context = LambdaContext(request_id, int(get(b"Lambda-Runtime-Deadline-Ms", 0)),
                                get(b"Lambda-Runtime-Invoked-Function-Arn", b"").decode(),
                                json.loads(client) if client else None, json.loads(identity) if identity else None,
                                tenant.decode() if tenant else None)
        result = handler(event, context)
        try:
            if isinstance(result, (bytes, bytearray)):
                raise TypeError("Object of type {} is not JSON serializable".format(type(result).__name__))
            answer = encode_json(result).encode("utf-8")
        except (TypeError, ValueError, RecursionError) as e:
            raise MarshalError("Unable to marshal response: {}".format(e)) from None
        return post(prefix + b"/response", answer)
    except MarshalError as e:
        error = describe("Runtime.MarshalError", str(e), request_id)
    except BaseException as e:
        if isinstance(e, SystemExit):
            # A handler that exits ends the environment, as on AWS: the platform reports Runtime.ExitError.
            flush()
            os._exit(e.code if isinstance(e.code, int) else 1 if e.code else 0)
        error = describe_exception(e, request_id)
    log_error(error)
    body = json.dumps(error, ensure_ascii=False).encode("utf-8", "replace")
    return post(prefix + b"/error", body, b"Lambda-Runtime-Function-Error-Type: " +
                error["errorType"].encode("ascii", "replace") + b"\r\n")


class MarshalError(Exception):
    pass


# ---------------------------------------------------------------- life of a sandbox

def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


REHEARSAL = "/var/runtime/rehearsal"
REHEARSAL_ROUNDS = 3
# What the zygote was given so as not to read anything of whoever started it; functions have none of it.
ZYGOTE_VARIABLES = ("HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED")


class StandInApi(Api):
    """A connection whose other end is in this process too: each request is answered while it is sent."""

    def __init__(self, fd, peer):
        super().__init__(fd)
        self.peer = peer

    def send(self, data):
        super().send(data)
        self.peer.recv(65536)
        body = b'{"a": [1, 2.5, "x", null, true]}'
        self.peer.send((ACCEPTED if data.startswith(b"POST") else b"") +
                       b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 0\r\n"
                       b"Lambda-Runtime-Deadline-Ms: 0\r\nLambda-Runtime-Invoked-Function-Arn: arn\r\n"
                       b"Lambda-Runtime-Trace-Id: 0\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def rehearse():
    """Goes the whole way of a first event, so that copy-on-write faults and first-use costs are paid before there is one."""
    variables = {name: value for name, value in os.environ.items() if name not in ZYGOTE_VARIABLES}
    variables.update({"VIRGA_%d" % i: "x" * 20 for i in range(20)}, _HANDLER="virga_rehearsal.handler", **REHEARSAL_ENVIRONMENT)
    assignment = "\0".join(map("=".join, variables.items())).encode()
    ours, peer = socket.socketpair()
    path = sys.path[:]
    peer.send(len(assignment).to_bytes(4, "little") + assignment + CODE_IS_THERE)
    handler = take_function(ours.fileno(), REHEARSAL, REHEARSAL + "/none")
    serve(StandInApi(ours.fileno(), peer), handler, range(REHEARSAL_ROUNDS))
    ours.close()
    peer.close()
    rehearse_client()
    for folder in sys.path[:len(sys.path) - len(path)]:
        sys.path_importer_cache.pop(folder, None)
    sys.path[:] = path
    del sys.modules["virga_rehearsal"]
    REQUEST_ID[0] = ""


def take_environment(environment):
    """Makes `environment` the process's own, log settings and time zone included."""
    environ = os.environ
    before = environ.get("TZ")
    for name in [name for name in environ if name not in environment]:
        del environ[name]
    environ.update(environment)
    if environment.get("TZ") != before:
        time.tzset()
    set_up_logging()
    describe_function()


CODE_IS_THERE = b"C"  # the launcher says so behind the environment, which the engine sends


def receive_environment(fd):
    """The environment, as NAME=VALUE joined by NULs, when a function takes this sandbox; whether its code is there already."""
    data = b""
    while True:
        part = os.read(fd, 65536)
        if not part:
            os._exit(0)
        data += part
        if len(data) >= 4:
            end = 4 + int.from_bytes(data[:4], "little")
            if len(data) >= end:
                break
    return dict([item.split("=", 1) for item in os.fsdecode(data[4:end]).split("\0") if item]), len(data) > end


def take_function(fd, task="/var/task", opt="/opt"):
    """The handler of the function that takes this sandbox, which is the function's from here on. Raises what its code raises,
    InitError among it."""
    environment, code_is_there = receive_environment(fd)
    take_environment(environment)
    if BARE:
        task, opt = environment["LAMBDA_TASK_ROOT"], os.environ.pop("VIRGA_OPT", "/opt")
        sys.meta_path.insert(0, BotocoreFinder)
    folders = [task, opt + "/python/lib/python%d.%d/site-packages" % sys.version_info[:2], opt + "/python"]
    own = environment.get("PYTHONPATH", "")
    sys.path[:0] = [folders[0]] + [p for p in own.split(":") if p] + folders[1:]
    take_sdk_environment(environment)
    if not code_is_there and not os.read(fd, 1):
        os._exit(0)
    if PRELOADED:
        prefer_own_packages(folders)
    return load_handler(environment["_HANDLER"], task)


def serve(api, handler, rounds=itertools.repeat(None)):
    """Answers one event after the other, without end unless `rounds` have one."""
    following = next_event()
    api.send(following)
    headers, body = api.read_answer()
    for _ in rounds:
        answer = call(handler, headers, body)
        flush()
        # The answer and the request for the next event leave in one write; the platform answers them in order.
        headers, body = api.exchange(answer + following)


def run_sandbox(hurry=False):
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    sys.stdin = open(0, "r", closefd=False)
    sys.__stdout__, sys.__stderr__, sys.__stdin__ = sys.stdout, sys.stderr, sys.stdin
    os.set_inheritable(FD_ASSIGN, False)
    if not BARE:
        if not hurry:  # nobody waits for this process: it makes itself ready
            rehearse()
            gc.collect()
            SHIM.virga_own_memory()
        os.write(FD_ASSIGN, b"R")
    try:
        handler = take_function(FD_ASSIGN)
    except BaseException as e:
        if isinstance(e, SystemExit):
            flush()
            os._exit(e.code if isinstance(e.code, int) else 1 if e.code else 0)
        error = e.error if isinstance(e, InitError) else describe_exception(e, None)
        log_error(error)
        flush()
        api = Api(FD_ASSIGN)
        api.send(post("/init/error".encode(), json.dumps(error).encode(),
                      b"Lambda-Runtime-Function-Error-Type: " + error["errorType"].encode("ascii", "replace") + b"\r\n"))
        api.read_answer()
        os._exit(1)
    serve(Api(FD_ASSIGN), handler)


def main():
    global SHIM
    import ctypes
    control = int(sys.argv[1])
    SHIM = shim = ctypes.PyDLL("/proc/self/fd/" + sys.argv[2])
    os.environ.setdefault("TZ", ":UTC")
    time.tzset()
    preload()
    gc.collect()
    gc.disable()
    gc.freeze()
    error = shim.virga_zygote_open(control)
    if error:
        sys.exit("zygote: " + os.strerror(error))
    steps = build_clients()
    while True:
        # The first of them even when somebody waits: a function that starts before it pays for it itself.
        while steps is not None and (not BUILT or shim.virga_zygote_idle(2)):
            try:
                next(steps)
            except Exception:  # the last step was done, or this SDK has another shape
                steps = None
                gc.collect()
                shim.virga_zygote_warmed()
            gc.freeze()
        shim.virga_zygote_wait()
        try:
            pid = os.fork()
        except OSError:
            pid = -1
        if pid == 0:
            shim.virga_zygote_enter()
            gc.enable()
            run_sandbox(hurry=shim.virga_zygote_hurry() == 1)
        shim.virga_zygote_forked(pid)


if BARE:
    run_sandbox()
else:
    main()
