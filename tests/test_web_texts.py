from __future__ import annotations

import re
from pathlib import Path

import pytest

from bri_qa.history import Reason
from bri_qa.types import AbstainReason
from bri_qa.web import texts

ENGLISH, CHINESE = texts.of(texts.ENGLISH), texts.of(texts.CHINESE)
WEB = Path(texts.__file__).parent


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    assert list(ENGLISH.words) == list(CHINESE.words)
    for key, words in ENGLISH.words.items():
        assert set(re.findall(r"{\w+}", words)) >= set(re.findall(r"{\w+}", CHINESE.words[key])), key
        assert CHINESE.words[key].strip(), key


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, None, "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        (None, "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (None, "fr,zh;q=0.3,en;q=0.7", "en"),
        (None, "de, fr", "en"),
        (None, "zh;q=0, de", "en"),
        (None, "zh;q=x,;;;,en", "en"),
        ("zh-Hans", "en", "zh-Hans"),
        ("en", "zh", "en"),
        ("../../etc", "zh", "zh-Hans"),
    ],
)
def test_the_language_is_the_readers_choice_then_the_browsers(
    cookie: str | None, accepted: str | None, language: str
) -> None:
    assert texts.chosen(cookie, accepted).language == language


def test_what_is_counted_is_said_as_people_say_it() -> None:
    assert ENGLISH.count("articles", 1) == "1 article"
    assert ENGLISH.count("articles", 1_234) == "1,234 articles"
    assert CHINESE.count("foot.quotes", 2) == "2 条引文"


def test_every_text_that_code_names_exists() -> None:
    """`t("…")` in scripts, `texts("…")` in Python, `@@…@@` for Gradio; those made of parts are listed here."""
    named = set()
    for file in [*WEB.glob("*.py"), *WEB.glob("static/*.js")]:
        source = file.read_text(encoding="utf-8")
        named |= set(re.findall(r"""\bt(?:exts)?\(["']([a-z_.]+)["']""", source))
        named |= set(re.findall(r"@@([a-z.]+)@@", source)) - {"key"}
        for key in re.findall(r"""(?:counted|count)\(["']([a-z_.]+)["']""", source):
            named |= {f"{key}.one", f"{key}.other"}
    named |= {f"reason.{reason}" for reason in Reason}
    named |= {f"abstain.{reason}" for reason in AbstainReason if reason is not AbstainReason.SMALL_TALK}
    assert len(named) > 100
    assert named - set(ENGLISH.words) == set()
