"""Document to passages: headings, paragraphs, sentences, overlap. Cuts spans and never edits text."""

from bri_qa.passages.cutter import Limit, cut
from bri_qa.passages.sentences import sentences

__all__ = ["Limit", "cut", "sentences"]
