from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bri_qa.cli import main, run
from tests.articles import IDS, settings_in

QUAY = "The new quay is 640 metres long and takes three ships at a time."


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a corpus, hashed words for vectors and no other setting."""
    settings_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRI_QA_EMBEDDING_MODEL", "hashing")
    monkeypatch.setenv("BRI_QA_READER", "sentences")
    monkeypatch.setenv("BRI_QA_ABSTAIN_BELOW", "0.3")
    return tmp_path


class Told:
    """Runs commands and tells what they print."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = run(arguments)
        out, err = self._capsys.readouterr()
        return code, out, err

    def fine(self, *arguments: str) -> str:
        code, out, err = self(*arguments)
        assert (code, err) == (0, "")
        return out

    def error(self, *arguments: str) -> str:
        """The one line on standard error of a command that fails, without its beginning."""
        code, _, err = self(*arguments)
        assert code == 2 and err.startswith("bri-qa: ") and err.count("\n") == 1 and err.endswith("\n")
        return err[len("bri-qa: ") : -1]


@pytest.fixture
def told(here: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    return Told(capsys)


@pytest.fixture
def indexed(told: Told) -> Told:
    told.fine("index")
    return told


def test_index_tells_what_changes(told: Told, here: Path) -> None:
    assert told.fine("index").splitlines() == [
        "building anew: there is no index yet",
        *[f"added {item}" for item in IDS],
        "0 articles unchanged",
        "the index holds 4 articles in 6 passages",
    ]
    assert told.fine("index").splitlines() == ["4 articles unchanged", "the index holds 4 articles in 6 passages"]
    for name in ("bread.txt", "clinic.md", "ferry.md"):
        (here / "corpus" / name).unlink()
    (here / "corpus" / "empty.txt").touch()
    lines = told.fine("index").splitlines()
    assert lines[0].startswith("rejected empty.txt: empty")
    assert lines[1:5] == ["removed bread", "removed clinic", "removed notices/ferry", "1 article unchanged"]
    assert lines[5].startswith("the index holds 1 article in ")


def test_a_dry_run_writes_nothing(told: Told, here: Path) -> None:
    assert told.fine("index", "--dry-run").splitlines()[-1] == "nothing was written (--dry-run)"
    assert not (here / "index").exists()


def test_index_as_json(told: Told) -> None:
    report = json.loads(told.fine("index", "--json"))
    assert report == {
        "added": IDS,
        "changed": [],
        "removed": [],
        "unchanged": 0,
        "built_anew": "there is no index yet",
        "rejected": [],
        "dry_run": False,
        "documents": 4,
        "passages": 6,
    }
    dry = json.loads(told.fine("index", "--json", "--dry-run"))
    assert (dry["unchanged"], dry["dry_run"], "documents" in dry) == (4, True, False)


def test_an_empty_corpus_is_indexed_and_told_what_it_lacks(told: Told, here: Path) -> None:
    (here / "nothing").mkdir()
    lines = told.fine("index", "--corpus", "nothing", "--index", "elsewhere").splitlines()
    assert lines[-2:] == [
        "the index holds 0 articles in 0 passages",
        "put .txt or .md articles into the corpus folder and run it again",
    ]
    assert "There is no article to search here" in told.fine("ask", "How long is the new quay?", "--index", "elsewhere")


def test_ask_prints_the_answer_with_its_quote_and_place(indexed: Told) -> None:
    out = indexed.fine("ask", "How long is the new quay?")
    assert f"{QUAY} [1]" in out and "harbour, characters " in out and f"“{QUAY}”" in out


def test_ask_abstains_with_success(indexed: Told) -> None:
    assert "These articles do not deal with that." in indexed.fine("ask", "Zebra quilts glow?")
    assert indexed.fine("ask", "hello").startswith("Hello.")


def test_ask_as_json_writes_words_as_they_are(indexed: Told) -> None:
    out = indexed.fine("ask", "--json", "Who built the fishing boats first?")
    answer = json.loads(out)
    assert answer["statements"] and "“We built it" in out
    text = (Path("corpus") / "harbour.txt").read_text(encoding="utf-8")
    for item in answer["citations"]:
        assert item["quote"] == text[item["start"] : item["end"]]


def _stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))


