"""Numbers, names and dates of a statement against its quotes."""

from __future__ import annotations

import pytest

from bri_qa.evaluation.figures import canonical, dates, numbers
from bri_qa.evaluation.statements import unproven

STANDS = [
    ("It reached 112,000 trains.", "112 000 trains"),
    ("It reached 112,000 trains.", "112\u202f000 trains"),
    ("It reached 112,000 trains.", "112000 trains"),
    ("It reached 112,000 trains.", "112'000 trains"),
    ("It reached 112,000 trains.", "112.000 trains"),
    ("It ran 112 thousand times.", "it ran 112,000 times"),
    ("It cost 1.5 million.", "1,500,000 crowns"),
    ("It cost 2.5bn.", "2.5 billion"),
    ("It has forty-eight boats.", "48 boats"),
    ("It has 206 boats.", "two hundred and six boats"),
    ("It has three million boats.", "3,000,000 boats"),
    ("It rose by 5%.", "by five per cent"),
    ("It rose by 5.5 percent.", "5.5 %"),
    ("It was 12.50.", "12.5"),
    ("It was 0.5.", "0,5"),
    ("It was 1,234.5.", "1.234,5"),
    ("The 3rd quay opened.", "the third quay"),
    ("It has 640 m of quay.", "640 metres"),
    ("It took 26 229 steps.", "26 towns and 229 cities"),
    ("It has ３４ boats.", "34 boats"),
    ("It has ٣٤ boats.", "34 boats"),
    ("It opened in July 2025.", "by 2025-07 it had opened"),
    ("It opened in July 2025.", "on 4 July 2025"),
    ("It opened in July 2025.", "in 2025, on 4 July"),
    ("It opened in 2025.", "on 4 July 2025"),
    ("It opened in 2025.", "opened on 2025-07-04"),
    ("It opened on 3 May 2024.", "on May 3rd, 2024"),
    ("It opened on 3 May 2024.", "on 3.5.2024"),
    ("It opened on 3 May 2024.", "5/3/2024"),
    ("It opened on 3 May.", "the 3rd of May, 2024"),
    ("It opened in Sept. 2024.", "September 2024"),
    ("It opened in May.", "on 3 May 2024"),
    ("It opened on 4 July 2025.", "2025年7月4日"),
    ("It is owned by Tomas Reiner.", "TOMAS REINER owns it"),
    ("It is owned by Tomas Reiner.", "Reiner (first name Tomas) owns it"),
    ("Tomas Reiner's boats sailed.", "the boats of Tomas Reiner"),
    ("The singer Beyoncé came.", "beyonce came"),
    ("The EU agreed.", "the European Union agreed"),
    ("They met the European Union.", "the EU met them"),
    ("They met the United States of America.", "the USA met them"),
    ("They met the U.S. envoy.", "the US envoy"),
    ("It joined the China-Europe line.", "a line of Europe and China"),
    ("They paid US$48 million.", "48 million"),
]
LACKS = [
    ("It reached 112,000 trains.", "112,001 trains", ["112,000"]),
    ("It reached 112,000 trains.", "many trains", ["112,000"]),
    ("It has 15 boats.", "1,5 boats", ["15"]),
    ("It has 1500 boats.", "1,50 boats", ["1500"]),
    ("It cost 48 million.", "48 crowns", ["48 million"]),
    ("It rose by 5%.", "5 people", ["5%"]),
    ("It has forty boats.", "48 boats", ["forty"]),
    ("It opened on 4 July 2025.", "in July 2025", ["4 July 2025"]),
    ("It opened on 4 July 2025.", "4 July", ["4 July 2025"]),
    ("It opened in July 2025.", "2025-08", ["July 2025"]),
    ("It opened in 2025.", "2024", ["2025"]),
    ("It is owned by Tomas Reiner.", "Mr Reiner owns it", ["Tomas Reiner"]),
    ("Tomas Reiner owns it.", "Mara Reiner owns it", ["Tomas Reiner"]),
    ("They met the EU.", "they met", ["EU"]),
    ("In 2024 Mara Oduya sold 3 boats.", "boats were sold", ["2024", "3", "Mara Oduya"]),
]
NOTHING = ["It is long.", "One may march on.", "Boats are wood.", "THE QUAY IS LONG", "“We came,” she said. They left."]


@pytest.mark.parametrize(("statement", "quote"), STANDS)
def test_what_stands_in_the_quote_in_other_writing_is_proven(statement: str, quote: str) -> None:
    assert unproven(statement, [quote]) == []


@pytest.mark.parametrize(("statement", "quote", "lacking"), LACKS)
def test_what_does_not_stand_in_the_quote_is_named(statement: str, quote: str, lacking: list[str]) -> None:
    assert sorted(unproven(statement, [quote]) or []) == sorted(lacking)


@pytest.mark.parametrize("statement", NOTHING)
def test_a_statement_with_no_number_name_or_date_is_not_judged(statement: str) -> None:
    assert unproven(statement, [""]) is None


def test_quotes_prove_together() -> None:
    assert unproven("Mara Oduya sold 3 boats.", ["Mara Oduya sold boats", "3 of them"]) == []


@pytest.mark.parametrize(("statement", "quote"), [(text, text) for text, _ in STANDS])
def test_a_statement_proves_itself(statement: str, quote: str) -> None:
    assert not unproven(statement, [quote])


def test_figures_are_found_whole() -> None:
    text = canonical("COVID-19 rose by 3.5 % from 1,200 (2,000 in March 2021), G20 and km2 aside.")
    assert [(item.words, item.percent) for item in numbers(text)] == [
        ("19", False),
        ("3.5 %", True),
        ("1,200", False),
        ("2,000", False),
        ("2021", False),
    ]
    assert [date.words for _, _, date in dates(text)] == ["March 2021"]


@pytest.mark.parametrize("text", ["0000-00-00", "99/99/9999", "31.31.2020", "year 12345-67", "٣/٣/٢٠٢٠", "1" * 5_000])
def test_what_is_no_date_is_no_error(text: str) -> None:
    assert unproven(text, [text]) in ([], None)
