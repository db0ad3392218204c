"""The Gradio chat over the articles in corpus/, for `python app.py`: refreshes the index, then serves."""

import sys

from bri_qa.cli import run

if __name__ == "__main__":
    sys.exit(run(["index"]) or run(["serve"]))
