# The SDK inside the Python zygote: imported once, its clients made cheap, with this platform as their default endpoint.
# The build puts this file in front of bootstrap.py; the two are one program.
import importlib.util
import os
import socket
import sys
import types

PRELOADED = frozenset()  # top-level names of third-party modules that the zygote has imported
PRELOADED_FILES = frozenset()  # how their files are called in a folder


def default_endpoint(service):
    """The endpoint for a client that names none: the function's environment, which the platform fills."""
    environ = os.environ
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return environ.get("VIRGA_ENDPOINT_URL")
    key = "AWS_ENDPOINT_URL_" + service.upper().replace("-", "_").replace(" ", "_")
    return environ.get(key) or environ.get("AWS_ENDPOINT_URL") or environ.get("VIRGA_ENDPOINT_URL")


def patch_botocore(session_module):
    """botocore before 1.31 does not read AWS_ENDPOINT_URL: gives it the default where the caller gave none."""
    cls = session_module.Session
    original = cls.create_client
    if getattr(original, "_virga", False):
        return

    def create_client(self, service_name, region_name=None, api_version=None, use_ssl=True, verify=None,
                      endpoint_url=None, *args, **kwargs):
        if endpoint_url is None:
            endpoint_url = default_endpoint(service_name)
        return original(self, service_name, region_name, api_version, use_ssl, verify, endpoint_url, *args, **kwargs)

    create_client._virga = True
    cls.create_client = create_client


class BotocoreFinder:
    """Patches a botocore that comes with the function's own package when it is imported."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "botocore.session":
            return None
        sys.meta_path.remove(BotocoreFinder)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            patch_botocore(module)

        spec.loader.exec_module = exec_module
        return spec


def preload():
    """Imports what functions commonly import, the SDK included."""
    before = set(sys.modules)
    import asyncio, base64, calendar, collections, concurrent.futures, contextlib, copy, csv, dataclasses  # noqa: E401,F401
    import datetime, decimal, email.message, enum, functools, hashlib, hmac, http.client, importlib.util  # noqa: E401,F401
    import inspect, io, itertools, operator, random, re, secrets, shutil, ssl, string, struct, subprocess  # noqa: E401,F401
    import tempfile, textwrap, threading, typing, urllib.parse, urllib.request, uuid, zipfile, zlib  # noqa: E401,F401
    standard = set(sys.modules)
    # Not the C runtime library of the SDK: its TLS keeps a descriptor of /dev/urandom, takes over OpenSSL's randomness, and
    # waits for ever in a child whose descriptors were closed. Functions may import it themselves.
    sys.modules["awscrt"] = None
    try:
        import boto3
        import botocore.loaders
        import botocore.session
        # One cache of service descriptions for all sessions of the process: they are read-only data.
        make = botocore.loaders.create_loader
        shared = make()
        botocore.session.create_loader = lambda search_path_string=None: (
            make(search_path_string) if search_path_string else shared)
        patch_botocore(botocore.session)
        make_clients_cheap()
        # The default session stands, without credentials or region: those it reads from the environment when asked.
        boto3.setup_default_session()
    except Exception:  # no SDK here, or one of an unknown shape: functions bring their own
        pass
    finally:
        del sys.modules["awscrt"]
    remember_preloaded(before, standard)


def remember_preloaded(before, standard):
    global PRELOADED, PRELOADED_FILES
    names = {name.partition(".")[0] for name in set(sys.modules) - standard}
    PRELOADED = frozenset(n for n in names if n not in before and n not in getattr(sys, "stdlib_module_names", ()))
    PRELOADED_FILES = PRELOADED | {name + ".py" for name in PRELOADED}


def prefer_own_packages(folders):
    """A package that the function brings along wins over the one the zygote has imported."""
    for folder in folders:
        try:
            own = os.listdir(folder)
        except OSError:
            continue
        if not PRELOADED_FILES.isdisjoint(own):
            break
    else:
        return
    for name in list(sys.modules):
        if name.partition(".")[0] in PRELOADED:
            del sys.modules[name]
    sys.meta_path.insert(0, BotocoreFinder)


# ---------------------------------------------------------------- clients made cheap
#
# What botocore computes anew for each client although it depends on read-only data alone. Each of these leaves the SDK's
# own code in place for everything it does not know, and is left out where the SDK has another shape.

def make_clients_cheap():
    for step in (share_client_methods, share_rule_sets, share_retry_settings, copy_handlers_at_once, ask_for_proxies_once,
                 look_at_signatures_directly, keep_tls_contexts, share_resource_classes, share_event_names):
        try:
            step()
        except (ImportError, AttributeError):
            pass


def share_client_methods():
    """The methods of a service's clients depend on its description alone: made once, not for each client."""
    import botocore.client
    original = botocore.client.ClientCreator._create_methods
    made = {}

    def create_methods(self, service_model):
        key = (service_model.service_name, service_model.api_version)
        methods = made.get(key)
        operations = service_model._service_description.get("operations")
        if methods is None or methods[0] is not operations:
            methods = made[key] = (operations, original(self, service_model))
        return dict(methods[1])

    botocore.client.ClientCreator._create_methods = create_methods


