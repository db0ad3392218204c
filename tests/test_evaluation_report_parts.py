"""The parts of a report, each alone: reasons, excerpts, plots."""

from __future__ import annotations

from typing import Any

import pytest

from bri_qa.evaluation.report import plots
from bri_qa.evaluation.report.changes import Difference
from bri_qa.evaluation.report.excerpts import AROUND, Excerpts, paragraph
from bri_qa.evaluation.report.explain import OUTCOMES, holds, outcome, why
from bri_qa.evaluation.report.payload import embedded
from bri_qa.evaluation.report.saved import Bin, Part, Risk, SavedCase, SavedDocument
from bri_qa.evaluation.scores import Verdict

TEXT = "Title\nFirst paragraph here.\nThe quay is long. It is new.\nLast one."
QUAY = {"start": TEXT.index("The quay"), "end": TEXT.index("The quay") + len("The quay is long.")}


def case(verdict: str = "ok", **keys: Any) -> SavedCase:
    """Two passages, of which the second holds the gold words and the first is quoted, unless `keys` say otherwise."""
    answer: dict[str, Any] = {
        "answer": "x",
        "short_answer": "new",
        "confidence": 0.25,
        "citations": [{"number": 1, "document_id": "d", "start": 6, "end": 11, "quote": TEXT[6:11]}],
        "passages": [
            {"document_id": "d", "start": 6, "end": 27, "text": TEXT[6:27], "score": 0.9},
            {"document_id": "d", **QUAY, "text": "The quay is long.", "score": 0.8},
        ],
    }
    content = {
        "id": "a",
        "question": "How long?",
        "verdict": verdict,
        "answers": ["long"],
        "evidence": [{"document_id": "d", "quote": "The quay is long.", "places": [QUAY]}],
        **keys,
        "answer": answer | keys.get("answer", {}),
    }
    return SavedCase.model_validate(content)


def test_every_verdict_has_a_name_and_every_fault_a_hint() -> None:
    assert set(OUTCOMES) == {verdict.value for verdict in Verdict}
    assert all(found.hint for code, found in OUTCOMES.items() if code != "ok")
    assert outcome("lost_in_transit").label == "Lost in transit"


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (case(), "The gold evidence is quoted."),
        (case(evidence=[]), "An accepted answer is stated."),
        (case(answers=[], evidence=[]), "The articles do not answer this, and it abstained."),
        (case("wrongly_abstained"), "The evidence was found at rank 2, yet it abstained, with a confidence of 0.25."),
        (case("not_ranked"), "The evidence was found at rank 2, but the quotes were cut from the passage at rank 1."),
        (
            case("wrong_sentence"),
            "The passage with the evidence, found at rank 2, is quoted, but not the words that answer.",
        ),
        (case("wrong_short_answer"), "The evidence is quoted, but the short answer is “new” and not “long”."),
        (case("not_retrieved"), "Only a part of the evidence was found, at rank 2."),
        (
            case("not_retrieved", answer={"passages": [], "abstained": True}),
            "No passage was found, and it abstained.",
        ),
        (
            case("should_have_abstained", answers=[], evidence=[], answer={"confidence": None}),
            "The articles do not answer this, yet an answer was given.",
        ),
        (case("lost_in_transit"), ""),
    ],
)
def test_why_a_case_came_out_so(made: SavedCase, sentence: str) -> None:
    assert why(made) == sentence


def test_a_passage_holds_a_judged_document_or_with_no_evidence_an_accepted_answer() -> None:
    whole = case(evidence=[{"document_id": "d"}])
    assert [holds(passage, whole) for passage in whole.answer.passages] == [True, True]
    words = case(evidence=[])
    assert [holds(passage, words) for passage in words.answer.passages] == [False, True]


def test_the_paragraph_around_is_whole_lines_cut_at_a_space_where_they_are_long() -> None:
    assert TEXT[slice(*paragraph(TEXT, QUAY["start"] + 4, QUAY["end"]))] == "The quay is long. It is new."
    words = "word " * 1_000
    low, high = paragraph(words, 2_500, 2_504)
    assert 2_500 - AROUND <= low <= 2_500 and words[low - 1] == " "
    assert 2_504 <= high <= 2_504 + AROUND and words[high] == " "


