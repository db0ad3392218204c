"""The command line: each command parses, calls one function and prints. Exit 0, 1 on a failed gate, 2 on an error."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from bri_qa.cli import (
    ask,
    doctor,
    evaluate,
    evaluate_check,
    evaluate_compare,
    evaluate_import,
    evaluate_new,
    evaluate_report,
    evaluate_slices,
    index,
    keys,
    mcp,
    serve,
    verify,
)
from bri_qa.cli.common import ERROR, INTERRUPTED, app
from bri_qa.errors import BriQAError

__all__ = [
    "app",
    "ask",
    "doctor",
    "evaluate",
    "evaluate_check",
    "evaluate_compare",
    "evaluate_import",
    "evaluate_new",
    "evaluate_report",
    "evaluate_slices",
    "index",
    "keys",
    "main",
    "mcp",
    "run",
    "serve",
    "verify",
]


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (by default this process's own) and return its exit code."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        code = app(args=arguments, prog_name="bri-qa", standalone_mode=False)
    except BriQAError as error:
        return _failed(str(error))
    except typer.TyperException as error:
        return _failed(f"{error.format_message().rstrip('.')} (bri-qa --help tells how)")
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        return _failed(f"{error}; free some space or mend the permissions, and run it again")
    except Exception as error:  # the edge: whatever went wrong, the user is told in one line
        if sys.flags.dev_mode:
            raise
        return _failed(f"{type(error).__name__}: {error} (a fault here; python -X dev -m bri_qa shows where)")
    return code if isinstance(code, int) else 0


def main() -> NoReturn:
    """The program `bri-qa`: exits with its code; every error is one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(run())


def _drop_output() -> None:
    """Let what is still to be written go nowhere, lest the exit itself fails on it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(message: str) -> int:
    print(f"bri-qa: {' '.join(message.split())}", file=sys.stderr)
    return ERROR