RULE_SETS_MAX = 100


def share_rule_sets():
    """The tree that finds endpoints is built from the service's description and only read then."""
    from botocore.endpoint_provider import EndpointProvider
    original = EndpointProvider.__init__
    made = {}

    def __init__(self, ruleset_data, partition_data):
        known = made.get(id(ruleset_data))
        if known is not None and known[0] is ruleset_data and known[1] is partition_data:
            self.ruleset = known[2]
            return
        original(self, ruleset_data, partition_data)
        if len(made) < RULE_SETS_MAX:
            made[id(ruleset_data)] = (ruleset_data, partition_data, self.ruleset)

    EndpointProvider.__init__ = __init__


def share_retry_settings():
    """A service's retry settings are merged from read-only data and then only read, unless a client has its own."""
    from botocore import translate
    original = translate.build_retry_config
    made = {}

    def build_retry_config(endpoint_prefix, retry_model, definitions, client_retry_config=None):
        if client_retry_config is not None and client_retry_config.get("max_attempts") is not None:
            return original(endpoint_prefix, retry_model, definitions, client_retry_config)
        known = made.get(endpoint_prefix)
        if known is None or known[0] is not retry_model:
            known = made[endpoint_prefix] = (retry_model, original(endpoint_prefix, retry_model, definitions))
        return known[1]

    translate.build_retry_config = build_retry_config


def copy_handlers_at_once():
    """Each client copies the session's tree of event handlers: the same copy, without asking each node what it is."""
    from botocore.hooks import NodeList, _PrefixTrie
    if set(vars(_PrefixTrie())) != {"_root"} or set(_PrefixTrie()._root) != {"chunk", "children", "values"} or \
            NodeList._fields != ("first", "middle", "last"):
        return

    def copy_node(node):
        values = node["values"]
        return {"chunk": node["chunk"],
                "children": {name: copy_node(child) for name, child in node["children"].items()},
                "values": None if values is None else NodeList(values[0][:], values[1][:], values[2][:])}

    def __copy__(self):
        out = self.__class__()
        out._root = copy_node(self._root)
        return out

    _PrefixTrie.__copy__ = __copy__


def ask_for_proxies_once():
    """Without a variable that ends in _proxy there is no proxy to look for."""
    import botocore.endpoint
    original = botocore.endpoint.get_environ_proxies

    def get_environ_proxies(url):
        for name in os.environ:
            if name[-6:].lower() == "_proxy":
                return original(url)
        return {}

    botocore.endpoint.get_environ_proxies = get_environ_proxies


def look_at_signatures_directly():
    """Whether an event handler takes keyword arguments stands in its code."""
    import botocore.hooks
    original = botocore.hooks.accepts_kwargs
    takes_keywords = 0x08  # CO_VARKEYWORDS of the inspect module

    def accepts_kwargs(func):
        function = func.__func__ if type(func) is types.MethodType else func
        if type(function) is types.FunctionType and not hasattr(function, "__signature__"):
            return bool(function.__code__.co_flags & takes_keywords)
        return original(func)

    botocore.hooks.accepts_kwargs = accepts_kwargs


TLS_CONTEXTS = []  # made ahead of need, each for one client
TLS_CONTEXTS_MAX = 8
make_tls_context = None  # how the SDK makes them


