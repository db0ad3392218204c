"""The installed program, run as its users run it: processes, files, pipes and exit codes."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.articles import ARTICLES, IDS

pytestmark = pytest.mark.journey
APP = Path(__file__).parents[2] / "app.py"
PROGRAM = str(Path(sys.executable).parent / "bri-qa")
QUAY = "The new quay is 640 metres long and takes three ships at a time."
ANSWER_FIELDS = [
    "question",
    "answer",
    "short_answer",
    "abstained",
    "reason",
    "confidence",
    "mode",
    "statements",
    "citations",
    "passages",
    "trace",
]
CITATION_FIELDS = {
    "number",
    "document_id",
    "title",
    "publisher",
    "published",
    "start",
    "end",
    "quote",
    "document_sha256",
}


class House:
    """A working folder with a corpus, and the program run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ARTICLES, folder / "corpus")

    def run(
        self, *arguments: str, stdin: bytes = b"", environ: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("BRI_QA_")}
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env={**plain, **(environ or {})},
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def fine(self, *arguments: str, stdin: bytes = b"", environ: dict[str, str] | None = None) -> str:
        done = self.run(*arguments, stdin=stdin, environ=environ)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def error(self, *arguments: str, environ: dict[str, str] | None = None) -> str:
        """The one line that a command prints to standard error when it exits with 2."""
        done = self.run(*arguments, environ=environ)
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("bri-qa: ") and done.stderr.count("\n") == 1
        return done.stderr.strip()

    def write(self, name: str, *lines: Any) -> str:
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        (self.folder / name).write_text(text, encoding="utf-8")
        return name


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Shared by tests that change nothing in its corpus or index."""
    made = House(tmp_path_factory.mktemp("house"))
    made.fine("index")
    return made


def test_articles_are_indexed_asked_changed_and_asked_again(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.fine("index", "--dry-run").splitlines()[-1] == "nothing was written (--dry-run)"
    assert not (tmp_path / "index").exists()
    assert f"added {IDS[0]}" in house.fine("index")
    assert house.fine("index").splitlines()[0] == "4 articles unchanged"
    assert QUAY in house.fine("ask", "How long is the new quay?")
    saved = house.write("answer.json", house.fine("ask", "--json", "How long is the new quay?"))
    assert "stand" in house.fine("verify", saved)
    path = tmp_path / "corpus" / "harbour.txt"
    path.write_text(path.read_text(encoding="utf-8").replace("640 metres", "seven hundred metres"), encoding="utf-8")
    report = json.loads(house.fine("index", "--json"))
    assert (report["changed"], report["unchanged"], report["added"]) == (["harbour"], 3, [])
    assert "seven hundred metres" in house.fine("ask", "How long is the new quay?")
    done = house.run("verify", saved)
    assert done.returncode == 1 and "the article has changed and other words stand there now" in done.stdout
    path.unlink()
    assert "removed harbour" in house.fine("index")
    assert "its document is not in the index" in house.run("verify", saved).stdout


def test_an_answer_as_json_is_the_public_contracts(house: House) -> None:
    answer = json.loads(house.fine("ask", "--json", "How long is the new quay?"))
    assert list(answer) == ANSWER_FIELDS
    assert (answer["abstained"], answer["reason"], answer["mode"]) == (False, None, "extractive")
    assert (0 <= answer["confidence"] <= 1 and answer["answer"].endswith("[1]")) or "[2]" in answer["answer"]
    text = (ARTICLES / "harbour.txt").read_text(encoding="utf-8")
    for item in answer["citations"]:
        assert set(item) >= CITATION_FIELDS
        assert item["document_id"] != "harbour" or item["quote"] == text[item["start"] : item["end"]]
    assert QUAY in [item["quote"] for item in answer["citations"]]
    assert [set(item) for item in answer["statements"]] == [{"text", "citations"}] * len(answer["statements"])
    assert set(answer["passages"][0]) == {"document_id", "start", "end", "score", "text"}
    assert {"query", "seconds", "models"} <= set(answer["trace"])


def test_an_abstention_is_a_success_that_says_why(house: House) -> None:
    answer = json.loads(house.fine("ask", "--json", "Who won the chess olympiad in Chennai?"))
    assert list(answer) == ANSWER_FIELDS
    assert answer["abstained"] and answer["reason"] in ("off_topic", "not_stated")
    assert answer["answer"] and answer["passages"]
    assert (answer["citations"], answer["statements"], answer["short_answer"]) == ([], [], None)


def test_a_batch_from_a_file_or_a_pipe_survives_bad_lines(house: House) -> None:
    lines = [
        {"id": "q1", "question": "How long is the new quay?"},
        "{broken",
        {"id": "q3", "question": "how many ships?", "history": [{"role": "user", "text": "How long is the new quay?"}]},
        {"id": "q4"},
        {"id": "Ωλ", "question": "hello"},
    ]
    name = house.write("batch.jsonl", *lines)
    content = (house.folder / name).read_bytes()
    for done in (house.run("ask", "--batch", name), house.run("ask", "--batch", "-", stdin=content)):
        assert (done.returncode, done.stderr.count("\n")) == (2, 1) and "2 lines could not be answered" in done.stderr
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert [item["id"] for item in found] == ["q1", None, "q3", "q4", "Ωλ"]
        assert list(found[0]) == ["id", *ANSWER_FIELDS] and "Ωλ" in done.stdout
        assert [item["error"]["line"] for item in found if "error" in item] == [2, 4]
    good = house.write("good.jsonl", lines[0], lines[4])
    assert len(house.fine("ask", "--batch", good).splitlines()) == 2


def test_verify_finds_the_quote_that_was_tampered_with(house: House) -> None:
    answer = json.loads(house.fine("ask", "--json", "How long is the new quay?"))
    at = [item["quote"] for item in answer["citations"]].index(QUAY)
    answer["citations"][at]["quote"] = QUAY.replace("640", "641")
    done = house.run("verify", house.write("tampered.json", answer))
    assert (done.returncode, done.stderr) == (1, "")
    assert f"[{at + 1}] other words stand there" in done.stdout


def test_eval_exits_with_1_on_a_missed_gate(house: House) -> None:
    cases = house.write(
        "cases.jsonl",
        {
            "id": "a",
            "question": "How long is the new quay?",
            "history": [],
            "answers": ["640 metres"],
            "kind": "number",
            "evidence": [{"document_id": "harbour", "quote": "The new quay is 640 metres long"}],
        },
    )
    passed = house.write("passed.json", {"gates": {"citation_validity": {"min": 1.0}}})
    missed = house.write("missed.json", {"gates": {"latency_p50": {"max": 0.0}}})
    assert "citation_validity" in house.fine("eval", "--cases", cases, "--baseline", passed, "--report", "out")
    assert json.loads((house.folder / "out" / "run.json").read_text(encoding="utf-8"))["missed"] == []
    done = house.run("eval", "--cases", cases, "--baseline", missed)
    assert (done.returncode, done.stderr) == (1, "") and "missed gates:" in done.stdout
    assert "line 1" in house.error("eval", "--cases", house.write("bad.jsonl", "{bad"))


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (["ask", "hello", "--index", "none"], {}, "there is no index in none; run `bri-qa index` first"),
        (["ask", "hello"], {"BRI_QA_FOO": "1"}, "unknown setting BRI_QA_FOO; docs/settings.md lists the known ones"),
        (["ask", "hello"], {"BRI_QA_TOP_K": "none"}, "BRI_QA_TOP_K: Input should be a valid integer"),
        (["ask", "hello"], {"BRI_QA_PASSAGE_TOKENS": "100"}, "run `bri-qa index`"),
        (["index", "--corpus", "none"], {}, "there is no corpus folder none; create it"),
        (["ask", "--batch", "none.jsonl"], {}, "none.jsonl cannot be read (No such file or directory)"),
        (["verify", "corpus/bread.txt"], {}, "corpus/bread.txt is not a saved answer"),
        (["ask"], {}, "give one question in quotes"),
        (["ask", " "], {}, "the question is empty"),
        (["aks"], {}, "No such command 'aks'. Did you mean 'ask'? (bri-qa --help tells how)"),
    ],
)  # fmt: skip
def test_an_error_is_one_line_that_says_what_to_do(
    house: House, arguments: list[str], environ: dict[str, str], said: str
) -> None:
    assert said in house.error(*arguments, environ=environ)


def test_a_port_in_use_is_an_error(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1:{port} cannot be bound" in house.error("serve", "--port", port)


def test_a_full_disk_and_a_closed_pipe_leave_no_trace_of_our_insides(house: House) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [PROGRAM, "ask", "hello"], cwd=house.folder, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1 and b"No space left" in done.stderr
    piped = f"{PROGRAM} ask 'Summarise the articles' | true"
    closed = subprocess.run(["bash", "-c", piped], cwd=house.folder, capture_output=True, check=False)
    assert closed.stderr == b""


HEAVY = "torch faiss gradio openvino tantivy sentence_transformers fastapi numpy transformers tiktoken".split()


@pytest.mark.parametrize(
    "code", ["import bri_qa", "from bri_qa import *", "from bri_qa.cli import run; run(['--help'])"]
)
def test_what_is_light_loads_nothing_heavy(code: str) -> None:
    told = f"import sys\n{code}\nsys.stderr.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_help_comes_at_once(house: House) -> None:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        house.fine("--help")
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 2  # a wide bound: this only finds a heavy import; benchmarks measure


WATCH = """
import sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"):
        sys.stderr.write(f"{event} {arguments}\\n")
sys.addaudithook(watch)
from bri_qa.cli import main
main()
"""


@pytest.mark.parametrize("arguments", [["index", "--index", "watched"], ["ask", "How long is the new quay?"]])
def test_no_socket_is_opened(house: House, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *arguments], cwd=house.folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_it_answers_where_there_is_no_network(house: House) -> None:
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a process leave the network")
    done = subprocess.run(
        [*alone, PROGRAM, "ask", "How long is the new quay?"],
        cwd=house.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "") and QUAY in done.stdout


def test_app_py_indexes_then_serves_and_says_where(tmp_path: Path) -> None:
    house = House(tmp_path)
    environ = {**os.environ, "BRI_QA_PORT": "0"}
    with subprocess.Popen(
        [sys.executable, str(APP)], cwd=house.folder, env=environ, stdout=subprocess.PIPE, text=True
    ) as app:
        assert app.stdout is not None
        line = next(line for line in app.stdout if line.startswith("bri_qa is at "))
        with urllib.request.urlopen(f"{line.split()[3]}/readyz", timeout=60) as answer:  # noqa: S310 - our own server
            assert json.load(answer)["documents"] == 4
        app.terminate()
        assert app.wait(60) == 0