def test_each_part_of_an_article_is_embedded_once() -> None:
    known = SavedDocument(id="d", title="T", publisher="P", published="2024", text=TEXT)
    excerpts = Excerpts({"d": known}, [case()])
    assert excerpts.around(case()) == [[0, 6, len(TEXT) - len("\nLast one.")]] or len(excerpts.around(case())) == 2
    excerpts.want("d", *QUAY.values())
    (article,) = excerpts.as_json()
    assert article["title"] == "T" and article["about"] == "P · 2024"
    joined = "".join(text for _, text in article["pieces"])
    assert joined.count("The quay is long.") == 1
    assert all(TEXT[start : start + len(text)] == text for start, text in article["pieces"])


def test_an_article_that_was_not_saved_is_put_together_from_what_was_retrieved() -> None:
    excerpts = Excerpts({}, [case()])
    excerpts.around(case())
    (article,) = excerpts.as_json()
    assert article["title"] == "d"
    assert [text for _, text in article["pieces"]] == [TEXT[6:27], "The quay is long."]
    assert all(TEXT[start : start + len(text)] == text for start, text in article["pieces"])


def test_data_for_a_script_cannot_end_it() -> None:
    text = embedded({"a": "</script><!-- & \u2028 多"})
    assert not set("<>&\u2028") & set(text)
    assert "多" in text


def test_wilson_is_as_published() -> None:
    assert plots.wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # Newcombe 1998 gives the formula
    assert (plots.wilson(0, 10)[0], plots.wilson(10, 10)[1]) == pytest.approx((0, 1))


def test_risk_and_coverage_are_told_in_words() -> None:
    points = [Risk(coverage=at / 10, risk=0.0 if at < 6 else 0.2) for at in range(1, 11)]
    plot = plots.risk_coverage(points)
    assert plot is not None
    assert plot.summary == (
        "100\u00a0% of the questions were answered, 20\u00a0% of those wrongly; of the surest half of the answers, 0\u00a0%."
    )
    assert plots.risk_coverage([]) is None


def test_calibration_leaves_empty_bins_out() -> None:
    plot = plots.calibration(
        [Bin(low=0, high=0.1, count=0), Bin(low=0.8, high=0.9, confidence=0.85, right=0.95, count=20)]
    )
    assert plot is not None and len(plot.dots) == 1
    assert "differ by 0.10 on average" in plot.summary
    assert plots.calibration([]) is None


def test_latency_counts_every_question() -> None:
    plot = plots.latency([0.1] * 9 + [1.5])
    assert plot is not None
    assert sum(int(row[1]) for row in plot.table[1:]) == 10
    assert plot.summary.startswith("Half of the questions were answered within 100 ms")
    assert plot.summary.endswith("the slowest took 1.50 s.")
    assert plots.latency([0.0]) is not None and plots.latency([]) is None


def test_kinds_show_their_share_and_interval() -> None:
    plot = plots.by_kind({"number": Part(counts={"cases": 4, "verdicts": {"ok": 3}}), "none": Part()})
    assert plot is not None and len(plot.dots) == 1
    assert plot.table[1] == ("number", "3", "4", "75\u00a0%", "30\u00a0%–95\u00a0%")


def test_a_difference_is_better_or_worse_only_beyond_chance() -> None:
    plot = plots.comparison(
        [
            Difference("f1", 0.8, 0.7, (0.02, 0.18), certain=True),
            Difference("mrr", 0.8, 0.7, (-0.02, 0.18)),
            Difference("false_abstention_rate", 0.2, 0.1, (0.05, 0.15), certain=True),
            Difference("latency_p50", 0.2, 0.1, (0.05, 0.15), certain=True),
        ]
    )
    assert plot is not None
    assert [(dot.name, dot.tone) for dot in plot.dots] == [
        ("f1", "better"),
        ("mrr", ""),
        ("false_abstention_rate", "worse"),
    ]