def keep_tls_contexts():
    """A TLS context costs as much as the rest of a client: the first clients find theirs made, and unused by others."""
    global make_tls_context
    import botocore.httpsession as http
    original = make_tls_context = http.create_urllib3_context
    ciphers = http.DEFAULT_CIPHERS

    def create_urllib3_context(*args, **kwargs):
        if TLS_CONTEXTS and not args and not kwargs and http.DEFAULT_CIPHERS is ciphers and \
                not os.environ.get("SSLKEYLOGFILE"):
            return TLS_CONTEXTS.pop()
        return original(*args, **kwargs)

    http.create_urllib3_context = create_urllib3_context


def share_event_names():
    """What an event's name is today follows from a constant table: found out once for all clients."""
    from botocore.hooks import EventAliaser
    original = EventAliaser.__init__
    standard = EventAliaser(None)._event_aliases
    names = EventAliaser(None)._alias_name_cache

    def __init__(self, *args, **kwargs):
        original(self, *args, **kwargs)
        if self._event_aliases == standard:
            self._alias_name_cache = names

    EventAliaser.__init__ = __init__


def share_resource_classes():
    """The class of a resource (boto3's Table) depends on its description and on who listens to its making: a session makes it
    once, not for each object."""
    from boto3.resources.factory import ResourceFactory
    original = ResourceFactory.load_from_definition

    def listeners(factory, service, name):
        aliaser = factory._emitter
        event = "creating-resource-class.%s.%s" % (service, "ServiceResource" if name == service else name)
        return list(aliaser._emitter._handlers.prefix_search(aliaser._alias_event_name(event)))

    def load_from_definition(self, resource_name, single_resource_json_definition, service_context):
        model = service_context.service_model
        try:
            description = model._service_description["operations"]
            listening = listeners(self, service_context.service_name, resource_name)
        except (AttributeError, KeyError):
            return original(self, resource_name, single_resource_json_definition, service_context)
        made = self.__dict__.setdefault("_virga_classes", {})
        key = (service_context.service_name, resource_name)
        known = made.get(key)
        if known is None or known[0] is not single_resource_json_definition or known[1] is not description or \
                known[2] != listening:
            cls = original(self, resource_name, single_resource_json_definition, service_context)
            known = made[key] = (single_resource_json_definition, description, listening, cls)
        return known[3]

    ResourceFactory.load_from_definition = load_from_definition


# ---------------------------------------------------------------- ahead of need

REHEARSAL_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "x", "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
REHEARSAL_KEYS = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1",
                  "endpoint_url": "http://127.0.0.1:4566"}
CLIENTS = ("dynamodb", "s3", "sqs", "sns", "sts", "lambda", "secretsmanager", "ssm", "events", "stepfunctions", "logs", "kinesis",
           "cloudwatch", "apigatewaymanagementapi")  # the first comes before the first fork
BUILT = set()  # services of which this zygote has built a client


def default_session():
    return getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)


def json_answer(text):
    return "application/x-amz-json-1.0", text


def xml_answer(text):
    return "text/xml", '<?xml version="1.0"?>' + text


# Calls that stand for their services' protocols, with answers of their shape. Where the description knows another protocol for
# the service the SDK refuses the answer, and what comes before the answer has been rehearsed all the same.
REHEARSAL_CALLS = {
    "dynamodb": (
        ("get_item", {"TableName": "rehearsal", "Key": {"pk": {"S": "a"}}},
         json_answer('{"Item": {"pk": {"S": "a"}, "n": {"N": "1"}, "l": {"L": [{"BOOL": true}]}, "m": {"M": {}}}}')),
        ("put_item", {"TableName": "rehearsal", "Item": {"pk": {"S": "a"}, "n": {"N": "1"}}}, json_answer("{}"))),
    "s3": (
        ("get_object", {"Bucket": "rehearsal", "Key": "k"}, ("binary/octet-stream", "body")),
        ("put_object", {"Bucket": "rehearsal", "Key": "k", "Body": b"body"}, xml_answer(""))),
    "sqs": (
        ("send_message", {"QueueUrl": "http://127.0.0.1:4566/000000000000/rehearsal", "MessageBody": "m"},
         xml_answer("<SendMessageResponse><SendMessageResult><MessageId>1</MessageId></SendMessageResult>"
                    "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></SendMessageResponse>")),),
    "sns": (
        ("publish", {"TopicArn": "arn:aws:sns:us-east-1:000000000000:rehearsal", "Message": "m"},
         xml_answer("<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult>"
                    "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PublishResponse>")),),
    "lambda": (
        ("invoke", {"FunctionName": "rehearsal", "Payload": b"{}"}, ("application/json", "{}")),),
    "events": (
        ("put_events", {"Entries": [{"Source": "s", "DetailType": "t", "Detail": "{}"}]},
         json_answer('{"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}')),),
}


