"""The files that a request carries, read only after it is known who sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO

from starlette.datastructures import UploadFile
from starlette.requests import Request

from bri_qa.errors import CorpusEditError
from bri_qa.web.admin.desk import FILES

FIELD = "files"


@asynccontextmanager
async def received(request: Request, allowed: bool) -> AsyncIterator[list[tuple[str, BinaryIO]]]:
    """(name, content) of each file of the field `files`; those of some size lie on disk, and go with the block.

    Raises:
        CorpusEditError: uploads are not `allowed`; the body is not read.
        HTTPException: the body is not multipart, is too large or has too many parts.
    """
    if not allowed:
        raise CorpusEditError("upload_closed", "uploads are not allowed here; set BRI_QA_ALLOW_UPLOAD=true")
    async with request.form(max_files=FILES + 1, max_fields=20) as form:
        found = [item for item in form.getlist(FIELD) if isinstance(item, UploadFile)]
        # a form with no file chosen sends one part without a name
        yield [(item.filename, item.file) for item in found if item.filename]
