"""Property tests draw the same examples on every run, and take the time that the machine gives them."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("bri_qa", deadline=None, derandomize=True)
settings.load_profile("bri_qa")
