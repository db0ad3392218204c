"""What the API of administration takes and gives: pydantic models."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bri_qa.corpus import RejectedFile
from bri_qa.corpus.editing import Trashed
from bri_qa.corpus.staging import Applied, Fate, Preview, Staged
from bri_qa.types import Document
from bri_qa.web.admin.desk import Overview
from bri_qa.web.admin.looking import Held
from bri_qa.web.admin.rebuilding import Built, Rebuild, State


class ApplyIn(BaseModel):
    """Which preview is confirmed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    digest: str = Field(max_length=100, description="`digest` of the preview")


class RemoveIn(BaseModel):
    """Which file is removed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    path: str = Field(max_length=4_096, description="its path under the corpus folder", examples=["ferry.md"])


class RejectedOut(BaseModel):
    """A file of the corpus folder that is no article, and why."""

    path: str
    reason: str

    @classmethod
    def of(cls, item: RejectedFile) -> RejectedOut:
        return cls(path=item.path, reason=item.reason)


class ArticleOut(BaseModel):
    """What a file was read as."""

    document_id: str
    title: str
    publisher: str | None
    published: str | None
    language: str | None
    groups: list[str]
    words: int

    @classmethod
    def of(cls, item: Document) -> ArticleOut:
        source = item.source
        return cls(
            document_id=item.id,
            title=source.title,
            publisher=source.publisher,
            published=source.published,
            language=source.language,
            groups=list(source.groups),
            words=len(item.text.split()),
        )


class HeldOut(BaseModel):
    """An article of the corpus folder; `state` is how it stands to the index."""

    path: str
    state: Literal["unchanged", "added", "changed"]
    article: ArticleOut

    @classmethod
    def of(cls, item: Held) -> HeldOut:
        return cls.model_validate({"path": item.path, "state": item.state, "article": ArticleOut.of(item.document)})


class ArticlesOut(BaseModel):
    """A part of the articles, and how many fit in all."""

    articles: list[HeldOut]
    total: int


class WaitingOut(BaseModel):
    """What the next build takes up: the path of a file, or for `removed` the id of an article."""

    state: Literal["added", "changed", "removed"]
    name: str


class OverviewOut(BaseModel):
    """The index and the corpus folder. `built` is null where there is no index that can be used; `anew` says why."""

    articles: int
    passages: int
    built: AwareDatetime | None
    embedder: str
    anew: str | None
    waiting: list[WaitingOut]
    rejected: list[RejectedOut]

    @classmethod
    def of(cls, found: Overview) -> OverviewOut:
        waiting = [WaitingOut.model_validate({"state": state, "name": name}) for state, name in found.waiting]
        return cls(
            articles=found.indexed,
            passages=found.passages,
            built=found.built,
            embedder=found.embedder,
            anew=found.anew,
            waiting=waiting,
            rejected=[RejectedOut.of(item) for item in found.rejected],
        )


class StagedOut(BaseModel):
    """A file of an upload: `reason` is of one that is rejected, `article` of the others."""

    name: str
    fate: Fate
    reason: str | None
    article: ArticleOut | None

    @classmethod
    def of(cls, item: Staged) -> StagedOut:
        article = ArticleOut.of(item.document) if item.document else None
        return cls(name=item.name, fate=item.fate, reason=item.reason or None, article=article)


class PreviewOut(BaseModel):
    """What an upload would change; `digest` confirms exactly that."""

    id: str
    digest: str
    files: list[StagedOut]

    @classmethod
    def of(cls, found: Preview) -> PreviewOut:
        return cls(id=found.id, digest=found.digest, files=[StagedOut.of(item) for item in found.files])


class TrashedOut(BaseModel):
    """A file in the trash."""

    id: str
    path: str
    removed: AwareDatetime

    @classmethod
    def of(cls, item: Trashed) -> TrashedOut:
        return cls(id=item.id, path=item.path, removed=item.removed)


class TrashOut(BaseModel):
    """All that lies in the trash, last first."""

    files: list[TrashedOut]


class AppliedOut(BaseModel):
    """What an upload changed, and the files that were replaced."""

    files: list[StagedOut]
    trashed: list[TrashedOut]

    @classmethod
    def of(cls, done: Applied) -> AppliedOut:
        files = [StagedOut.of(item) for item in done.changes]
        return cls(files=files, trashed=[TrashedOut.of(item) for item in done.trashed])


class BuiltOut(BaseModel):
    """What the index holds after a build, how many articles it took up, and the files that cannot be used."""

    articles: int
    passages: int
    added: int
    changed: int
    removed: int
    rejected: list[RejectedOut]

    @classmethod
    def of(cls, item: Built) -> BuiltOut:
        rejected = [RejectedOut.of(one) for one in item.rejected]
        return cls(
            articles=item.documents,
            passages=item.passages,
            added=item.added,
            changed=item.changed,
            removed=item.removed,
            rejected=rejected,
        )


class RebuildOut(BaseModel):
    """A build of the index: `done` of `total` passages are embedded.

    `code` of one that failed: `index_busy` (another process builds), `build_failed` (`error` says what to do) or
    `internal` (the operator's log has it).
    """

    state: State
    by: str
    started: AwareDatetime | None
    ended: AwareDatetime | None
    done: int
    total: int
    built: BuiltOut | None
    code: str | None
    error: str | None

    @classmethod
    def of(cls, now: Rebuild) -> RebuildOut:
        return cls(
            state=now.state,
            by=now.by,
            started=now.started,
            ended=now.ended,
            done=now.done,
            total=now.total,
            built=BuiltOut.of(now.built) if now.built else None,
            code=now.code,
            error=now.error,
        )
