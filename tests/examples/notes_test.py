"""examples/notes, deployed with the unmodified AWS CLI and used as its users would."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

import boto3
import pytest

import virga_server

DEPLOY = virga_server.ROOT / "examples" / "notes" / "deploy.sh"


def deploy(server) -> str:
    got = subprocess.run([str(DEPLOY)], env={**os.environ, "ENDPOINT": server.endpoint}, text=True,
                         capture_output=True, timeout=300)
    assert got.returncode == 0, got.stderr[-3000:] + server.log_text()[-3000:]
    return got.stdout.splitlines()[-1]


def call(method, url, body=None):
    request = urllib.request.Request(url, method=method, data=None if body is None else json.dumps(body).encode(),
                                     headers={"content-type": "application/json"} if body is not None else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as got:
            text = got.read().decode()
            status = got.status
    except urllib.error.HTTPError as e:
        text = e.read().decode()
        status = e.code
    return status, json.loads(text) if text.startswith(("{", "[")) else text


@pytest.fixture(scope="module")
def notes():
    with tempfile.TemporaryDirectory(prefix="virga-notes-") as data:
        server = virga_server.Server(data=data)
        server.start()
        try:
            yield server, deploy(server)
        finally:
            server.close()


def test_the_api_keeps_notes(notes):
    _, url = notes
    status, made = call("POST", url + "notes", {"text": "buy milk"})
    assert status == 201
    assert call("GET", url + "notes/" + made["id"]) == (200, made)
    assert made in call("GET", url + "notes")[1]["notes"]
    assert call("DELETE", url + "notes/" + made["id"]) == (204, "")
    assert call("GET", url + "notes/" + made["id"])[0] == 404


def test_wrong_input_is_refused_and_loses_nothing(notes):
    _, url = notes
    before = call("GET", url + "notes")[1]
    assert call("POST", url + "notes", {"text": ""})[0] == 400
    assert call("POST", url + "notes", [1])[0] == 400
    assert call("PATCH", url + "notes") == (404, {"message": "Not Found"})
    assert call("GET", url + "notes")[1] == before


def test_the_node_function_counts_with_its_sdk(notes):
    server, url = notes
    call("POST", url + "notes", {"text": "counted"})
    status, stats = call("GET", url + "stats")
    assert status == 200
    items = boto3.client("dynamodb", endpoint_url=server.endpoint).scan(TableName="notes")
    assert stats["notes"] == items["Count"]


def test_deploying_again_updates_the_code(notes):
    server, url = notes
    assert deploy(server) == url
    assert call("GET", url + "notes")[0] == 200


def test_notes_survive_kill_9(notes):
    server, url = notes
    _, made = call("POST", url + "notes", {"text": "durable"})
    server.kill()
    server.start()
    assert call("GET", url + "notes/" + made["id"]) == (200, made)


CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(CHROMIUM is None or shutil.which("chromedriver") is None, reason="no Chromium here")
def test_a_browser_creates_a_note_and_reads_it_back_after_kill_9(notes):
    server, url = notes
    with Browser() as browser:
        browser.open(url)
        browser.wait_for("document.getElementById('status').textContent.includes('note')")
        browser.run("document.getElementById('text').value = 'from the browser';"
                    "document.querySelector('#new button').click();")
        shown = "[...document.querySelectorAll('#notes li span')].some(e => e.textContent === 'from the browser')"
        browser.wait_for(shown)
        server.kill()
        server.start()
        browser.open(url)
        browser.wait_for(shown)
        if shots := os.environ.get("VIRGA_SCREENSHOTS"):
            browser.screenshot(pathlib.Path(shots) / "notes.png")


class Browser:
    """Headless Chromium through ChromeDriver's W3C WebDriver protocol."""

    FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage"]

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="virga-chromium-")
        port = virga_server.free_port()
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True)
        while "started successfully" not in self.driver.stdout.readline():
            assert self.driver.poll() is None, "chromedriver ended"
        self.base = f"http://127.0.0.1:{port}"
        made = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": {
            "binary": CHROMIUM, "args": [*self.FLAGS, f"--user-data-dir={self.profile}"]}}}})
        self.base += "/session/" + made["sessionId"]
        return self

    def __exit__(self, *exc):
        try:
            self.ask("DELETE", "", None)
        finally:
            self.driver.terminate()
            self.driver.wait(10)
            self.driver.stdout.close()
            shutil.rmtree(self.profile, ignore_errors=True)

    def ask(self, method, path, body):
        request = urllib.request.Request(self.base + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as got:
            return json.loads(got.read())["value"]

    def open(self, url):
        self.ask("POST", "/url", {"url": url})

    def run(self, script):
        return self.ask("POST", "/execute/sync", {"script": script, "args": []})

    def wait_for(self, condition):
        script = ("const done = arguments[0]; const end = Date.now() + 20000;"
                  f"(function look() {{ if ({condition}) done(true);"
                  " else if (Date.now() > end) done(document.body.innerText); else setTimeout(look, 20); })();")
        got = self.ask("POST", "/execute/async", {"script": script, "args": []})
        assert got is True, f"never came true: {condition}; the page says: {got}"

    def screenshot(self, path):
        import base64
        path.write_bytes(base64.b64decode(self.ask("GET", "/screenshot", None)))
