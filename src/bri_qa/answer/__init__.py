"""Answerers: what has been read to an unverified draft, with no language model."""

from bri_qa.answer.digest import DigestAnswerer
from bri_qa.answer.extractive import ExtractiveAnswerer
from bri_qa.answer.mentions import MentionsAnswerer
from bri_qa.answer.speakers import SpeakersAnswerer

__all__ = ["DigestAnswerer", "ExtractiveAnswerer", "MentionsAnswerer", "SpeakersAnswerer"]
