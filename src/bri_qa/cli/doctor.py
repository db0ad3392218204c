"""`bri-qa doctor`: try each part as it is configured."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from bri_qa.cli.common import FAILED, AsJson, Index, app, say, settings_of

_SIGNS = {True: "ok", False: "FAILED", None: "note"}


@app.command(short_help="Try each part, and say what the language model can do.")
def doctor(index: Index = None, as_json: AsJson = False) -> None:
    """Try the index, the embedder, the reader and the language model, if there is one; exit 1 if one of them fails."""
    from bri_qa.doctor import examined

    findings = []
    for finding in examined(settings_of(index_dir=index)):
        findings.append(finding)
        if not as_json:
            say(f"{_SIGNS[finding.fine]:<7} {finding.name}: {finding.detail}")
    if as_json:
        say(json.dumps([asdict(item) for item in findings], ensure_ascii=False, indent=1))
    if any(item.fine is False for item in findings):
        raise typer.Exit(FAILED)
