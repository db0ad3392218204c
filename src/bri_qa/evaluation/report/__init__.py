"""A run as files, as a page and a summary for people, and as a table for the terminal.

`write` saves a run and its report; `render` makes the report of a saved run again, alone or against another run.
"""

from bri_qa.evaluation.report.files import open_folder, replace_file
from bri_qa.evaluation.report.folder import write
from bri_qa.evaluation.report.page import size
from bri_qa.evaluation.report.rendered import render
from bri_qa.evaluation.report.terminal import table
from bri_qa.evaluation.summary import as_json

__all__ = ["as_json", "open_folder", "render", "replace_file", "size", "table", "write"]
