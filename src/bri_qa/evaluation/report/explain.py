"""Why a case came out as it did, and what to do about it, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from bri_qa.evaluation import metrics
from bri_qa.evaluation.report.saved import Found, SavedCase


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict for readers: its name, what it means, and what to try."""

    label: str
    meaning: str
    hint: str


OUTCOMES = {
    "ok": Outcome("Right", "the gold evidence is quoted, or the abstention was right", ""),
    "not_retrieved": Outcome(
        "Not retrieved",
        "no passage that was found holds the gold evidence",
        "Compare the question's words with the article's. Try retrieval by meaning or by words alone, more candidates "
        "or a larger top_k; if the evidence is cut in two, larger or more overlapping passages.",
    ),
    "wrongly_abstained": Outcome(
        "Wrongly abstained",
        "a passage with the evidence was found, but no answer was given",
        "The reader was not sure enough. Look at the confidence: if many such cases lie just below the threshold, "
        "lower abstain_below, and watch what should have abstained; if it is near 0, the reader does not understand "
        "the wording.",
    ),
    "not_ranked": Outcome(
        "Not ranked",
        "a passage with the evidence was found, but the quotes come from other passages",
        "The reader preferred another passage. Look at the scores: a close second calls for one more "
        "statement (max_statements), a distant one for cases of this sort in the reader's training.",
    ),
    "wrong_sentence": Outcome(
        "Wrong span",
        "the passage with the evidence is quoted, but for other words",
        "The right passage was read and the wrong sentence cut. See whether the evidence spans several sentences, or "
        "whether the quoted one answers as well: then add it to the case.",
    ),
    "wrong_short_answer": Outcome(
        "Wrong short answer",
        "the quotes are right, but the short answer shares no word with an accepted one",
        "See whether the short answer is another way to write the accepted one: then add it to the case. If not, the "
        "reader marked the wrong words of the right sentence.",
    ),
    "should_have_abstained": Outcome(
        "Should have abstained",
        "the articles do not answer, but an answer was given",
        "First search the article: if it does answer, mend the case. If not, compare the confidence with that of right "
        "answers; where the two can be told apart, raise abstain_below.",
    ),
}


def outcome(verdict: str) -> Outcome:
    """Of a known verdict, or a plain one made of its name."""
    return OUTCOMES.get(verdict) or Outcome(verdict.replace("_", " ").capitalize(), "", "")


def holds(passage: Found, case: SavedCase) -> bool:
    """Whether the passage overlaps gold evidence, or with none to go by, states an accepted answer."""
    if case.evidence:
        return any(
            passage.document_id == gold.document_id
            and (gold.whole or any(passage.overlaps(place) for place in gold.places))
            for gold in case.evidence
        )
    return bool(case.answers) and metrics.states(passage.text, case.answers)


def why(case: SavedCase) -> str:
    """One or two sentences about this very case."""
    ranks = [rank for rank, passage in enumerate(case.answer.passages, start=1) if holds(passage, case)]
    match case.verdict:
        case "ok":
            return _right(case)
        case "not_retrieved":
            return _not_retrieved(case, ranks)
        case "wrongly_abstained":
            return f"The evidence was found {_at(ranks)}, yet it abstained{_confidence(case)}."
        case "not_ranked":
            quoted = [rank for rank, passage in enumerate(case.answer.passages, start=1) if _quoted(passage, case)]
            return f"The evidence was found {_at(ranks)}, but the quotes were cut from the passage {_at(quoted)}."
        case "wrong_sentence":
            return f"The passage with the evidence, found {_at(ranks)}, is quoted, but not the words that answer."
        case "wrong_short_answer":
            accepted = " or ".join(f"“{answer}”" for answer in case.answers[:3])
            return f"The evidence is quoted, but the short answer is “{case.answer.short_answer}” and not {accepted}."
        case "should_have_abstained":
            return f"The articles do not answer this, yet an answer was given{_confidence(case)}."
    return outcome(case.verdict).meaning.capitalize()


def _right(case: SavedCase) -> str:
    if not case.answerable:
        return "The articles do not answer this, and it abstained."
    return "The gold evidence is quoted." if case.evidence else "An accepted answer is stated."


def _not_retrieved(case: SavedCase, ranks: list[int]) -> str:
    count = len(case.answer.passages)
    found = "No passage was found" if not count else f"None of the {count} passages that were found holds the evidence"
    if ranks:
        found = f"Only a part of the evidence was found, {_at(ranks)}"
    return f"{found}{', and it abstained' if case.answer.abstained else ''}."


def _quoted(passage: Found, case: SavedCase) -> bool:
    return any(item.document_id == passage.document_id and passage.overlaps(item) for item in case.answer.citations)


def _at(ranks: list[int]) -> str:
    if not ranks:
        return "at no rank"
    *most, last = [str(rank) for rank in ranks]
    return f"at rank{'s' if most else ''} {', '.join(most)}{' and ' if most else ''}{last}"


def _confidence(case: SavedCase) -> str:
    return "" if case.answer.confidence is None else f", with a confidence of {case.answer.confidence:.2f}"
