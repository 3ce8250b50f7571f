"""--function-network egress: what functions reach, and that nothing else opens with it.

Tests speak on loopback only, so 127.0.0.2 plays the other machine: --function-egress-allow makes it one."""
import http.server
import socket
import subprocess
import threading

import pytest

import virga_server
from lambda_support import Functions, call, clients_of

OUTSIDE = "127.0.0.2"


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class EchoServer(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


@pytest.fixture(scope="module")
def echo():
    with EchoServer((OUTSIDE, 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def functions():
    with virga_server.Server("--function-network", "egress", "--function-egress-allow", OUTSIDE) as server:
        made = Functions(clients_of(server)("lambda"))
        yield made
        made.close()


def answer(functions, source, payload, **more):
    name = functions(source, Timeout=60, MemorySize=512, **more)
    return call(functions.aws, name, payload)[1]


PROBE = """
import errno, json, socket, urllib.request
def outcome(address, port, timeout, kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, kind)
    s.settimeout(timeout)
    try:
        s.connect((address, port))
        if s.recv(1) == b'':
            return 'ended'
        return 'reached'
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))
    finally:
        s.close()
def handler(event, context):
    return [outcome(*one) for one in event]
"""


def test_python_and_node_reach_another_machine(functions, echo):
    python = """
import hashlib, urllib.request
def handler(event, context):
    body = b'x' * event['size']
    got = urllib.request.urlopen(f"http://127.0.0.2:{event['port']}/", data=body, timeout=event.get('timeout')).read()
    return got == body
"""
    name = functions(python, Timeout=60, MemorySize=512)
    for size in (1, 5_000_000):
        for timeout in (None, 30):  # a blocking socket and one that does not block
            assert call(functions.aws, name, {"port": echo, "size": size, "timeout": timeout})[1] is True
    node = """
const http = require('http');
const post = (port, body) => new Promise((resolve, reject) => {
  const request = http.request({host: '127.0.0.2', port, method: 'POST', headers: {'Content-Length': body.length}}, (answer) => {
    const parts = [];
    answer.on('data', (part) => parts.push(part));
    answer.on('end', () => resolve(Buffer.concat(parts).equals(body)));
  });
  request.on('error', reject);
  request.end(body);
});
exports.handler = async (event) => Promise.all([...Array(40).keys()].map((i) => post(event.port, Buffer.alloc(100000, i))));
"""
    assert answer(functions, node, {"port": echo}, file="app.js", Runtime="nodejs18.x") == [True] * 40


def test_the_platform_is_reached_as_ever(functions):
    source = ("import boto3\ndef handler(event, context):\n"
              "    return boto3.client('sts').get_caller_identity()['Account']\n")
    assert answer(functions, source, {}) == "000000000000"


def test_a_half_closed_connection_still_carries_the_answer(functions):
    with socket.create_server((OUTSIDE, 0)) as listener:
        def serve():
            peer, _ = listener.accept()
            with peer:
                got = b""
                while part := peer.recv(65536):
                    got += part
                peer.sendall(b"%d bytes" % len(got))
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        source = """
import socket
def handler(event, context):
    s = socket.create_connection(('127.0.0.2', event['port']))
    s.sendall(b'y' * 300000)
    s.shutdown(socket.SHUT_WR)
    return s.makefile().read()
"""
        assert answer(functions, source, {"port": listener.getsockname()[1]}) == "300000 bytes"
        thread.join(20)


def test_what_stays_closed(functions):
    """The machine's loopback and own addresses, its link, other protocols; and what a refusal looks like."""
    with socket.create_server(("127.0.0.1", 0)) as hosts, socket.create_server((OUTSIDE, 0)) as gone:
        port = hosts.getsockname()[1]
        closed = gone.getsockname()[1]
        gone.close()
        got = answer(functions, PROBE, [
            ["127.0.0.1", port, None], ["127.0.0.1", port, 20], ["::1", port, None], ["::ffff:127.0.0.1", port, None],
            ["169.254.169.254", 80, None], ["169.254.169.254", 80, 20], ["::ffff:169.254.169.254", 80, 20],
            ["224.0.0.1", 80, None], [OUTSIDE, closed, None], [OUTSIDE, port, None, socket.SOCK_DGRAM]])
        assert got[:4] == ["ECONNREFUSED"] * 4
        assert got[4:8] == ["EHOSTUNREACH"] * 4
        assert got[8] == "ECONNREFUSED"
        assert got[9] == "ENETUNREACH"
        refused = answer(functions, PROBE, [[OUTSIDE, closed, 20]])
        assert refused[0] in ("ECONNRESET", "ended")
        hosts.settimeout(0)
        with pytest.raises(BlockingIOError):
            hosts.accept()


def test_the_listener_inside_leads_nowhere(functions):
    assert answer(functions, PROBE, [["127.0.0.1", 9002, 20], ["::1", 9002, 20]]) == ["ended", "ended"]


FLIP = """
import ctypes, errno, os, socket, struct, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def address(ip, port):
    return struct.pack('=H', socket.AF_INET) + struct.pack('!H', port) + socket.inet_aton(ip) + bytes(8)
def handler(event, context):
    good, bad = address('127.0.0.2', event['good']), address('127.0.0.1', event['bad'])
    memory = ctypes.create_string_buffer(good, 16)
    stop = False
    def flip():
        while not stop:
            ctypes.memmove(memory, bad, 16)
            ctypes.memmove(memory, good, 16)
    threads = [threading.Thread(target=flip) for _ in range(2)]
    for t in threads: t.start()
    outcomes = {}
    begin = time.monotonic()
    # Some time, and on a loaded machine until both addresses were met.
    while time.monotonic() < begin + event['seconds'] or len(outcomes) < 2 and time.monotonic() < begin + 40:
        s = socket.socket()
        got = 0 if libc.connect(s.fileno(), memory, 16) == 0 else ctypes.get_errno()
        # And once more on the socket that was connected.
        libc.connect(s.fileno(), memory, 16)
        outcomes[errno.errorcode.get(got, 'OK')] = outcomes.get(errno.errorcode.get(got, 'OK'), 0) + 1
        s.close()
    stop = True
    for t in threads: t.join()
    return outcomes
"""


def test_an_address_that_changes_while_it_is_read_reaches_nothing_else(functions, echo):
    """One thread writes the address of the machine's loopback over the allowed one as fast as it can."""
    with socket.create_server(("127.0.0.1", 0)) as hosts:
        got = answer(functions, FLIP, {"good": echo, "bad": hosts.getsockname()[1], "seconds": 4})
        assert {"OK", "ECONNREFUSED"} <= set(got) <= {"OK", "ECONNREFUSED", "EAGAIN"}, got
        hosts.settimeout(0)
        with pytest.raises(BlockingIOError):
            hosts.accept()


def test_the_same_attack_finds_an_open_door(echo):
    """With the machine's own network it arrives: what the test above looks for can be seen."""
    seen = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as hosts, virga_server.Server("--function-network", "host") as server:
        def take_all():
            try:
                while True:
                    hosts.accept()[0].close()
                    seen.set()
            except OSError:
                pass
        thread = threading.Thread(target=take_all, daemon=True)
        thread.start()
        functions = Functions(clients_of(server)("lambda"))
        answer(functions, FLIP, {"good": echo, "bad": hosts.getsockname()[1], "seconds": 1})
        functions.close()
        assert seen.wait(20)
        hosts.shutdown(socket.SHUT_RDWR)
        thread.join(20)


def test_sockets_of_the_sandbox_are_its_own(functions, echo):
    """A connected socket, taken apart and used again, is still one of a namespace with loopback only."""
    source = """
import ctypes, errno, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
def handler(event, context):
    s = socket.create_connection(('127.0.0.2', event['good']))
    libc.connect(s.fileno(), struct.pack('=H', socket.AF_UNSPEC) + bytes(14), 16)  # dissolves it
    try:
        s.connect(('127.0.0.1', event['bad']))
        return 'reached'
    except OSError as e:
        return errno.errorcode[e.errno]
"""
    with socket.create_server(("127.0.0.1", 0)) as hosts:
        got = answer(functions, source, {"good": echo, "bad": hosts.getsockname()[1]})
        assert got == "ECONNREFUSED"


def test_a_thread_that_is_named_like_another_process(functions, echo):
    """The kernel shows names that functions choose where the process is looked up."""
    source = """
import ctypes, socket
def handler(event, context):
    assert ctypes.CDLL(None).prctl(15, b'Tgid: 1', 0, 0, 0) == 0  # PR_SET_NAME
    s = socket.create_connection(('127.0.0.2', event['good']))
    s.close()
    return 'its own'
"""
    assert answer(functions, source, {"good": echo}) == "its own"


def test_options():
    refused = subprocess.run([str(virga_server.BINARY), "serve", "--function-egress-allow", "example.com"],
                             capture_output=True, text=True, timeout=20)
    assert refused.returncode == 64 and "IP address" in refused.stderr
