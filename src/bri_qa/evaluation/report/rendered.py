"""The report of a saved run: `report.html` and `report.md`, written into its folder."""

from __future__ import annotations

from pathlib import Path

from bri_qa.evaluation.report.changes import changes
from bri_qa.evaluation.report.files import replace_file
from bri_qa.evaluation.report.markdown import as_markdown
from bri_qa.evaluation.report.page import as_html
from bri_qa.evaluation.report.saved import open_run
from bri_qa.evaluation.report.sliced import slices_of

PAGE, SUMMARY = "report.html", "report.md"


def render(folder: Path, against: Path | None = None) -> dict[Path, int]:
    """Write the report of the run in `folder`, with the slices that were asked beside it, if any.

    It is compared with the run in `against` if one is named.

    Returns:
        The files, with their sizes in bytes.

    Raises:
        InputError: a run cannot be read, shares no case with the other, or a file cannot be written.
    """
    run = open_run(folder)
    changed = changes(run, open_run(against)) if against is not None else None
    slices = slices_of(run)
    texts = {folder / PAGE: as_html(run, changed, slices), folder / SUMMARY: as_markdown(run, changed, slices)}
    for file, text in texts.items():
        replace_file(file, text)
    return {file: len(text.encode()) for file, text in texts.items()}
