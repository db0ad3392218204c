"""The Gradio chat over the articles in corpus/, for `python app.py`: refreshes the index, then serves."""

from bri_qa import web
from bri_qa.compose import pipeline, refresh
from bri_qa.settings import Settings

if __name__ == "__main__":
    settings = Settings.load()
    refresh(settings).run()
    web.serve(settings, pipeline(settings))
