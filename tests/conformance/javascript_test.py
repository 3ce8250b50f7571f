"""Runs the tests of tests/conformance/javascript with Node's own test runner."""
import os
import pathlib
import shutil
import subprocess

import pytest

FOLDER = pathlib.Path(__file__).parent / "javascript"
SDK = pathlib.Path(__file__).resolve().parents[2] / "runtimes" / "node" / "sdk"


@pytest.mark.skipif(shutil.which("node") is None or not (SDK / "node_modules").exists(),
                    reason="no Node.js or no SDK here")
@pytest.mark.parametrize("file", sorted(p.name for p in FOLDER.glob("*.test.mjs")))
def test_javascript_sdk(endpoint, file):
    got = subprocess.run(["node", "--test", str(FOLDER / file)], text=True, capture_output=True, timeout=120,
                         env={**os.environ, "VIRGA_ENDPOINT": endpoint, "VIRGA_NODE_SDK": str(SDK)})
    assert got.returncode == 0, got.stdout[-6000:] + got.stderr[-2000:]
