"""HTTP as clients meet it at the real binary: TLS, content codings, framing that must be refused."""
import gzip
import http.client
import json
import socket
import ssl
import subprocess
import urllib.parse

import boto3
import pytest
from botocore.config import Config

import virga_server
from door_test import LIST_TABLES, send, signed


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", key, "-out", cert, "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    return cert, key


@pytest.fixture(scope="module")
def tls_server(certificate):
    with virga_server.Server("--memory", "--tls-cert", str(certificate[0]), "--tls-key", str(certificate[1])) as server:
        yield server


def test_a_port_with_a_certificate_speaks_https_and_http(tls_server, certificate):
    for scheme in ("https", "http"):
        client = boto3.client("dynamodb", endpoint_url=f"{scheme}://localhost:{tls_server.port}",
                              verify=str(certificate[0]), config=Config(retries={"max_attempts": 0}))
        assert client.list_tables()["TableNames"] == []


def test_tls_offers_http_1_1_only_and_resumes_sessions(tls_server, certificate):
    context = ssl.create_default_context(cafile=str(certificate[0]))
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # the ticket comes with the handshake
    session = None
    for reused in (False, True):
        with socket.create_connection(("127.0.0.1", tls_server.port), timeout=10) as raw:
            with context.wrap_socket(raw, server_hostname="localhost", session=session) as tls:
                assert tls.selected_alpn_protocol() == "http/1.1"
                assert tls.session_reused is reused
                tls.sendall(b"GET /_virga/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert tls.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
                session = tls.session


def test_an_unusable_certificate_ends_the_start_with_words(tmp_path):
    (tmp_path / "junk.pem").write_text("junk")
    got = subprocess.run([str(virga_server.BINARY), "serve", "--memory", "--listen", f"127.0.0.1:{virga_server.free_port()}",
                          "--tls-cert", str(tmp_path / "junk.pem"), "--tls-key", str(tmp_path / "junk.pem")],
                         capture_output=True, text=True, timeout=30)
    assert got.returncode != 0
    assert "TLS certificate" in got.stderr


def test_gzip_bodies_are_inflated(endpoint):
    body = gzip.compress(b"{}")
    headers = signed(endpoint, "dynamodb", {**LIST_TABLES, "Content-Encoding": "gzip"}, body)
    status, _, text = send(endpoint, headers=headers, body=body)
    assert status == 200 and "TableNames" in json.loads(text)
    status, _, _ = send(endpoint, headers=headers, body=body[:-4])
    assert status == 400


def chunked(endpoint, body, decoded, trailer=None):
    headers = {**LIST_TABLES, "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
               "x-amz-decoded-content-length": str(decoded), "Content-Encoding": "aws-chunked"}
    if trailer:
        headers["x-amz-trailer"] = trailer
    return send(endpoint, headers=signed(endpoint, "dynamodb", headers, b""), body=body)


def test_aws_chunked_bodies_are_taken_apart(endpoint):
    status, _, text = chunked(endpoint, b"1\r\n{\r\n1\r\n}\r\n0\r\nx-amz-checksum-crc32:o+aa/w==\r\n\r\n", 2, "x-amz-checksum-crc32")
    assert status == 200 and "TableNames" in json.loads(text), text


@pytest.mark.parametrize("body, decoded", [
    (b"2\r\n{}\r\n0\r\n\r\n", 3), (b"2\r\n{}\r\n0\r\n", 2), (b"2\r\n{}}\r\n0\r\n\r\n", 2), (b"{}", 2)])
def test_malformed_chunks_are_refused(endpoint, body, decoded):
    status, _, _ = chunked(endpoint, body, decoded)
    assert status == 400


def raw(endpoint, text, timeout=10):
    url = urllib.parse.urlsplit(endpoint)
    with socket.create_connection((url.hostname, url.port), timeout=timeout) as connection:
        connection.sendall(text)
        got = b""
        while part := connection.recv(65536):
            got += part
        return got


@pytest.mark.parametrize("text, status", [
    (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", b"400"),
    (b"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", b"400"),
    (b"GET / HTTP/1.1\nHost: h\n\n", b"400"),
    (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
    (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", b"414"),
    (b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"a" * 70000 + b"\r\n\r\n", b"431"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505")])
def test_framing_that_smuggles_is_refused_and_the_connection_ends(endpoint, text, status):
    got = raw(endpoint, text + b"GET /_virga/health HTTP/1.1\r\nHost: h\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 " + status + b" ")
    assert got.count(b"\r\nDate: ") == 1


def test_pipelined_requests_are_answered_in_order(endpoint):
    one = b"GET /_virga/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    got = raw(endpoint, one * 20 + b"GET /_virga/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert got.count(b"HTTP/1.1 200 OK\r\n") == 21


def test_a_body_is_asked_for_when_it_is_wanted(endpoint):
    url = urllib.parse.urlsplit(endpoint)
    headers = signed(endpoint, "dynamodb", LIST_TABLES, b"{}")
    head = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n"
    head += b"".join(f"{k}: {v}\r\n".encode() for k, v in headers.items() if k.lower() != "content-length") + b"\r\n"
    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        connection.sendall(head)
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_too_large_a_body_is_refused_before_it_is_sent(endpoint):
    url = urllib.parse.urlsplit(endpoint)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    connection.putrequest("POST", "/", skip_host=True)
    for name, value in signed(endpoint, "dynamodb", LIST_TABLES, b"").items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
