from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bri_qa.answer import SpeakersAnswerer
from bri_qa.answer.speech import voices
from bri_qa.types import AbstainReason, Draft, Question
from tests.articles import articles, hits_of, whole


def _list(*keys: str) -> Draft:
    hits = [whole(articles()[key].text, key) for key in keys]
    return SpeakersAnswerer().answer(Question("Who is quoted?"), "Who is quoted?", hits)


def _told(draft: Draft) -> list[tuple[str, int]]:
    return [(item.text, len(item.quotes)) for item in draft.statements]


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("“We built it,” said Mara Oduya, the harbour master.", ["Mara Oduya, the harbour master"]),
        ("“We built it,” said the harbour master, Mara Oduya.", ["Mara Oduya"]),
        ('"It works," said the mayor of New York, Ana Lopez.', ["Ana Lopez"]),
        ("Tomas Reiner, who owns the market, said that it stays.", ["Tomas Reiner, who owns the market"]),
        ("Harbour master Mara Oduya said no.", ["Mara Oduya"]),
        ("Yesterday Mara Oduya told reporters that it was late.", ["Mara Oduya"]),
        ("But Mr. Smith said no.", ["Mr. Smith"]),
        (
            "According to Dr. Anne-Marie O'Brien, head of the ward, it began.",
            ["Dr. Anne-Marie O'Brien, head of the ward"],
        ),
        ("“We stopped,” Prof. Jean-Luc de la Fontaine explained.", ["Prof. Jean-Luc de la Fontaine"]),
        ("“Nobody counts,” wrote its chairman, Kofi A. Mensah, in a letter.", ["Kofi A. Mensah"]),
        ("Sheikh Khalid al-Rashid, 54, has repeatedly said so.", ["Sheikh Khalid al-Rashid"]),
        (
            "Ursula von der Leyen, President of the Union, said it is open.",
            ["Ursula von der Leyen, President of the Union"],
        ),
        ("Chen Gang and Guo Xuejun said that they agree.", ["Chen Gang", "Guo Xuejun"]),
        ("J. R. R. Tolkien wrote that the road goes on.", ["J. R. R. Tolkien"]),
        ("Lena Hart of the Weather Office said it would rain.", ["Lena Hart of the Weather Office"]),
        ("On Monday, the head of the firm, Sam Poe, said it was late.", ["Sam Poe"]),
        ("Mara Oduya, the harbour opened again, and Tomas Reiner said no.", ["Tomas Reiner"]),
        ('"This is big," Lena Hart, speaking in London, said.', ["Lena Hart"]),
        ("Mara Oduya: “We are late.”", ["Mara Oduya"]),
        ("“We are late.” — Mara Oduya, harbour master", ["Mara Oduya, harbour master"]),
        ("The World Bank said growth would slow.", ["The World Bank"]),
        ("The Department of Health and Social Care said it would wait.", ["The Department of Health and Social Care"]),
        ("The Patients' Association, however, warned that it is wrong.", ["The Patients' Association"]),
        ("Then the Ministry of Foreign Affairs announced it.", ["Ministry of Foreign Affairs"]),
    ],
)
def test_who_speaks_in_a_sentence(sentence: str, found: list[str]) -> None:
    assert [item.name + item.office for item in voices(sentence)] == found


@pytest.mark.parametrize(
    "sentence",
    [
        "He told Mara Oduya that it was late.",
        "It said that in Hong Kong the rain fell.",
        "The report said that it was late.",
        "She said that Lena Hart was late.",
        "Lena Hart's brother said no.",
        "Mara Oduya walked home.",
        "World Bank Warns Of Slow Growth As Mara Oduya Says No",
        "nobody said anything",
        "“We are late.”",
        "",
    ],
)
def test_who_does_not_speak(sentence: str) -> None:
    assert voices(sentence) == []