class StandIn(socket.socket):
    """A connection whose other end is in this process too: a request is answered while it is sent."""

    def __init__(self, answer):
        ours, self.peer = socket.socketpair()
        super().__init__(fileno=ours.detach())
        self.settimeout(1)
        self.peer.settimeout(1)
        content_type, text = answer
        self.answer = ("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\nx-amzn-RequestId: 1\r\n\r\n%s" %
                       (content_type, len(text), text)).encode()

    def sendall(self, data, flags=0):
        super().sendall(data, flags)
        self.peer.recv(1 << 16)
        self.peer.send(b"HTTP/1.1 100 Continue\r\n\r\n" if b"100-continue" in data else self.answer)

    def close(self):
        self.peer.close()
        super().close()


def rehearse_calls(service, client):
    """Runs calls of the service up to answers that stand in for it: nothing leaves this process."""
    from urllib3.util import connection
    original = connection.create_connection
    for operation, parameters, answer in REHEARSAL_CALLS.get(service, ()):
        answers = [answer]

        def connect(address, *args, **kwargs):
            # Neither a second attempt nor one without sockets is a refused connection, after which the SDK waits and retries.
            try:
                address[0].encode("idna")
                socket.getaddrinfo(address[0], address[1], 0, socket.SOCK_STREAM)  # a number: nobody is asked
                return StandIn(answers.pop())
            except OSError:
                raise RuntimeError("no sockets") from None

        connection.create_connection = connect
        try:
            got = getattr(client, operation)(**parameters)
            for member in ("Body", "Payload"):
                if member in got:
                    got[member].read()
        except Exception:  # an SDK of another shape
            pass
        finally:
            connection.create_connection = original
        client.close()


def build_clients():
    """Builds the clients that most functions use, one a step, so that service descriptions are cached: done while nobody waits."""
    session = default_session()
    if session is None:
        return
    for name in CLIENTS:
        client = session.client(name, **REHEARSAL_KEYS)
        while make_tls_context is not None and len(TLS_CONTEXTS) < TLS_CONTEXTS_MAX:
            TLS_CONTEXTS.append(make_tls_context())
        rehearse_calls(name, client)
        BUILT.add(name)
        yield
    for name, part in (("dynamodb", "Table"), ("s3", "Bucket")):
        getattr(session.resource(name, **REHEARSAL_KEYS), part)("rehearsal")
        BUILT.add(part)
        yield


def rehearse_client():
    """Builds clients and calls with them as a function will, so that its first one finds this memory the process's own already."""
    session = default_session()
    if "dynamodb" not in BUILT or session is None:
        return
    rehearse_calls("dynamodb", session.client("dynamodb"))
    forget_environment(session)  # the next one reads it anew, as the function's will
    if "Table" in BUILT:
        rehearse_calls("dynamodb", session.resource("dynamodb").Table("rehearsal").meta.client)
    else:
        session.client("dynamodb")
    forget_environment(session)


def forget_environment(session):
    """What the session has read of environment and configuration so far: the function's own count."""
    inner = session._session
    inner._config = inner._profile_map = inner._profile = inner._credentials = None


def take_sdk_environment(environment):
    """The default session becomes the function's."""
    session = default_session()
    if session is None:
        return
    if "AWS_PROFILE" in environment or "AWS_CONFIG_FILE" in environment or "AWS_SHARED_CREDENTIALS_FILE" in environment:
        sys.modules["boto3"].setup_default_session()  # its providers of credentials keep such names
    else:
        forget_environment(session)
