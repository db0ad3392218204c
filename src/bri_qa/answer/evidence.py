"""Which sentences a language model is shown: passages by relevance, as many as its context holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bri_qa.answer.cited import Sentence, is_among, sentences_of
from bri_qa.answer.prompts import Evidence, defused
from bri_qa.types import Hit, Span

# Sentences that speak to a language model instead of to a reader: they are left out of what it sees, so it can neither
# obey nor cite them. An article about such attacks loses these sentences in fluent answers, not in quoted ones.
_SPEAKS_TO_MODELS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,60}\b(?:instructions?|rules?|prompts?|guidelines|above|previous|prior)\b"
    r"|\b(?:system|developer|hidden|initial) (?:prompt|message|instructions?)\b"
    r"|\byou are (?:now )?(?:an? |the )?(?:ai|assistant|language model|chatbot|dan|llm)\b"
    r"|\b(?:your|these|new|following) (?:instructions?|rules|prompt)\b"
    r"|^\W*(?:system|assistant|user|human|developer)\s*:"
    r"|\b(?:ai|llm|language models?|assistants?|chatbots?)\b.{0,40}"
    r"\b(?:must|should|shall|have to|need to|reading this)\b"
    r"|\b(?:respond|reply|answer|output|print|write|say)\b.{0,20}"
    r"\b(?:only|exactly|with the (?:word|words|phrase|text)|verbatim)\b"
    r"|^\W*(?:say|cite|show|write|add|append|insert|end|begin|start|include|print|output|answer|reply|respond|repeat"
    r"|reveal|pretend|act|speak|translate|encode)\b"
    r"|\b(?:right|correct|proper|only|best) (?:reply|answer|response)\b"
    r"|\b(?:answers?|repl(?:y|ies)|responses?)\b.{0,20}\b(?:end|begin|start|finish|must|should)"
    r"|\[S\d+\]|\bS\d+\b.{0,20}\b(?:means?|stands? for)\b|={4,}"
    r"|<\|\w+\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|im_(?:start|end)"
    r"|(?:忽略|无视|忘记).{0,20}(?:指令|指示|规则|提示)|系统提示",
    re.IGNORECASE,
)
_MARGIN = 0.85  # of the context: the model's own tokens are not those we count


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens (cl100k_base) of a model's context, of which `output` are kept for what it writes."""

    context: int
    output: int
    count: Callable[[str], int]

    @property
    def input(self) -> int:
        """Tokens that the messages may take, with a margin for another way of counting."""
        return max(0, int(self.context * _MARGIN) - self.output)


def speaks_to_models(text: str) -> bool:
    return bool(_SPEAKS_TO_MODELS.search(text))


def gathered(hits: Sequence[Hit], tokens: int, count: Callable[[str], int]) -> Evidence:
    """The sentences of as many passages, best first, as `tokens` hold; of one that does not fit, as many as do.

    What overlapping passages share stands once.
    """
    seen: list[tuple[str, Span]] = []
    sentences: dict[str, Sentence] = {}
    blocks: list[tuple[str, ...]] = []
    for hit in hits:
        block: list[str] = []
        for sentence in sentences_of(hit.passage):
            if is_among(sentence, seen) or speaks_to_models(sentence.text):
                continue
            tokens -= count(f"[S{len(sentences) + 1}] {defused(sentence.text)}\n")
            if tokens < 0:
                break
            seen.append(sentence.place)
            block.append(f"S{len(sentences) + 1}")
            sentences[block[-1]] = sentence
        if block:
            blocks.append(tuple(block))
        if tokens < 0:
            break
    return Evidence(tuple(blocks), sentences)
