"""Every command in docs/ is run as it stands there, guide by guide, in a folder with the corpus and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.guides import GUIDES, ROOT, blocks

pytestmark = pytest.mark.journey
WITH_COMMANDS = [guide for guide in GUIDES if any(block.kind == "sh" for block in blocks(guide))]
PORT = "7860"  # as the guides write it; a free one takes its place
WAIT = 240  # seconds


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


@contextmanager
def _served(command: str, folder: Path, environ: dict[str, str], port: str) -> Iterator[None]:
    with subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=folder, env=environ) as server:
        try:
            _wait(server, f"http://127.0.0.1:{port}/readyz")
            yield
        finally:
            server.terminate()


def _wait(server: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        assert server.poll() is None, "the server has stopped"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own server
                assert answer.status == 200
                return
        except OSError:  # not bound yet, not ready yet, or too busy with starting to answer
            time.sleep(0.3)
    raise AssertionError(f"{address} did not answer")


def _run(texts: list[str], folder: Path, environ: dict[str, str], port: str) -> None:
    """Run blocks one after the other; a server runs until the blocks after it are done."""
    for at, text in enumerate(texts):
        if text.startswith("bri-qa serve"):
            with _served(text.strip(), folder, environ, port):
                _run(texts[at + 1 :], folder, environ, port)
            return
        lead, _, serving = text.partition("\nbri-qa serve")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lead],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{lead}\n{done.stdout[-500:]}\n{done.stderr}"
        if serving:
            _run([f"bri-qa serve{serving}", *texts[at + 1 :]], folder, environ, port)
            return


@pytest.mark.parametrize("guide", WITH_COMMANDS, ids=[guide.name for guide in WITH_COMMANDS])
def test_the_commands_of_a_guide_run(guide: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "corpus", tmp_path / "corpus")
    shutil.copytree(ROOT / "eval", tmp_path / "eval")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRI_QA_")}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    port = _free_port()
    texts = [re.sub(rf"\b{PORT}\b", port, block.text) for block in blocks(guide) if block.kind == "sh"]
    _run(texts, tmp_path, environ, port)


def test_the_guides_that_have_commands_are_found() -> None:
    assert {"operator.md", "api.md"} <= {guide.name for guide in WITH_COMMANDS}
