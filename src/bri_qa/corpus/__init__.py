"""Files to documents: the only place where text is normalised. What cannot be read is reported, never dropped."""

from bri_qa.corpus.folder import load
from bri_qa.corpus.records import Corpus, RejectedFile

__all__ = ["Corpus", "RejectedFile", "load"]
