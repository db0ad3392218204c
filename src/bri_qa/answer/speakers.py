"""Who is quoted: each speaker of the articles with the office the article gives, and the sentences that give words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bri_qa.answer.cited import Sentence, each_once
from bri_qa.answer.speech import Voice, voices
from bri_qa.types import AbstainReason, Draft, Hit, Question, Statement

_MOST = 12
_SENTENCES = 3  # of one speaker, at most


@dataclass(slots=True)
class _Speaker:
    """A speaker as far as has been read; the sentence that states the office comes first."""

    voice: Voice
    sentences: list[Sentence] = field(default_factory=list)

    def take(self, voice: Voice, sentence: Sentence) -> None:
        name = max(self.voice.name, voice.name, key=len)
        tells = bool(voice.office) and not self.voice.office
        self.sentences.insert(0 if tells else len(self.sentences), sentence)
        self.voice = Voice(name, self.voice.office or voice.office, voice.organisation)

    def statement(self) -> Statement:
        """Name and office, proven by the sentences in which they speak."""
        text = f"{self.voice.name}{self.voice.office}"
        quotes = [quote for item in self.sentences[:_SENTENCES] for quote in item.statement().quotes]
        return Statement(text if text.endswith(".") else f"{text}.", tuple(quotes))


@dataclass(frozen=True, slots=True)
class SpeakersAnswerer:
    """Lists the speakers of the articles in reading order."""

    @property
    def mode(self) -> str:
        return "extractive"

    def answer(self, question: Question, query: str, hits: Sequence[Hit]) -> Draft:
        """`hits` are all passages in scope, in reading order; they need not be read."""
        del question, query
        speakers: list[_Speaker] = []
        for sentence in each_once(hits):
            for voice in voices(sentence.text):
                known = _known(voice, sentence, speakers)
                if known is not None:
                    known.take(voice, sentence)
                elif voice.organisation or voice.titled or len(voice.bare) > 1:
                    speakers.append(_Speaker(voice, [sentence]))
        if not speakers:
            return Draft(reason=AbstainReason.NOT_STATED, message="I found nobody quoted by name in these articles.")
        return Draft(tuple(item.statement() for item in speakers[:_MOST]), confidence=1.0)


def _known(voice: Voice, sentence: Sentence, speakers: Iterable[_Speaker]) -> _Speaker | None:
    """Who it is that speaks again: under the same name, or in the same article under a part of it."""
    for speaker in speakers:
        if speaker.voice.organisation != voice.organisation:
            continue
        if speaker.voice.bare == voice.bare:
            return speaker
        here = any(item.passage.document_id == sentence.passage.document_id for item in speaker.sentences)
        if here and not voice.organisation and _is_part(voice.bare, speaker.voice.bare):
            return speaker
    return None


def _is_part(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one name is the beginning or the end of the other: "Oduya" of "Mara Oduya"."""
    short, long = sorted((one, other), key=len)
    return bool(short) and short in (long[: len(short)], long[-len(short) :])
