from __future__ import annotations

import io

import docx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bri_qa.web import export_api
from bri_qa.web.access import AccessMiddleware, Person, Role
from tests.housing import ANNA, House
from tests.keeping import MOON, QUAY

EXPORT = export_api.PATH


@pytest.mark.parametrize(
    ("wanted", "kind", "suffix"),
    [
        ("markdown", "text/markdown; charset=utf-8", "md"),
        ("text", "text/plain; charset=utf-8", "txt"),
        ("json", "application/json", "json"),
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ],
)
def test_a_user_takes_answers_and_conversations_away(house: House, wanted: str, kind: str, suffix: str) -> None:
    entry = house.add(ANNA)
    house.add(ANNA, MOON, entry.conversation_id)
    anna = house.browser(ANNA)
    for path, questions in ((f"conversations/{entry.conversation_id}", [QUAY, MOON]), (f"answers/{entry.id}", [QUAY])):
        response = anna.get(f"{EXPORT}/{path}", params={"format": wanted})
        assert response.headers["content-type"] == kind
        name = f"{entry.asked:%Y-%m-%d}-how-long-is-the-new-quay.{suffix}"
        assert response.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert response.headers["cache-control"] == "no-store"
        text = response.text
        if wanted == "docx":
            file = docx.Document(io.BytesIO(response.content))
            text = "\n".join(paragraph.text for paragraph in file.paragraphs)
            text += " ".join(link.url for paragraph in file.paragraphs for link in paragraph.hyperlinks)
        assert all(question in text for question in questions)
        assert "http://testserver/source/harbour?start=147&end=211&v=" in text


def test_links_lead_to_the_public_address(house: House) -> None:
    entry = house.add(ANNA)
    app = FastAPI()
    app.include_router(export_api.router(house.records, "https://portal.example/qa/"))
    app.add_middleware(AccessMiddleware, resolve=lambda _: Person(Role.READER, user=ANNA, via="anonymous"))
    client = TestClient(app)
    assert "https://portal.example/qa/source/harbour?start=147" in client.get(f"{EXPORT}/answers/{entry.id}").text