@pytest.mark.parametrize("source", ["-", "batch.jsonl"])
def test_a_batch_is_answered_line_by_line(indexed: Told, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    questions: list[dict[str, Any]] = [
        {"id": at, "question": text} for at, text in enumerate(["hello", "ferry", "quay"])
    ]
    content = "\n".join(json.dumps(item) for item in questions).encode()
    Path("batch.jsonl").write_bytes(content)
    _stdin(monkeypatch, content if source == "-" else b"")
    lines = [json.loads(line) for line in indexed.fine("ask", "--batch", source).splitlines()]
    assert [(item["id"], item["question"]) for item in lines] == [(0, "hello"), (1, "ferry"), (2, "quay")]


@pytest.mark.parametrize(("bad", "said"), [(1, "1 line could not be answered"), (2, "2 lines could not be answered")])
def test_bad_lines_of_a_batch_are_an_error_at_the_end(
    indexed: Told, monkeypatch: pytest.MonkeyPatch, bad: int, said: str
) -> None:
    _stdin(monkeypatch, b"\xff\n" * bad + b'{"id": "\xc3\xa9", "question": "hello"}\n')
    code, out, err = indexed("ask", "--batch", "-")
    assert (code, len(out.splitlines())) == (2, bad + 1)
    assert json.loads(out.splitlines()[-1])["id"] == "é"
    assert err == f"bri-qa: {said}; the output tells why in its place\n"


def _save(indexed: Told, question: str, **changes: Any) -> Path:
    answer = json.loads(indexed.fine("ask", "--json", question))
    for item in answer["citations"]:
        item.update(changes)
    path = Path("answer.json")
    path.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
    return path


def test_verify_recuts_every_quote(indexed: Told) -> None:
    assert indexed.fine("verify", str(_save(indexed, "lighthouse"))) == "1 of 1 quote stand\n".replace(
        "stand", "stands"
    )
    assert indexed.fine("verify", str(_save(indexed, "ferry"))) == "3 of 3 quotes stand\n"
    abstained = _save(indexed, "Zebra quilts glow?")
    assert indexed.fine("verify", str(abstained)) == "the answer abstains: there is no quote to verify\n"


def test_verify_names_a_quote_that_does_not_stand(indexed: Told) -> None:
    code, out, err = indexed("verify", str(_save(indexed, "lighthouse", quote="The lighthouse was well repaired")))
    assert (code, out, err) == (1, "[1] other words stand there\n0 of 1 quote stands\n", "")
    code, out, _ = indexed("verify", str(_save(indexed, "lighthouse", document_id="nowhere")))
    assert (code, out.splitlines()[0]) == (1, "[1] its document is not in the index")


def test_verify_tells_when_the_article_has_changed(indexed: Told, here: Path) -> None:
    saved = _save(indexed, "lighthouse")
    path = here / "corpus" / "harbour.txt"
    path.write_text("A note. " + path.read_text(encoding="utf-8"), encoding="utf-8")
    indexed.fine("index")
    code, out, _ = indexed("verify", str(saved))
    assert (code, out.splitlines()[0]) == (1, "[1] the article has changed and other words stand there now")


CASES = [
    {"id": "a", "question": "How long is the new quay?", "history": [], "answers": ["640 metres"], "kind": "number",
     "evidence": [{"document_id": "harbour", "quote": "The new quay is 640 metres long"}]},
    {"id": "b", "question": "Zebra quilts glow?", "history": [], "answers": [], "evidence": [], "kind": "unanswerable-topic"},
]  # fmt: skip


def test_eval_scores_reports_and_gates(indexed: Told, here: Path) -> None:
    (here / "cases.jsonl").write_text("\n".join(json.dumps(case) for case in CASES), encoding="utf-8")
    (here / "low.json").write_text('{"gates": {"citation_validity": {"min": 1.0}}}', encoding="utf-8")
    (here / "high.json").write_text('{"gates": {"short_answer_rate": {"min": 1.0}}}', encoding="utf-8")
    out = indexed.fine("eval", "--cases", "cases.jsonl", "--baseline", "low.json", "--report", "out")
    assert "citation_validity" in out
    assert {path.name for path in (here / "out").iterdir()} >= {"run.json", "cases.jsonl"}
    code, out, err = indexed("eval", "--cases", "cases.jsonl", "--baseline", "high.json")
    assert (code, err) == (1, "") and "missed gates:\n  short_answer_rate must be at least 1, but is 0" in out
    outcome = json.loads(indexed.fine("eval", "--cases", "cases.jsonl", "--json", "--corpus", "corpus"))
    assert outcome["missed"] == [] and outcome["identity"]["index"]["embedder"] == "hashing"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing command (bri-qa --help tells how)"),
        (["nonsense"], "No such command 'nonsense' (bri-qa --help tells how)"),
        (["ask"], 'give one question in quotes, or --batch FILE: bri-qa ask "How many cities?"'),
        (["ask", "a", "--batch", "b"], 'give one question in quotes, or --batch FILE: bri-qa ask "How many cities?"'),
        (["ask", "How", "many"], "Got unexpected extra argument(s) (many) (bri-qa --help tells how)"),
        (["ask", "hello"], "there is no index in index; run `bri-qa index` first"),
        (["ask", "--batch", "none.jsonl"], "none.jsonl cannot be read (No such file or directory); give a file of JSON lines"),
        (["verify", "none.json"], "none.json is not a saved answer ([Errno 2] No such file or directory: 'none.json'); give the output of `bri-qa ask --json`"),
        (["index", "--corpus", "none"], "there is no corpus folder none; create it and put .txt or .md articles into it, or name another"),
        (["serve", "--port", "99999"], "BRI_QA_PORT: Input should be less than or equal to 65535; docs/settings.md lists the bounds"),
    ],
)  # fmt: skip
def test_an_error_is_one_line_that_says_what_to_do(told: Told, arguments: list[str], said: str) -> None:
    assert told.error(*arguments) == said


@pytest.mark.parametrize(
    ("text", "said"), [(" ", "the question is empty"), ("x" * 5_000, "5000 characters, more than the 4000")]
)
def test_a_question_that_cannot_be_asked_is_an_error(indexed: Told, text: str, said: str) -> None:
    assert said in indexed.error("ask", text)


def test_an_unknown_setting_is_refused(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRI_QA_FOO", "1")
    for command in (["index"], ["ask", "hello"], ["serve"], ["verify", "corpus"], ["eval"]):
        assert "BRI_QA_FOO" in told.error(*command) or command[0] == "verify"
    assert told.error("index") == "unknown setting BRI_QA_FOO; docs/settings.md lists the known ones"


def test_help_is_success(told: Told) -> None:
    assert told.fine("--help").startswith("Usage: bri-qa")
    for command in ("index", "ask", "eval", "serve", "verify"):
        assert f"bri-qa {command}" in told.fine(command, "--help")


def test_the_program_exits_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments, code in ((["--help"], 0), (["nonsense"], 2)):
        monkeypatch.setattr(sys, "argv", ["bri-qa", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        assert left.value.code == code