def test_each_speaker_is_listed_once_with_the_office_and_every_quote() -> None:
    draft = _list("harbour")
    assert _told(draft) == [
        ("Mara Oduya, the harbour master.", 2),
        ("Tomas Reiner, who owns the fish market.", 1),
        ("Coast Fund.", 1),
    ]
    quotes = [quote.text for quote in draft.statements[0].quotes]
    assert quotes[0].startswith("“We built it for the fishing boats first,”")
    assert quotes[1].startswith("Yesterday Oduya told reporters")


def test_titles_hyphens_and_organisations() -> None:
    assert _told(_list("clinic")) == [
        ("Ministry of Health.", 1),
        ("Dr. Anne-Marie O'Brien, head of the children's ward.", 2),
        ("Prof. Jean-Luc de la Fontaine.", 1),
        ("Nurse Pia Lindqvist.", 1),
        ("The Vale Patients' Association.", 1),
        ("Kofi A. Mensah.", 1),
    ]


def test_one_person_in_two_articles_is_one_speaker() -> None:
    told = dict(_told(_list("harbour", "notices/ferry")))
    assert told["Mara Oduya, the harbour master."] == 3
    passages = {quote.passage_id for item in _list("harbour", "notices/ferry").statements for quote in item.quotes}
    assert passages == {"harbour#0", "notices/ferry#0"}


def test_a_surname_is_no_person_of_another_article() -> None:
    hits = hits_of("“Yes,” said Mara Oduya.", "Oduya said that another one came.")
    assert _told(SpeakersAnswerer().answer(Question("?"), "?", hits)) == [("Mara Oduya.", 1)]


def test_an_office_told_later_leads_with_the_sentence_that_tells_it() -> None:
    hits = hits_of("Mara Oduya said nothing. Oduya, the harbour master, added that it was late. Mara Oduya said yes.")
    (statement,) = SpeakersAnswerer().answer(Question("?"), "?", hits).statements
    assert statement.text == "Mara Oduya, the harbour master."
    assert [item.text[:12] for item in statement.quotes] == ["Oduya, the h", "Mara Oduya s", "Mara Oduya s"]


def test_at_most_three_quotes_a_speaker_and_twelve_speakers() -> None:
    many = " ".join(f"Mara Oduya said {n} kind words." for n in range(9))
    letters = "ABCDEFGHIJKLMNOPQRST"
    crowd = " ".join(f"Mara Odu{letter.lower()}a said that it was late." for letter in letters)
    assert _told(SpeakersAnswerer().answer(Question("?"), "?", hits_of(many))) == [("Mara Oduya.", 3)]
    assert len(SpeakersAnswerer().answer(Question("?"), "?", hits_of(crowd)).statements) == 12


def test_where_nobody_is_quoted_it_says_so() -> None:
    draft = _list("bread")
    assert (draft.reason, draft.message) == (
        AbstainReason.NOT_STATED,
        "I found nobody quoted by name in these articles.",
    )


_PIECES = st.sampled_from(
    "Aa Bb-Cc O'D Dr. said , . “ ” \" the of and: told according to — ( ) de al- also 54 harbour \u0301 中国说".split(
        " "
    )
)


@settings(deadline=None)
@given(st.lists(_PIECES, max_size=60).map(" ".join))
def test_names_are_cut_from_the_sentence(sentence: str) -> None:
    plain = " ".join(sentence.split())
    for voice in voices(sentence):
        assert voice.name and voice.name in plain and voice.office in plain


@pytest.mark.parametrize(
    "piece", ["Aa Bb Cc, ", "A ", "Said said, ", 'said "', "Ab said the a, ", "A. ", "(", "“Aa” — "]
)
def test_hostile_sentences_take_no_time_that_grows_wild(piece: str) -> None:
    sentence = (piece * (4_000 // len(piece)) + "said no.")[:4_096]
    start = time.process_time()
    voices(sentence)
    assert time.process_time() - start < 3
