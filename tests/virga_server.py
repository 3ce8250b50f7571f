"""Starts and stops the real binary for tests."""
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("VIRGA_BINARY", ROOT / "build" / "virga"))
READY_SECONDS = 30


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One `virga serve` over a data folder of its own (or a given one, for restarts)."""

    def __init__(self, *options, data=None, port=None, env=None, wrapper=()):
        self.port = port or free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._temp = None
        if data is None:
            self._temp = tempfile.TemporaryDirectory(prefix="virga-test-")
            data = self._temp.name
        self.data = str(data)
        self.options = list(options)
        self.wrapper = [str(part) for part in wrapper]  # a program that runs the binary
        self.env = {**os.environ, **(env or {})}
        for name in list(self.env):
            if name.startswith(("AWS_", "VIRGA_")) and name not in (env or {}):
                del self.env[name]
        self.process = None
        self.log = None

    def start(self):
        self.log = open(pathlib.Path(self.data).parent / f"virga-{self.port}.log", "ab+")
        place = [] if "--memory" in self.options else ["--data", self.data]
        self.process = subprocess.Popen(
            [*self.wrapper, str(BINARY), "serve", "--listen", f"127.0.0.1:{self.port}", *place, *self.options],
            stdout=subprocess.PIPE, stderr=self.log, env=self.env, text=True)
        deadline = time.monotonic() + READY_SECONDS
        line = ""
        while not line.endswith("Ready.\n"):
            line = self.process.stdout.readline()
            if not line or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"virga did not become ready: {self.log_text()[-4000:]}")
        return self

    def log_text(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def get(self, path, timeout=5):
        with urllib.request.urlopen(self.endpoint + path, timeout=timeout) as got:
            return got.status, got.read()

    def kill(self):
        """kill -9 of everything the server is: supervisor, server, launcher, sandboxes."""
        if self.process is None:
            return
        killed = descendants(self.process.pid)
        for pid in killed:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.kill()
        self.process.wait(10)
        deadline = time.monotonic() + 10  # a process that ends still holds its folder's lock
        while any(alive(pid) for pid in killed) and time.monotonic() < deadline:
            os.sched_yield()
        self.process.stdout.close()
        self.process = None

    def terminate(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.terminate()
        code = self.process.wait(20)
        self.process.stdout.close()
        self.process = None
        return code

    def close(self):
        self.kill()
        if self.log is not None:
            name = self.log.name
            self.log.close()
            os.unlink(name)
            self.log = None
        if self._temp is not None:
            self._temp.cleanup()
            self._temp = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.close()


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def children(pid):
    out = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as f:
                out += [int(p) for p in f.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return out
