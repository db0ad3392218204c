"""Readers: one pass per (question, passage) to relevance, answer spans and a no-answer score."""

from bri_qa.reader.cross_encoder import BUNDLED, CrossEncoderReader, is_ours
from bri_qa.reader.named import open_named
from bri_qa.reader.sentences import SentenceReader

__all__ = ["BUNDLED", "CrossEncoderReader", "SentenceReader", "is_ours", "open_named"]
