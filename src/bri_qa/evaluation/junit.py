"""A run as JUnit XML, for the test views of CI servers: one test case a case, a gate, or a compared metric."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from bri_qa.evaluation.compare import Comparison, Judgement
from bri_qa.evaluation.gate import Check
from bri_qa.evaluation.report.explain import outcome, why
from bri_qa.evaluation.report.saved import SavedRun

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One test. `failure` is what went wrong, in a word, in a line and at length; None if it passed."""

    group: str
    name: str
    seconds: float = 0.0
    failure: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    name: str
    tests: tuple[Entry, ...]


def suites(run: SavedRun, checks: Sequence[Check] = (), comparison: Comparison | None = None) -> list[Suite]:
    """The cases of a run by kind; then its gates, and the metrics of its comparison that gate, if there are any."""
    name = run.cases_name
    found = [Suite(name, tuple(_cases(run)))]
    if checks:
        found.append(Suite(f"{name}: gates", tuple(_gates(checks))))
    if comparison is not None:
        found.append(Suite(f"{name}: against {comparison.before}", tuple(_metrics(comparison))))
    return found


def as_xml(found: Iterable[Suite]) -> str:
    """`testsuites`, each with its counts of tests, failures, errors and skipped, and its seconds."""
    root = ElementTree.Element("testsuites", name="bri-qa eval")
    every: list[Entry] = []
    for suite in found:
        node = ElementTree.SubElement(root, "testsuite", {"name": _clean(suite.name), **_counted(suite.tests)})
        every += suite.tests
        for test in suite.tests:
            _add(node, test)
    root.attrib.update(_counted(every))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _cases(run: SavedRun) -> Iterator[Entry]:
    stem = run.cases_name.rpartition(".")[0] or run.cases_name
    for case in run.cases:
        failure = None
        if not case.right:
            reason = why(case)
            lines = [reason, f"question: {case.question}", f"answer: {case.answer.answer}"]
            lines += [f"accepted: {' | '.join(case.answers)}"] if case.answers else []
            lines += [f"gold, {item.document_id}: {item.quote}" for item in case.evidence]
            failure = (case.verdict, f"{outcome(case.verdict).label}: {reason}", "\n".join(lines))
        yield Entry(f"{stem}.{case.kind}", case.id, case.seconds or 0.0, failure)


def _gates(checks: Iterable[Check]) -> Iterator[Entry]:
    for check in checks:
        failure = None if check.missed is None else ("missed_gate", check.missed, check.missed)
        yield Entry("gates", check.words, 0.0, failure)


def _metrics(comparison: Comparison) -> Iterator[Entry]:
    for item in comparison.findings:
        if not item.gates:
            continue
        found = item.difference
        words = (
            f"{item.metric} went from {found.before:.4f} to {found.after:.4f} "
            f"(95 % interval of the change {found.low:+.4f} to {found.high:+.4f})"
        )
        failure = ("worse", words, words) if item.judgement is Judgement.WORSE else None
        yield Entry("comparison", item.metric, 0.0, failure)
    for name, gates in comparison.lost.items():
        if gates:
            words = f"{name} applies to no case any more"
            yield Entry("comparison", name, 0.0, ("lost", words, words))


def _counted(tests: Sequence[Entry]) -> dict[str, str]:
    return {
        "tests": str(len(tests)),
        "failures": str(sum(test.failure is not None for test in tests)),
        "errors": "0",
        "skipped": "0",
        "time": f"{sum(test.seconds for test in tests):.6f}",
    }


def _add(suite: ElementTree.Element, test: Entry) -> None:
    node = ElementTree.SubElement(
        suite, "testcase", classname=_clean(test.group), name=_clean(test.name), time=f"{test.seconds:.6f}"
    )
    if test.failure is not None:
        kind, message, text = test.failure
        failure = ElementTree.SubElement(node, "failure", type=_clean(kind), message=_clean(message))
        failure.text = _clean(text)


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 forbids."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
