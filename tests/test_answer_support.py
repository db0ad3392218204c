from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.answer.amounts import amounts, dates, written_out
from bri_qa.answer.support import invented, names_of, unsupported
from bri_qa.answer.wording import content
from tests.articles import articles, sentence_texts

TRAIN = (
    "As of June 2025 the freight train has been launched 112,000 times, reaching 229 cities in 26 European countries."
)
SHARE = "Trade with partners of the Belt and Road Initiative made up 3.6% of the total, Ms. Chen of Shanghai said."
QUAY = "The new quay is 640 metres long and takes three ships at a time."
LAMP = "The lighthouse was not repaired."
DARK = "Its lamp has been dark since the storm, and nobody has said when it will be lit."
COST = "The repairs cost 48 million crowns, of which the town paid a third."
OPENED = "After two years of repairs the harbour of Lindum opened again on 4 March 2024."
COLD = "The water fell to -5 degrees, but the ferry never stopped."


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("The train reaches 229 cities in 26 countries.", TRAIN),
        ("It reaches twenty-six European countries.", TRAIN),
        ("The freight train was launched 112 thousand times.", TRAIN),
        ("The freight train was launched 112000 times by June 2025.", TRAIN),
        ("Partners of the BRI made up 3.6 percent of the total.", SHARE),
        ("Chen's partners in Shanghai made up 3.6 % of the trade.", SHARE),
        ("The quay takes 3 ships.", QUAY),
        ("The lighthouse was not repaired.", LAMP),
        ("The lighthouse wasn't repaired.", LAMP),
        ("The lamp has been dark since the storm.", DARK),
        ("Nobody has said when the lamp will be lit.", DARK),
        ("The repairs cost 48,000,000 crowns.", COST),
        ("A third of the 48 million crowns was paid by the town.", COST),
        ("Lindum's harbour opened on March 4, 2024.", OPENED),
        ("The harbour opened again on 2024-03-04 after 2 years.", OPENED),
        ("Repairs of the harbour took two years.", OPENED),
        ("The water fell to −5 degrees.", COLD),
        ("The ferry never stopped.", COLD),
    ],
)
def test_what_the_quote_says_in_other_words_stands(text: str, quote: str) -> None:
    assert unsupported(text, [quote]) is None


@pytest.mark.parametrize(
    ("text", "quote", "reason"),
    [
        ("The train reaches 230 cities.", TRAIN, "the number 230"),
        ("The train reaches 26 cities in 229 countries.", TRAIN, "do not count"),
        ("The train reaches over 229 cities.", TRAIN, "“over”"),
        ("The train reaches most of the 229 cities.", TRAIN, "“most”"),
        ("Partners made up 3.6 of the total trade.", SHARE, "the number 3.6"),
        ("Partners made up 36% of the total trade.", SHARE, "the number 36%"),
        ("Partners in Beijing made up 3.6% of the total.", SHARE, "the name Beijing"),
        ("Beijing partners made up 3.6% of the total trade.", SHARE, "the name Beijing"),
        ("Partners of the G20 made up 3.6% of the total.", SHARE, "G20"),
        ("The lighthouse was repaired.", LAMP, "its quotes deny it"),
        ("The quay is not long and takes no ships at a time, never.", QUAY, "denies"),
        ("The lamp will be lit.", DARK, "its quotes deny it"),
        ("The repairs cost 48 crowns.", COST, "the number 48"),
        ("The repairs cost 48 billion crowns.", COST, "the number 48 billion"),
        ("The town paid half of the crowns.", COST, "“half”"),
        ("The harbour opened on 4 May 2024.", OPENED, "the date 4 May"),
        ("The harbour opened on 2 March 2024.", OPENED, "2 March"),
        ("The harbour opened in March 2023.", OPENED, "the number 2023"),
        ("The water fell to 5 degrees.", COLD, "the number 5"),
        ("The ferry stopped.", COLD, "deny"),
        ("The quay is a marvel of beauty and ancient craft.", QUAY, "too few"),
        ("It is.", QUAY, "says nothing"),
        ("The new quay opposes three ships at a time.", QUAY, "“opposes”"),
        ("The former chairman is Berg.", "The chairman is Berg, a former mayor.", "“former chairman”"),
        ("The new quay is 640 metres long and the new quay is 640 metres long.", QUAY, "repeats itself"),
        ("the new quay is 640", QUAY.lower(), "no full sentence"),
        ("The new quay is 640 metres long. http://a.example", QUAY, "link"),
        ("The new quay is [640](x) metres long", QUAY, "link"),
        ("The new quay is <b>640 metres</b> long", QUAY, "markup"),
        ("The new quay is 640 metres lo\u200bng", QUAY, "hidden"),
    ],
)
def test_what_the_quote_does_not_say_is_named(text: str, quote: str, reason: str) -> None:
    assert reason in (unsupported(text, [quote]) or "it stood")


