from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bri_qa.history import Rating
from bri_qa.web import export_api, feedback_api, history_api
from bri_qa.web.history_schemas import ConversationOut, PageOut
from bri_qa.web.identity import COOKIE, Identity
from tests.housing import ANNA, BEN, House, assert_problem
from tests.keeping import MILL, MOON, QUAY

HISTORY, FEEDBACK, EXPORT = history_api.PATH, feedback_api.PATH, export_api.PATH


def test_a_user_lists_searches_renames_and_deletes(house: House) -> None:
    anna, first = house.browser(ANNA), house.add(ANNA)
    house.add(ANNA, MILL)
    response = anna.get(HISTORY)
    page = response.json()
    assert PageOut.model_validate(page).model_dump(mode="json") == page
    assert [item["title"] for item in page["conversations"]] == [MILL, QUAY]
    assert response.headers["cache-control"] == "no-store"
    assert [item["title"] for item in anna.get(HISTORY, params={"q": "metres"}).json()["conversations"]] == [QUAY]
    part = anna.get(HISTORY, params={"limit": 1}).json()
    rest = anna.get(HISTORY, params={"limit": 1, "cursor": part["next"]}).json()
    assert ([item["title"] for item in rest["conversations"]], rest["next"]) == ([QUAY], None)
    one = f"{HISTORY}/{first.conversation_id}"
    renamed = anna.patch(one, json={"title": " The\nquay "}).json()
    assert (renamed["title"], renamed["id"], renamed["questions"]) == ("The quay", first.conversation_id, 1)
    assert anna.delete(one).status_code == 204
    assert_problem(anna.get(one), 404, "not_found", "may have been deleted")
    assert anna.delete(HISTORY).json() == {"deleted": 1}
    assert anna.get(HISTORY).json() == {"conversations": [], "next": None}


def test_a_conversation_is_shown_as_it_was(house: House) -> None:
    entry = house.add(ANNA)
    house.add(ANNA, MOON, entry.conversation_id)
    house.records.ratings.rate(ANNA, entry.id, Rating.UP, 1)
    body = house.browser(ANNA).get(f"{HISTORY}/{entry.conversation_id}").json()
    assert ConversationOut.model_validate(body).model_dump(mode="json") == body
    assert body["entries"][0]["answer"] == entry.contract
    assert [item["answer"]["question"] for item in body["entries"]] == [QUAY, MOON]
    assert [item["citation"] for item in body["entries"][0]["feedback"]] == [1]


def test_two_browsers_never_see_each_others(house: House) -> None:
    """Every route that names something, asked by Ben for what is Anna's; and every list."""
    hers, his = house.add(ANNA), house.add(BEN, MILL)
    ben, conversation = house.browser(BEN), hers.conversation_id
    house.records.ratings.rate(ANNA, hers.id, Rating.UP)
    for response in (
        ben.get(f"{HISTORY}/{conversation}"),
        ben.patch(f"{HISTORY}/{conversation}", json={"title": "mine"}),
        ben.delete(f"{HISTORY}/{conversation}"),
        ben.put(FEEDBACK, json={"entry": hers.id, "rating": "down"}),
        ben.delete(FEEDBACK, params={"entry": hers.id}),
        ben.get(f"{EXPORT}/conversations/{conversation}", params={"format": "json"}),
        ben.get(f"{EXPORT}/answers/{hers.id}", params={"format": "docx"}),
    ):
        assert_problem(response, 404, "not_found")
        assert "quay" not in response.text
    assert [item["id"] for item in ben.get(HISTORY).json()["conversations"]] == [his.conversation_id]
    assert ben.get(HISTORY, params={"q": "quay"}).json()["conversations"] == []
    assert ben.delete(HISTORY).json() == {"deleted": 1}
    body = house.browser(ANNA).get(f"{HISTORY}/{conversation}").json()
    assert (body["title"], body["entries"][0]["feedback"][0]["rating"]) == (QUAY, "up")


def test_who_has_no_valid_cookie_has_no_history(house: House) -> None:
    entry = house.add(ANNA)
    forged = Identity(b"another key, of thirty two bytes").signed(ANNA)
    valid = house.records.identity.signed(ANNA)
    for cookie in ("", ANNA, forged, valid + "x", valid.replace("anna", "ben"), "a.b.c", "\u00e9.x.y"):
        client = house.browser(None)
        headers = {"Cookie": f"{COOKIE}={cookie}".encode("latin-1")}
        for method, path, body in (
            ("GET", HISTORY, None),
            ("DELETE", HISTORY, None),
            ("GET", f"{HISTORY}/{entry.conversation_id}", None),
            ("PATCH", f"{HISTORY}/{entry.conversation_id}", {"title": "x"}),
            ("DELETE", f"{HISTORY}/{entry.conversation_id}", None),
            ("PUT", FEEDBACK, {"entry": entry.id, "rating": "up"}),
            ("DELETE", f"{FEEDBACK}?entry={entry.id}", None),
            ("GET", f"{EXPORT}/conversations/{entry.conversation_id}", None),
            ("GET", f"{EXPORT}/answers/{entry.id}", None),
        ):
            response = client.request(method, path, json=body, headers=headers)  # type: ignore[arg-type]
            assert_problem(response, 401, "session_missing", "open the chat page again")
            assert "set-cookie" not in response.headers
    assert_problem(house.browser(None).get(HISTORY), 401, "session_missing")
    assert house.records.history.conversation(ANNA, entry.conversation_id).title == QUAY


