"""A run as files (`run.json`, `cases.jsonl`) and as a table for the terminal."""

from bri_qa.evaluation.report.files import as_json, open_folder, replace_file, write
from bri_qa.evaluation.report.terminal import table

__all__ = ["as_json", "open_folder", "replace_file", "table", "write"]
