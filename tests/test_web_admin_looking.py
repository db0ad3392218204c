from __future__ import annotations

import os
from pathlib import Path

import pytest

from bri_qa import compose
from bri_qa.errors import CorpusError
from bri_qa.settings import Settings
from bri_qa.web.admin.looking import Look

LONG_AGO = 1_700_000_000  # seconds since 1970


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    corpus = tmp_path / "corpus"
    (corpus / "old").mkdir(parents=True)
    (corpus / "bread.txt").write_text("Bread\nBread needs an hour in the oven.\n")
    (corpus / "old" / "salt.txt").write_text("Salt\nSalt comes from the sea.\n")
    return Settings.load({}, corpus_dir=corpus, index_dir=tmp_path / "index", embedding_model="hashing")


def _age(settings: Settings) -> None:
    """As if all had been written long ago."""
    for folder in (settings.corpus_dir, settings.index_dir):
        for path in [*folder.rglob("*")]:
            os.utime(path, (LONG_AGO, LONG_AGO))


def test_what_nobody_wrote_to_is_not_read_again(settings: Settings) -> None:
    _age(settings)
    look = Look(settings)
    assert [item.path for item in look.now().articles] == ["bread.txt", "old/salt.txt"]
    assert look.now() is look.now()


def test_a_written_file_is_seen_at_once(settings: Settings) -> None:
    _age(settings)
    look = Look(settings)
    look.now()
    bread = settings.corpus_dir / "bread.txt"
    bread.write_text("Bread\nBread needs an hour in the over.\n")  # as long as it was
    assert "over" in look.now().articles[0].document.text
    bread.write_text("Bread\nBread needs two hours in the oven.\n")
    assert "two" in look.now().articles[0].document.text
    (settings.corpus_dir / "old" / "salt.txt").unlink()
    assert [item.path for item in look.now().articles] == ["bread.txt"]


def test_a_new_index_is_seen_at_once(settings: Settings) -> None:
    _age(settings)
    look = Look(settings)
    assert {item.state for item in look.now().articles} == {"added"}
    compose.refresh(settings).run()
    assert {item.state for item in look.now().articles} == {"unchanged"}
    assert len(look.now().indexed) == 2


def test_a_folder_that_is_gone_is_told_every_time(settings: Settings, tmp_path: Path) -> None:
    _age(settings)
    look = Look(settings)
    look.now()
    settings.corpus_dir.rename(tmp_path / "elsewhere")
    for _ in range(2):
        with pytest.raises(CorpusError):
            look.now()
