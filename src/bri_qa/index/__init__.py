"""Documents, passages, their vectors and their words on disk: built, published in one move, opened for reading."""

from bri_qa.index.build import Change, Planned, build, plan
from bri_qa.index.embedded import EmbeddedIndex
from bri_qa.index.manifest import Identity, Manifest

__all__ = ["Change", "EmbeddedIndex", "Identity", "Manifest", "Planned", "build", "plan"]
