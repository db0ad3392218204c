"""JUnit XML: it fits the schema of what CI servers read (tests/data/junit.xsd), whatever stands in the cases."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from lxml import etree

from bri_qa.evaluation import Plan, carry_out
from bri_qa.evaluation.junit import Entry, Suite, as_xml, suites
from tests.test_evaluation import CASES, pipeline
from tests.test_evaluation_compare import many, saved, worse

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parent / "data" / "junit.xsd"))


def checked(text: str) -> ElementTree.Element:
    """The root, held to the schema and, in what a schema cannot say, to its own counts."""
    SCHEMA.assertValid(etree.fromstring(text.encode()))
    root = ElementTree.fromstring(text.encode())  # noqa: S314 - our own
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite)
        assert int(suite.attrib["failures"]) == sum(len(case) for case in suite)
        assert (suite.get("errors"), suite.get("skipped")) == ("0", "0")
        assert float(suite.attrib["time"]) == pytest.approx(sum(float(case.attrib["time"]) for case in suite), abs=1e-4)
        assert all(failure.get("message") and failure.text for case in suite for failure in case)
    for count in ("tests", "failures"):
        assert int(root.attrib[count]) == sum(int(suite.attrib[count]) for suite in root)
    return root


def test_each_case_is_a_test_and_says_why_it_failed(tmp_path: Path) -> None:
    [suite] = checked(as_xml(suites(saved("a", CASES, tmp_path))))
    assert suite.get("name") == "a.jsonl"
    assert [case.get("name") for case in suite] == [case["id"] for case in CASES]
    assert [case.get("classname") for case in suite][:3] == ["a.number", "a.number", "a.name"]
    failures = {case.get("name"): case[0] for case in suite if len(case)}
    assert {name: item.get("type") for name, item in failures.items()} == {
        "moved": "wrongly_abstained",
        "lit": "should_have_abstained",
    }
    assert (failures["moved"].get("message") or "").startswith("Wrongly abstained: The evidence was found")
    assert "question: Where will fishmongers trade this summer?" in (failures["moved"].text or "")
    assert "gold, harbour: the market would stay on the old pier" in (failures["moved"].text or "")


def test_gates_and_compared_metrics_are_tests(tmp_path: Path) -> None:
    run = saved("a", CASES, tmp_path)
    gates = tmp_path / "gates.json"
    gates.write_text('{"gates": {"f1": {"min": 0.9}, "false_abstention_rate": {"max": 0.5}}}', encoding="utf-8")
    outcome = carry_out(Plan(tmp_path / "a.jsonl", baseline=gates, against=tmp_path / "a"), pipeline())
    cases, held, metrics = checked(as_xml(suites(run, outcome.checks, outcome.comparison)))
    assert len(cases) == 6
    assert {case.get("name"): len(case) for case in held} == {
        "f1 at least 0.9": 1,
        "false_abstention_rate at most 0.5": 0,
    }
    assert held[0][0].get("message") == "f1 must be at least 0.9, but is 0.5556"
    names = [case.get("name") for case in metrics]
    assert "f1" in names and "latency_p50" not in names and not any(len(case) for case in metrics)


def test_a_metric_that_got_worse_is_a_failure(tmp_path: Path) -> None:
    from bri_qa.evaluation import compare

    before, after = many(saved("a", CASES, tmp_path), 40), many(saved("b", CASES, tmp_path, worse()), 40)
    *_, metrics = checked(as_xml(suites(after, (), compare(before, after))))
    failed = {case.get("name"): case[0] for case in metrics if len(case)}
    assert "citation_precision" in failed
    assert "95 % interval of the change -" in (failed["citation_precision"].get("message") or "")


def test_no_character_breaks_the_file() -> None:
    nasty = 'a <b> & "c" \x00\x1b\ud800\ufffe ]]> 中 😀'
    [suite] = checked(as_xml([Suite(nasty, (Entry(nasty, nasty, 0.5, (nasty, nasty, nasty)),))]))
    shown = 'a <b> & "c" ���� ]]> 中 😀'
    assert suite[0].get("name") == shown and suite[0][0].text == shown


def test_nothing_run_is_still_a_file() -> None:
    assert checked(as_xml([])).get("tests") == "0"


@pytest.mark.parametrize(
    "wrong",
    [
        '<testsuites tests="1"><testsuite name="a" tests="1"><testcase name="t"/></testsuite></testsuites>',
        '<testsuites tests="-1"/>',
        '<testsuites tests="0"><testcase classname="a" name="t"/></testsuites>',
        '<testsuites tests="0"><testsuite name="a" tests="0"/><testsuite name="a" tests="0"/></testsuites>',
        '<testsuite name="a" tests="1"><testcase classname="a" name="t"><failure>why</failure></testcase></testsuite>',
    ],
)
def test_the_schema_refuses_what_a_server_cannot_show(wrong: str) -> None:
    assert not SCHEMA.validate(etree.fromstring(wrong))
