"""`python -m bench.readme [--check]`: fill the tables of the READMEs from bench/results and eval/baselines.

A table stands between `<!-- figures: NAME -->` and `<!-- /figures -->`. `--check` writes nothing and fails if a table
is not what the results say.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.machine import RESULTS

ROOT = Path(__file__).parent.parent
READMES = (ROOT / "README.md", ROOT / "bench" / "README.md")
_BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- /figures -->)", re.DOTALL)
Rows = list[list[Any]]
BASELINES = ROOT / "eval" / "baselines"
SCORES = (
    ("citation_validity", "every quote is the article's text at its place", "1"),
    ("evidence_coverage@3", "the first three quotes hold the gold evidence (answerable cases)", "0.90"),
    ("at_most_3_quotes", "answers with three quotes or fewer", "–"),
    ("citation_precision", "quotes that overlap gold evidence", "–"),
    ("exact_match", "short answer exactly right, of those given", "–"),
    ("f1", "words shared with an accepted answer", "–"),
    ("recall@3", "gold evidence among the first three passages", "–"),
    ("abstention_auroc", "confidence tells answerable from unanswerable (AUROC)", "0.85"),
    ("false_abstention_rate", "answerable cases that abstain", "at most 0.10"),
    ("abstention_recall", "unanswerable cases that abstain", "–"),
)


def main(arguments: Sequence[str]) -> int:
    stale = [readme for readme in READMES if not _fresh(readme, write="--check" not in arguments)]
    for readme in stale:
        print(f"{readme.relative_to(ROOT)} is not what the results say; run python -m bench.readme", file=sys.stderr)
    return int(bool(stale))


def _fresh(readme: Path, write: bool) -> bool:
    """Whether a README says what the results say, having been written first if asked."""
    before = readme.read_text(encoding="utf-8")
    after = _BLOCK.sub(lambda block: block[1] + _figures(block[2]) + block[3], before)
    if write:
        readme.write_text(after, encoding="utf-8")
    return write or before == after


def _figures(name: str) -> str:
    if name == "summary":
        return _summary()
    result = _result(name)
    return f"{_where(result)}\n\n{TABLES[name](result['figures'])}\n" if result else ""


def _result(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_bytes()) if path.is_file() else {}
    return found


def _summary() -> str:
    """The scores of both splits, and what a question and a build take."""
    files = {name: BASELINES / f"{name}.json" for name in ("test", "dev")}
    splits = {name: json.loads(path.read_bytes())["scores"] for name, path in files.items() if path.is_file()}
    scores: Rows = [
        [words, *(f"{splits[name][metric]:.3f}" if metric in splits[name] else "–" for name in splits), target]
        for metric, words, target in SCORES
    ]
    text = _table(["score on the first article's cases", *splits, "target"], scores) if splits else ""
    ask, embed = _result("ask"), _result("embed")
    if ask and embed:
        warm, process = ask["figures"]["warm"]["questions"], ask["figures"]["process"]["ask"]
        ratio = f"{embed['figures']['ratio_median']} × sentence-transformers' defaults"
        times: Rows = [
            ["a question once the server is warm, median", f"{warm['p50_ms']:.0f} ms", "100 ms"],
            ["`bri-qa ask` as a fresh process, median", f"{process['p50_ms'] / 1000:.1f} s", "2.5 s"],
            ["embedding, passages per second", ratio, "2.5 × with AMX, else 1 ×"],
        ]
        text += f"\n\n{_where(ask)}\n\n{_table(['speed', 'measured', 'target'], times)}"
    return text + "\n"


def _where(result: dict[str, Any]) -> str:
    machine = result["machine"]
    flags = ", ".join(machine["flags"]) or "none of the vector extensions that matter"
    note = f" Note: {result['note']}." if result["note"] else ""
    return (
        f"{result['measured']}, {machine['cpu']} ({flags}), {machine['cores']} cores, {machine['memory_gb']} GB.{note}"
    )


def _table(head: Sequence[str], rows: Rows) -> str:
    lines = [list(head), ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _embed(found: dict[str, Any]) -> str:
    rows: Rows = []
    for name, speeds in found["passages_per_second"].items():
        query = found["query"][name]
        middle = sorted(speeds)[len(speeds) // 2]
        rows.append([name, middle, f"{min(speeds)} to {max(speeds)}", query["p50_ms"], query["p95_ms"]])
    low, high = found["ratio_range"]
    table = _table(["", "passages/s, median", "range", "query p50, ms", "query p95, ms"], rows)
    return (
        f"{found['passages']} passages of {found['mean_word_pieces']} word pieces at the mean, "
        f"{found['rounds']} rounds, {found['precision']}. "
        f"Ratio by round: **{found['ratio_median']}** at the median, {low} to {high}. "
        f"Least cosine between the two: {found['cosine_min']}.\n\n{table}"
    )


def _lexical(found: dict[str, Any]) -> str:
    rows: Rows = []
    for size, engines in found["sizes"].items():
        for name, built in engines["build"].items():
            short, long = engines["short"][name], engines["long"][name]
            middle = sorted(built["seconds"])[len(built["seconds"]) // 2]
            times = [short["p50_ms"], short["p95_ms"], long["p50_ms"], long["p95_ms"]]
            agreement = f"{short['agreement']:.2f} / {long['agreement']:.2f}"
            rows.append([f"{name}, {int(size):,}", middle, built["megabytes"], *times, agreement])
    short, long = (found["question_words"][kind] for kind in ("short", "long"))
    head = ["engine, passages", "build, s", "MB", "short p50, ms", "p95", "long p50, ms", "p95", "agreement"]
    return (
        f"Short questions have {short} words at the mean, long ones {long}; k = {found['k']}.\n\n{_table(head, rows)}"
    )


def _vectors(found: dict[str, Any]) -> str:
    rows: Rows = [
        [f"{int(size):,}", one["all"]["p50_ms"], one["all"]["p95_ms"], one["tenth"]["p50_ms"], one["open_s"]]
        for size, one in found["sizes"].items()
    ]
    head = ["vectors", "all: p50, ms", "p95, ms", "a tenth: p50, ms", "open, s"]
    return f"{found['dim']} dimensions, k = {found['k']}, one thread.\n\n{_table(head, rows)}"


def _index(found: dict[str, Any]) -> str:
    names = {
        "build": "first build",
        "unchanged": "refresh, nothing changed",
        "one_text": "refresh, one text changed",
        "one_title": "refresh, one title changed",
        "open": "open and search once",
    }
    rows: Rows = [
        [
            names[name],
            step["seconds_median"],
            f"{min(step['seconds'])} to {max(step['seconds'])}",
            step["peak_memory_mb"],
        ]
        for name, step in found["steps"].items()
    ]
    return (
        f"{found['passages']:,} passages of {found['documents']} documents, {found['rounds']} rounds; the index has "
        f"{found['index_megabytes']} MB.\n\n{_table(['step', 's, median', 'range', 'peak memory, MB'], rows)}"
    )


def _ask(found: dict[str, Any]) -> str:
    warm = found["warm"]
    rows: Rows = [
        [
            f"`bri-qa {name}`, a fresh process" if name == "ask" else "`bri-qa --help`",
            *_times(one),
            one["peak_memory_mb"],
        ]
        for name, one in found["process"].items()
    ]
    stages = [[f"· {stage}", *_times(one), ""] for stage, one in warm["questions"]["stages"].items()]
    asked: Rows = [["a question, warm", *_times(warm["questions"]), ""], *stages]
    asked.append(["an overview, warm", *_times(warm["overviews"]), ""])
    models = ", ".join(f"{kind} {name}" for kind, name in found["models"].items())
    table = _table(["", "p50, ms", "p95, ms", "n", "peak memory, MB"], [*asked, *rows])
    return f"{found['documents']} document, {found['passages']} passages; {models}.\n\n{table}"


def _read(found: dict[str, Any]) -> str:
    reading, asking = found["reading"], found["asking"]
    names = {
        "bare": "bare forward pass",
        "network": "network: tokens, pass, spans",
        "known": "reader, hits with their cosine, as the product has them",
        "new": "reader, hits without: it embeds the passages",
    }
    ways: Rows = [[names[name], *_times(one), one["ratio"]] for name, one in reading["ways"].items()]
    asked: Rows = [["a new question", *_times(asking["question"])]]
    asked += [[f"· {stage}", *_times(one)] for stage, one in asking["stages"].items()]
    first = _table(["", "p50, ms", "p95, ms", "n", "ratio"], ways)
    second = _table(["", "p50, ms", "p95, ms", "n"], asked)
    return (
        f"{reading['passages']} passages, {reading['word_pieces']} word pieces in the first row.\n\n{first}\n\n"
        f"{asking['passages']:,} passages.\n\n{second}"
    )


def _times(one: dict[str, Any]) -> list[Any]:
    return [one["p50_ms"], one["p95_ms"], one["n"]]


def _evaluate(found: dict[str, Any]) -> str:
    names = {"free": "answers that cost nothing", "real": "the product"}
    rows: Rows = [
        [
            words,
            found[name]["seconds"],
            found[name]["asking_seconds"],
            found[name]["suite_seconds"],
            found[name]["suite_ms_per_case"],
            f"{100 * found[name]['suite_share']:.1f} %",
            found[name]["cpu_seconds"],
            round(found[name]["peak_memory_mb"]),
        ]
        for name, words in names.items()
    ]
    head = ["", "whole, s", "asking, s", "suite, s", "suite, ms a case", "suite's share", "CPU, s", "peak memory, MB"]
    rates: Rows = [[count, rate] for count, rate in found["questions_per_second_by_threads"].items()]
    models = ", ".join(f"{kind} {name}" for kind, name in found["real"]["models"].items())
    passages = f"{found['passages']:,} passages of {found['documents']:,} documents"
    return (
        f"{found['cases']:,} cases over {passages}; {models}.\n\n"
        f"{_table(head, rows)}\n\n{_table(['threads that ask', 'questions a second'], rates)}"
    )


def _load(found: dict[str, Any]) -> str:
    rows: Rows = []
    for name, run in found["runs"].items():
        for kind, one in sorted(run["kinds"].items()):
            times = [one["p50_ms"], one["p95_ms"], one["p99_ms"]]
            rows.append([f"{name}: {kind}", one["n"], *times, one["errors"]])
    runs: Rows = [
        [
            name,
            run["users"],
            run["seconds"],
            run["requests_per_second"],
            run["memory_before_mb"],
            run["memory_after_mb"],
        ]
        for name, run in found["runs"].items()
    ]
    head = ["run", "users", "s", "requests a second", "errors", "memory before, MB", "after, MB"]
    return (
        f"{found['answer_threads']} threads answer, {found['answer_queue']} questions may wait; "
        f"{found['questions']} different questions.\n\n{_table(head, runs)}\n\n"
        f"{_table(['', 'n', 'p50, ms', 'p95, ms', 'p99, ms', 'errors'], rows)}"
    )


def _memory(found: dict[str, Any]) -> str:
    samples = found["memory_mb"]
    step = max(1, (len(samples) - 1) // 10)
    rows: Rows = [[f"{one['questions']:,}", round(one["mb"])] for one in samples[::step]]
    verdict = "flat" if found["flat"] else "**not flat**"
    slope = f"**{found['slope_mb_per_100']} MB per 100 questions**"
    return (
        f"{found['questions']:,} questions, {found['different']:,} of them different, from {found['sessions']} "
        f"sessions, {found['at_once']} at once. After the first {found['warm_after']}: {slope}, {verdict} (below "
        f"{found['flat_below']}). The history then has {found['history_mb']} MB on disk.\n\n"
        f"{_table(['questions', 'memory, MB'], rows)}"
    )


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "embed": _embed,
    "lexical": _lexical,
    "vectors": _vectors,
    "index": _index,
    "ask": _ask,
    "read": _read,
    "evaluate": _evaluate,
    "load": _load,
    "memory": _memory,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