def test_each_part_may_stand_in_another_quote() -> None:
    text = "The harbour opened on 4 March 2024 and the repairs cost 48 million crowns."
    assert unsupported(text, [OPENED, COST]) is None
    assert unsupported(text, [OPENED]) == "the number 48 million is not in its quotes"


def test_a_name_of_the_passages_is_one_however_it_is_written() -> None:
    known = names_of([OPENED, "They said that Sor was near.", SHARE])
    assert {"lindum", "sor", "shanghai"} <= known and "the" not in known and "after" not in known
    assert unsupported("The quay of lindum takes three ships at a time.", [QUAY]) is None
    assert (
        unsupported("The quay of lindum takes three ships at a time.", [QUAY], known)
        == "the name lindum is not in its quotes"
    )


def test_scripts_without_word_bounds_are_compared_by_pairs_of_characters() -> None:
    quote = "中欧班列累计开行11.2万列，通达欧洲26个国家229个城市。"
    assert unsupported("中欧班列通达欧洲26个国家", [quote]) is None
    assert unsupported("中欧班列通达亚洲38个国家", [quote]) == "the number 38 is not in its quotes"
    assert unsupported("上海港口吞吐量创新高", [quote]) == "too few of its words are in its quotes"
    assert "班列" in content(quote)


def test_what_is_invented_is_named() -> None:
    said = ["How long is the quay of Lindum?", "640 metres."]
    assert invented("How long is the quay of Lindum, 640 metres?", said) is None
    assert invented("How long is the quay of Sor?", said) == "the name Sor is not in its quotes"
    assert invented("Is the quay 900 metres long?", said) == "the number 900 is not in its quotes"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("112,000 and 1.5 million", ["112000", "1500000"]),
        ("48m, $3bn and 20k", ["48000000", "3000000000", "20000"]),
        ("11.2万列", ["112000"]),
        ("3,5 litres", ["3.5"]),
        ("10 per cent, 3 percentage points", ["10%", "3%"]),
        ("the 21st, the 1990s", ["21", "1990"]),
        ("one hundred and twelve thousand", ["112000"]),
        ("ninety-nine to -4", ["99", "-4"]),
        ("2013-2023", ["2013", "2023"]),
        ("version 1.2.3 of G20 on COVID-19", ["1.2.3"]),
        ("thousands of ships", []),
        ("a new one, one after another, and one ship", ["1"]),
    ],
)
def test_numbers_are_read_however_they_are_written(text: str, found: list[str]) -> None:
    assert list(amounts(written_out(text))) == found


def test_dates_are_read_however_they_are_written() -> None:
    for text in ("4 March 2024", "March 4, 2024", "2024-03-04", "the 4th of Mar. 2024"):
        assert dates(written_out(text)) == {"4 March", "March 2024"}, text
    assert dates(written_out("2024-99-04")) == set()


def test_every_sentence_stands_in_itself() -> None:
    for item in articles().values():
        for text in sentence_texts(item.text):
            assert unsupported(" ".join(text.split()), [text]) in (None, "it says nothing"), text


@given(text=st.text(max_size=80), quotes=st.lists(st.text(max_size=80), max_size=3))
def test_hostile_words_break_nothing(text: str, quotes: list[str]) -> None:
    reason = unsupported(text, quotes)
    assert reason is None or reason
