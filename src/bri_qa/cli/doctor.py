"""`bri-qa doctor`: try each part as it is configured."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from bri_qa.cli.common import FAILED, AsJson, Index, app, say, settings_of

_SIGNS = {True: "ok", False: "FAILED", None: "note"}


@app.command(short_help="Try each part, look over the deployment, and say what to mend.")
def doctor(index: Index = None, as_json: AsJson = False) -> None:
    """Try the index, the embedder, the reader and the language model, if there is one, and look over the deployment.

    Contradictory settings, secrets that others can read, a full disk, a store that does not answer, an old index:
    each is one line that says what to do. Exit 1 if something is wrong.
    """
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
