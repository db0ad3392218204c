"""`bri-qa verify`: cut every quote of a saved answer again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bri_qa.cli.common import FAILED, Index, app, counted, say, settings_of


@app.command(short_help="Cut every quote of a saved answer again.")
def verify(
    answer: Annotated[Path, typer.Argument(help="A saved answer: the output of ask --json.")],
    index: Index = None,
) -> None:
    """Cut every quote of a saved answer again; exit 1 if one is not what stands in its article."""
    from bri_qa.citations import recut
    from bri_qa.compose import open_index
    from bri_qa.exchange import saved_citations

    citations = saved_citations(answer)
    articles = open_index(settings_of(index_dir=index))
    cut_again = [(item.number, recut(item, articles.document(item.document_id))) for item in citations]
    troubles = [(number, trouble) for number, trouble in cut_again if trouble]
    for number, trouble in troubles:
        say(f"[{number}] {trouble}")
    stand = "stands" if len(citations) == 1 else "stand"
    standing = f"{len(citations) - len(troubles)} of {counted(len(citations), 'quote')} {stand}"
    say(standing if citations else "the answer abstains: there is no quote to verify")
    if troubles:
        raise typer.Exit(FAILED)
