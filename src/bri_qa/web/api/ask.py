"""Questions: one, one told as it is answered, and many."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Security
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import ValidationError

from bri_qa import exchange, render
from bri_qa.errors import BriQAError, QuestionError
from bri_qa.web.access import Person, Role
from bri_qa.web.api import streaming
from bri_qa.web.api.described import BEARER
from bri_qa.web.api.problems import refusals, told
from bri_qa.web.guards import needs
from bri_qa.web.operation import limits
from bri_qa.web.schemas import MAX_BATCH, AnswerOut, AskIn, BatchLineIn
from bri_qa.web.service import BusyError, Pipeline, Workers

Reader = Annotated[Person, Depends(needs(Role.READER))]

JSON_LINES = "application/jsonl"
_TOLD_AS_IT_GOES = """Ask a question, and be told how it is answered, as server-sent events.

- `progress` (`ProgressEvent`): a stage of the work begins or goes on
- `statement` (`StatementEvent`): a sentence of the answer, proven; it stands in the answer as it is
- `answer` (`AnswerOut`): the whole answer, the same object as `POST /api/v1/ask` gives; always the last event
- `error` (`ProblemOut`): in place of the answer, where something went wrong after the first event

A comment is sent after 15 seconds of silence. What goes wrong before the first event is an ordinary problem with its
status. Closing the connection stops the work. The stream cannot be resumed: ask again."""
_EVENTS = """event: progress
data: {"stage": "searching", "done": 0, "total": 0}

event: statement
data: {"text": "The new quay is 640 metres long.", "citations": [{"number": 1, "document_id": "harbour", …}]}

event: answer
data: {"question": "How long is the new quay?", "answer": "The new quay is 640 metres long. [1]", …}

"""
_MANY = f"""Ask up to {MAX_BATCH} questions. The answers come as JSON lines, each as soon as it is there, in the order of
the questions: the answer object with the question's `id`, or `{{"id", "error": {{"line", "message"}}}}` in its place, with
`line` counted from 1. A line that cannot be answered does not stop the rest. The same shape as `bri-qa ask --batch`."""
_EACH = {
    "type": "object",
    "description": "One event of the stream; `data` is JSON",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["progress", "statement", "answer", "error"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "The events", "content": {streaming.MEDIA: {"schema": _EACH, "example": _EVENTS}}}
}
_LINES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One JSON object a line: `AnswerOut` with `id`, or `id` and `error`",
        "content": {
            JSON_LINES: {
                "schema": {"type": "string"},
                "example": '{"id": "a", "question": "How long is the new quay?", "answer": "… [1]", …}\n'
                '{"id": "b", "error": {"line": 2, "message": "question: Field required"}}\n',
            }
        },
    }
}
_BATCH: list[Any] = [{"id": "a", "question": "How long is the new quay?"}, {"id": "b", "question": "Who is quoted?"}]

Batch = Annotated[
    list[Annotated[BatchLineIn | Any, Body(union_mode="left_to_right")]],
    Body(min_length=1, max_length=MAX_BATCH, examples=[_BATCH], description="the questions; ids may repeat"),
]


def router(pipeline: Pipeline, workers: Workers, beat: float = streaming.BEAT_SECONDS) -> APIRouter:
    """The routes; `beat` is in seconds."""
    routes = APIRouter(prefix="/api/v1/ask", tags=["ask"], dependencies=[Security(BEARER)])

    @routes.post("", operation_id="ask", response_model=AnswerOut, responses=refusals(400, 413))
    async def ask(request: AskIn, who: Reader) -> JSONResponse:
        """Ask a question. An abstention is an answer with a reason (200), not an error.

        Nothing is kept of it, so it may be sent again at any time: no idempotency key is needed.
        """
        question = request.to_question(who)
        return JSONResponse(render.as_json(await workers.run(lambda: pipeline.ask(question))))

    @routes.post(
        "/stream",
        operation_id="ask_stream",
        summary="Ask, told as it goes",
        description=_TOLD_AS_IT_GOES,
        response_class=StreamingResponse,
        responses={**_STREAM, **refusals(400, 413)},
    )
    async def stream(request: AskIn, who: Reader) -> StreamingResponse:
        return await streaming.streamed(request.to_question(who), pipeline, workers, beat)

    @routes.post(
        "/batch",
        operation_id="ask_batch",
        summary="Ask many questions",
        description=_MANY,
        response_class=StreamingResponse,
        responses={**_LINES, **refusals(413)},
    )
    async def batch(request: Request, questions: Batch, who: Reader) -> StreamingResponse:
        await limits.charge(request, len(questions) - 1)
        lines = _answered(questions, who, pipeline, workers)
        first = await anext(lines)
        return StreamingResponse(_after(first, lines), media_type=JSON_LINES, headers=streaming.UNBUFFERED)

    return routes


async def _answered(
    questions: Sequence[BatchLineIn | Any], who: Person, pipeline: Pipeline, workers: Workers
) -> AsyncGenerator[bytes]:
    """A line for each question, in order; the first one finds room or raises BusyError."""
    for number, raw in enumerate(questions, start=1):
        line = raw.model_dump() if isinstance(raw, BatchLineIn) else raw
        try:
            question = _question(line).to_question(who)
            answer = await workers.run(lambda question=question: pipeline.ask(question))  # type: ignore[misc]
            outcome = render.as_json(answer)
        except (ValidationError, BriQAError) as error:
            outcome = exchange.unanswered(number, error)
        except BusyError as error:
            if number == 1:
                raise
            outcome = exchange.unanswered(number, error)
        except Exception as error:
            outcome = {"error": {"line": number, "message": told(error)[2]}}
        yield f"{exchange.told(line, outcome)}\n".encode("utf-8", "backslashreplace")


def _question(line: Any) -> BatchLineIn:
    if not isinstance(line, dict):
        raise QuestionError("a question of a batch is an object with id and question")
    return BatchLineIn.model_validate(line)


async def _after(first: bytes, lines: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for line in lines:
        yield line
