"""What is said of an article: in its front matter, and in sources.csv."""

from __future__ import annotations

from pathlib import Path

import pytest

from bri_qa.corpus import Corpus, load
from bri_qa.corpus.metadata import FRONT_KEYS, split_front_matter
from bri_qa.corpus.records import Unusable
from bri_qa.types import Source

MAX = 10_000
FULL = """---
id: gazette/harbour
title: "The harbour: open again"
publisher: 'Lindum  Gazette'
published: 2024-03-05
url: https://gazette.example/harbour
language: no
licence: CC BY 4.0
---
The text.
"""


def _load(folder: Path, **files: str) -> Corpus:
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content)
    return load(folder, MAX)


def _reasons(corpus: Corpus) -> list[tuple[str, str]]:
    return [(one.path, one.reason) for one in corpus.rejected]


def test_front_matter_says_all_that_is_known_of_a_source(tmp_path: Path) -> None:
    (document,) = _load(tmp_path, a_txt=FULL).documents
    assert (document.id, document.text) == ("gazette/harbour", "The text.\n")
    assert document.source == Source(
        "The harbour: open again", "Lindum Gazette", "2024-03-05", "https://gazette.example/harbour", "no", "CC BY 4.0"
    )


@pytest.mark.parametrize(
    ("front", "values"),
    [
        ("", {}),
        ("# only a comment\n", {}),
        ("title:\npublisher: ~\nlanguage: null\n", {}),
        ('title: "null"\n', {"title": "null"}),
        ("published: 2025\n", {"published": "2025"}),
        ("published: 2025-02\n", {"published": "2025-02"}),
        ("title: yes\nlanguage: 007\n", {"title": "yes", "language": "007"}),
        ("title: |\n  two\n  lines\n", {"title": "two lines"}),
        ("title: cafe\u0301\n", {"title": "café"}),
        ("id: 中文/报道-1\n", {"id": "中文/报道-1"}),
    ],
)
def test_values_stay_the_words_in_the_file(front: str, values: dict[str, str]) -> None:
    assert split_front_matter(f"---\n{front}---\nText") == (values, "Text")
    assert split_front_matter(f"--- \t\n{front}...\nText") == (values, "Text")


@pytest.mark.parametrize(
    "text", ["Text\n---\ntitle: x\n---\n", "----\nText", " ---\ntitle: x\n---\n", "--- title\n", ""]
)
def test_text_without_front_matter_is_left_alone(text: str) -> None:
    assert split_front_matter(text) == ({}, text)


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("author: x\n", r"front matter, line 2: unknown key 'author'; known keys: id, title"),
        ("title: x\nTitle: y\n", r"front matter, line 3: unknown key 'Title'"),
        ("title: x\n\ntitle: y\n", r"front matter, line 4: title is set a second time"),
        ("title: [a, b]\n", r"front matter, line 2: title is not one value"),
        ("title: {a: b}\n", r"front matter, line 2: title is not one value"),
        ("? [a]\n: b\n", r"front matter, line 2: unknown key '\(not a word\)'"),
        ("title: a: b\n", r"front matter: bad YAML on line 2"),
        ('language: en\ntitle: "x\n', r"front matter: bad YAML on line \d"),
        ("title: *gone\n", r"front matter: bad YAML on line 2"),
        ("- a\n- b\n", r"front matter: not `key: value` lines"),
        ("Once upon a time\n", r"front matter: not `key: value` lines"),
        ("title: " + "[" * 5_000 + "\n", r"front matter: bad YAML"),
        (
            "published: yesterday\n",
            r"front matter, line 2: published is 'yesterday'; write YYYY, YYYY-MM or YYYY-MM-DD",
        ),
        ("published: 2025-13\n", r"published is '2025-13'"),
        ("published: 2025-02-30\n", r"published is '2025-02-30'"),
        ("published: 2025-2-3\n", r"published is '2025-2-3'"),
        ("published: 0000\n", r"published is '0000'"),
        ("published: ２０２５\n", r"published is '２０２５'"),
        (
            "url: javascript:alert(1)\n",
            r"front matter, line 2: url is 'javascript:alert\(1\)'; write one that starts with",
        ),
        ("url: //host/x\n", r"url is '//host/x'"),
        ("id: ../up\n", r"front matter, line 2: id is '../up'"),
        ("id: /root\n", r"id is '/root'"),
        ("id: a//b\n", r"id is 'a//b'"),
        ("id: a b\n", r"id is 'a b'"),
        ("id: <b>\n", r"id is '<b>'"),
        ("id: " + "x" * 201 + "\n", r"id is 'x{40}'; .*at most 200"),
        ('title: "a\\x07b"\n', r"front matter, line 2: title holds a control character"),
        ("title: x\n", r"never closed"),
    ],
)
def test_front_matter_that_cannot_be_used_says_the_line_and_what_to_do(front: str, reason: str) -> None:
    end = "" if reason == "never closed" else "---\n"
    with pytest.raises(Unusable, match=reason) as caught:
        split_front_matter(f"---\n{front}{end}Text")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_bad_front_matter_stops_no_other_file(tmp_path: Path) -> None:
    corpus = _load(tmp_path, a_txt="---\nauthor: x\n---\nText", b_txt="Bee", c_md="---\nid: b\n---\nSea")
    assert [one.id for one in corpus.documents] == ["b"]
    assert [path for path, _ in _reasons(corpus)] == ["a.txt", "c.md"]
    assert _reasons(corpus)[1][1].startswith("its id 'b' is taken by b.txt; rename it, or set an id")


