#!/usr/bin/env python3
"""Writes the seed corpora of the network targets. Run from anywhere; the files are committed."""
import gzip
import hashlib
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def put(target, seeds):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    for seed in seeds:
        data = seed if isinstance(seed, bytes) else seed.encode("latin-1")
        with open(os.path.join(folder, hashlib.sha1(data).hexdigest()[:12]), "wb") as f:
            f.write(data)


HTTP = [
    "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /a/b?c=d&e HTTP/1.1\r\nHost: h:80\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET http://h:1/p?q HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-T: v\r\n\r\n",
    "POST /xy HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nA\r\n0123456789\r\n0\r\n\r\n",
    "POST /xyz HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n",
    "GET / HTTP/1.1\nHost: h\n\n",
    "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
    "GET / HTTP/2.0\r\n\r\n",
    "GET /\x80 HTTP/1.1\r\nHost: h\r\nA: \xff\t b \r\n\r\n",
    "M-SEARCH /x HTTP/1.1\r\nHost: h\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n",
    "PUT /k HTTP/1.1\r\nHost: b.s3.localhost\r\nContent-Length: 3\r\nx-amz-meta-a:\r\n\r\nabc",
]
put("http", ["\x03" + s for s in HTTP] + ["\x0f" + s for s in HTTP])
put("http_server", ["\x0b" + s for s in HTTP] + ["\x02" + s for s in HTTP] + ["\x0b" + HTTP[5] * 3])

with open(os.path.join(HERE, "..", "golden", "sigv4", "vectors.json")) as f:
    vectors = json.load(f)["vectors"]
put("sigv4", ["\x00" + v["head"] for v in vectors] + [
    "\x01\x00\x06\x01a/b\na=b&c=d\nvalue  x\n", "\x01\x01\x09\x03key%20x\nversionId=1\nv\n", "\x01\x00\x08\x02\nq=1&z\n\n",
    "\x00GET / HTTP/1.1\r\nHost: h\r\nAuthorization: AWS4-HMAC-SHA256 \r\n\r\n",
    "\x00GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256 HTTP/1.1\r\nHost: h\r\n\r\n"])

SIG = "a" * 64
put("aws_chunked", [
    "\x02\x053\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n",
    "\x00\x015;chunk-signature=%s\r\nhello\r\n0;chunk-signature=%s\r\n\r\n" % (SIG, SIG),
    "\x01\x025;chunk-signature=%s\r\nhello\r\n0;chunk-signature=%s\r\nx-a:b\r\nx-amz-trailer-signature:%s\r\n\r\n" % (SIG, SIG, SIG),
    "\x09\x05\x00\x60\x01hello world of chunks", "\x0a\x05\x01\x10\x02hello", "\x0c\x05\x00\x5b\x40data data data",
    "\x09\x05\x00\x58\x01hello hello",
])
put("gzip", [b"\x00" + gzip.compress(b"hello", mtime=0), b"\x00" + gzip.compress(b"\0" * 100000, mtime=0), b"\x01text text",
             b"\x01" + b"x" * 1000, b"\x00" + gzip.compress(b"a", mtime=0) + gzip.compress(b"b", mtime=0), b"\x00\x1f\x8b"])