@pytest.mark.parametrize("headers", [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},  # a sibling host or another port: the cookie comes along
    {"Origin": "https://elsewhere.example"},
    {"Origin": "http://testserver:8000"},
    {"Origin": "null"},
])  # fmt: skip
def test_only_pages_of_ours_change_anything(house: House, headers: dict[str, str]) -> None:
    entry = house.add(ANNA)
    anna, one = house.browser(ANNA), f"{HISTORY}/{entry.conversation_id}"
    house.records.ratings.rate(ANNA, entry.id, Rating.UP)
    for response in (
        anna.patch(one, json={"title": "x"}, headers=headers),
        anna.delete(one, headers=headers),
        anna.delete(HISTORY, headers=headers),
        anna.put(FEEDBACK, json={"entry": entry.id, "rating": "down"}, headers=headers),
        anna.delete(FEEDBACK, params={"entry": entry.id}, headers=headers),
    ):
        assert_problem(response, 403, "cross_site")
    kept = house.records.history.conversation(ANNA, entry.conversation_id)
    assert (kept.title, kept.entries[0].feedback[0].rating) == (QUAY, Rating.UP)


@pytest.mark.parametrize(
    ("method", "path", "body", "problem"),
    [
        ("PATCH", f"{HISTORY}/ID", {"title": "x" * 201}, (422, "request_invalid", "body.title")),
        ("PATCH", f"{HISTORY}/ID", {"title": "x", "user": "ben"}, (422, "request_invalid", "body.user")),
        ("PATCH", f"{HISTORY}/ID", {"title": " "}, (400, "input_unusable", "the title is empty; type one")),
        ("GET", f"{HISTORY}?q={'x' * 201}", None, (422, "request_invalid", "query.q")),
        ("GET", f"{HISTORY}?limit=0", None, (422, "request_invalid", "query.limit")),
        ("GET", f"{HISTORY}?limit=201", None, (422, "request_invalid", "query.limit")),
        ("GET", f"{HISTORY}?cursor=x", None, (400, "input_unusable", "begin at the first page")),
        ("PUT", FEEDBACK, {"entry": "ENTRY", "rating": "meh"}, (422, "request_invalid", "body.rating")),
        (
            "PUT",
            FEEDBACK,
            {"entry": "ENTRY", "rating": "down", "reason": "bad"},
            (422, "request_invalid", "body.reason"),
        ),
        (
            "PUT",
            FEEDBACK,
            {"entry": "ENTRY", "rating": "up", "reason": "wrong"},
            (400, "input_unusable", "thumbs-down"),
        ),
        (
            "PUT",
            FEEDBACK,
            {"entry": "ENTRY", "rating": "up", "comment": "x" * 2_001},
            (422, "request_invalid", "body.comment"),
        ),
        ("PUT", FEEDBACK, {"entry": "ENTRY", "rating": "up", "citation": 0}, (422, "request_invalid", "body.citation")),
        ("PUT", FEEDBACK, {"entry": "ENTRY", "rating": "up", "citation": 9}, (404, "not_found", "no citation 9")),
        ("GET", f"{EXPORT}/answers/ENTRY?format=pdf", None, (422, "request_invalid", "query.format")),
        ("GET", f"{EXPORT}/answers/nothing", None, (404, "not_found", "may have been deleted")),
    ],
)
def test_what_cannot_be_used_is_a_problem(
    house: House, method: str, path: str, body: Any, problem: tuple[int, str, str]
) -> None:
    entry = house.add(ANNA)
    path = path.replace("ID", entry.conversation_id).replace("ENTRY", entry.id)
    if body is not None and "entry" in body:
        body = {**body, "entry": entry.id}
    assert_problem(house.browser(ANNA).request(method, path, json=body), *problem)


def test_a_history_that_is_damaged_while_it_serves_is_a_problem(house: House, tmp_path: Path) -> None:
    house.records.database.close()
    (tmp_path / "history.sqlite").write_bytes(b"no database " * 500)
    assert_problem(house.browser(ANNA).get(HISTORY), 503, "not_available", "is damaged")


def test_the_schema_names_every_answer_and_problem(house: House) -> None:
    paths = house.browser(None).get("/openapi.json").json()["paths"]
    seen = {(method, path): set(operation["responses"]) for path, operations in paths.items()
            for method, operation in operations.items() if path.startswith("/api/")}  # fmt: skip
    assert len(seen) == 11
    for (method, path), statuses in seen.items():
        assert {"401", "422", "503"} <= statuses, path
        assert method == "get" or "403" in statuses, path