SOURCES = "path,title,publisher,published,url,language,licence\n"


def test_sources_csv_speaks_for_articles_and_front_matter_wins_key_by_key(tmp_path: Path) -> None:
    lines = '"a.txt","The ""Belt"", a title",Gazette,2025,,en,\n\n./b.txt , Bee ,Gazette,,https://x.example,,CC0\n'
    corpus = _load(tmp_path, sources_csv=SOURCES + lines, a_txt="Text", b_txt="---\ntitle: Front\n---\nMore")
    assert corpus.rejected == ()
    assert [one.source for one in corpus.documents] == [
        Source('The "Belt", a title', "Gazette", "2025", None, "en", None),
        Source("Front", "Gazette", None, "https://x.example", None, "CC0"),
    ]


def test_sources_csv_as_a_spreadsheet_saves_it(tmp_path: Path) -> None:
    (tmp_path / "sources.csv").write_bytes(b'\xef\xbb\xbftitle,path\r\n"two\r\nlines",a.txt\r\n')
    corpus = _load(tmp_path, a_txt="Text")
    assert (corpus.rejected, corpus.documents[0].source) == ((), Source("two lines"))


def test_a_bad_line_rejects_its_article_and_no_other(tmp_path: Path) -> None:
    lines = "a.txt,A,,2025-99,,,\nb.txt,B,,,,,,surplus\nc.txt,C,,,,,\nc.txt,C2,,,,,\ngone.txt,G,,,,,\n,no path,,,,,\n"
    corpus = _load(tmp_path, sources_csv=SOURCES + lines, a_txt="Ay", b_txt="Bee", c_txt="Sea", d_txt="Dee")
    assert [(one.id, one.source.title) for one in corpus.documents] == [("c", "C"), ("d", "Dee")]
    assert _reasons(corpus) == [
        ("a.txt", "sources.csv, line 2: published is '2025-99'; write YYYY, YYYY-MM or YYYY-MM-DD"),
        ("b.txt", "sources.csv, line 3: more cells than columns; put a value with commas in double quotes"),
        ("sources.csv", "line 5 names c.txt a second time; keep one"),
        ("sources.csv", "line 6 names gone.txt, which is not in the folder; correct or remove it"),
        ("sources.csv", "line 7 names no file; write its path or remove the line"),
    ]


def test_a_short_line_without_its_path_is_reported(tmp_path: Path) -> None:
    corpus = _load(tmp_path, sources_csv="title,path\nonly a title\nAy,a.txt\n", a_txt="Text")
    assert [one.source.title for one in corpus.documents] == ["Ay"]
    assert _reasons(corpus) == [("sources.csv", "line 2 names no file; write its path or remove the line")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "line 1: write the columns path,title,publisher,published,url,language,licence"),
        ("title,publisher\nx,y\n", "line 1: write the columns"),
        ("path,author\na.txt,x\n", "line 1: write the columns"),
        ("path,title,title\na.txt,x,y\n", "line 1: write the columns"),
        ("path;title\na.txt;x\n", "line 1: write the columns"),
        ('path,title\na.txt,"open\n', "not CSV: "),
        ("path,title\na.txt,\x1b\n", "binary: control character U+001B on line 2"),
        ("path,title\na.txt," + "x" * MAX, "larger than 10,000 bytes"),
    ],
)
def test_a_sources_csv_that_cannot_be_used_is_reported_and_stops_no_article(
    tmp_path: Path, content: str, reason: str
) -> None:
    corpus = _load(tmp_path, sources_csv=content, a_txt="Ay")
    assert [one.source for one in corpus.documents] == [Source("Ay")]
    ((path, why),) = _reasons(corpus)
    assert (path, why.startswith(reason)) == ("sources.csv", True)


@pytest.mark.parametrize(
    ("value", "groups"),
    [
        ("board", ("board",)),
        ("press, board , press", ("board", "press")),
        ("[press, 2.a_b-c]", ("2.a_b-c", "press")),
        ("\n  - board\n  - '1'", ("1", "board")),
        ("1", ("1",)),
        ("no", ("no",)),
        ("", ()),
        ("~", ()),
    ],
)
def test_groups_say_who_may_read(tmp_path: Path, value: str, groups: tuple[str, ...]) -> None:
    corpus = _load(tmp_path, a_txt=f"---\ngroups: {value}\n---\nText")
    assert [one.source.groups for one in corpus.documents] == [groups]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("Board", "line 2: groups has 'Board'; write names of a-z, 0-9 and . _ - with commas between"),
        ("board,,press", "line 2: groups has ''; write names"),
        ("','", "line 2: groups has ''; write names"),
        ("a b", "line 2: groups has 'a b'; write names"),
        ("x" * 65, "line 2: groups has 'xxx"),
        ("[]", "line 2: groups is not a list of names; write groups: [board, press]"),
        ("['a,b']", "line 2: groups is not a list of names"),
        ("[a, [b]]", "line 2: groups is not a list of names"),
        ("['']", "line 2: groups is not a list of names"),
        ("{a: b}", "line 2: groups is not one value"),
    ],
)
def test_a_slip_in_groups_rejects_the_article(tmp_path: Path, value: str, reason: str) -> None:
    corpus = _load(tmp_path, a_txt=f"---\ngroups: {value}\n---\nText", b_txt="Bee")
    assert [one.id for one in corpus.documents] == ["b"]
    assert _reasons(corpus)[0][1].startswith(f"front matter, {reason}")


def test_groups_of_sources_csv_hold_unless_the_front_matter_names_some(tmp_path: Path) -> None:
    lines = 'a.txt,"press, board"\nb.txt,board\nc.txt,\nd.txt,Board\n'
    texts = {"a_txt": "Ay", "b_txt": "---\ngroups: press\n---\nBee", "c_txt": "Sea", "d_txt": "Dee"}
    corpus = _load(tmp_path, sources_csv=f"path,groups\n{lines}", **texts)
    assert [(one.id, one.source.groups) for one in corpus.documents] == [
        ("a", ("board", "press")),
        ("b", ("press",)),
        ("c", ()),
    ]
    assert _reasons(corpus)[0][1].startswith("sources.csv, line 5: groups has 'Board'")


@pytest.mark.parametrize(
    "content",
    [
        "path;groups\na.txt;x\n",
        "path,groups\na.txt,\x1b\n",
        'path,groups\na.txt,"x\n',
        "path,groups\na.txt,x" + "x" * MAX,
        "path,groups\na.txt,\na.txt,x\n",
        "path,Groups\na.txt,x\n",
    ],
)
def test_where_nobody_knows_who_may_read_an_article_it_is_not_indexed(tmp_path: Path, content: str) -> None:
    corpus = _load(tmp_path, sources_csv=content, a_txt="Ay", b_txt="---\ngroups: press\n---\nBee")
    assert [one.id for one in corpus.documents] == ["b"]
    assert "a.txt" in dict(_reasons(corpus))


def test_the_guide_in_the_corpus_folder_names_every_key() -> None:
    guide = (Path(__file__).parents[1] / "corpus" / "README.md").read_text()
    assert [key for key in FRONT_KEYS if f"| `{key}` |" not in guide] == []
    assert "path,title,publisher,published,url,language,licence,groups" in guide
