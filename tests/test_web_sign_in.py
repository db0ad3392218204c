from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from bri_qa.errors import HistoryWriteError
from bri_qa.history import Database, Keys
from bri_qa.settings import Settings
from bri_qa.web import pages, sign_in, sign_in_page, texts
from bri_qa.web.access.onward import local
from bri_qa.web.access.sessions import COOKIE, Sessions
from bri_qa.web.pages import House
from bri_qa.web.sign_in_page import Shown
from bri_qa.web.visitors import Visitor
from tests.fakes import FakePipeline
from tests.housing import assert_problem
from tests.serving import made
from tests.signing import SAME, Entrance, entered

ENGLISH = texts.of(texts.ENGLISH)
GRADIO = "<html><head></head><body><gradio-app></gradio-app></body></html>"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Entrance]:
    with entered(tmp_path) as opened:
        yield opened


def test_a_key_signs_in_and_leads_on_to_where_one_wanted_to_go(house: Entrance) -> None:
    browser, key = house.browser(), house.key("ada", "evaluator", ("press",))
    asked = browser.get("/me?c=1")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=%2Fme%3Fc%3D1")
    page = browser.get(asked.headers["location"])
    assert page.status_code == 200 and 'name="next" value="/me?c=1"' in page.text
    done = browser.post("/sign-in/key", data={"key": f" {key}\n", "next": "/me?c=1"})
    assert (done.status_code, done.headers["location"]) == (303, "/me?c=1")
    assert done.headers["cache-control"] == "no-store"
    assert re.fullmatch(rf"{COOKIE}=\S+; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax", done.headers["set-cookie"])
    found = browser.get("/me").json()
    identity = house.keys.all()[0].id
    assert found == {
        "role": "evaluator",
        "groups": ["press"],
        "user": f"key:{identity}",
        "name": "ada",
        "via": "session",
    }


def test_the_cookie_stays_on_https_where_the_public_address_is(tmp_path: Path) -> None:
    with entered(tmp_path, public_url="https://qa.example", session_hours=1) as house:
        done = house.browser().post("/sign-in/key", data={"key": house.key()})
        assert done.headers["set-cookie"].endswith("; Max-Age=3600; HttpOnly; SameSite=Lax; Secure")


def test_a_program_signs_in_with_json(house: Entrance) -> None:
    browser, key = house.browser(), house.key()
    done = browser.post("/sign-in/key", json={"key": key})
    assert (done.status_code, done.content) == (204, b"")
    assert browser.get("/me").json()["via"] == "session"
    refused = house.browser().post("/sign-in/key", json={"key": key + "x"})
    assert_problem(refused, 401, "credentials_invalid", "revoked or expired")
    assert "set-cookie" not in refused.headers
    assert_problem(house.browser().post("/sign-in/key", json={"key": house.key("m", None)}), 403, "reader_only")


def test_a_wrong_key_shows_the_page_again(house: Entrance) -> None:
    for sent in ("", "bqk", "y" * 201, "bqk_0123456789ab_" + "A" * 43, "<b>😀é"):
        page = house.browser().post("/sign-in/key", data={"key": sent, "next": "/me"})
        assert page.status_code == 401 and "set-cookie" not in page.headers
        assert ENGLISH("sign_in.trouble.key") in page.text and 'role="alert"' in page.text
        assert 'name="next" value="/me"' in page.text and 'aria-invalid="true"' in page.text
        assert "y" * 201 not in page.text and "AAAA" not in page.text and "😀" not in page.text


def test_a_revoked_key_and_one_without_a_role_sign_nobody_in(house: Entrance) -> None:
    key = house.key("old")
    house.keys.revoke("old")
    assert house.browser().post("/sign-in/key", data={"key": key}).status_code == 401
    page = house.browser().post("/sign-in/key", data={"key": house.key("minter", None)})
    assert page.status_code == 403 and ENGLISH("sign_in.trouble.roleless") in page.text


def test_what_is_no_key_at_all_is_refused(house: Entrance) -> None:
    kind = {"content-type": "application/json"}
    for status, sent in ((400, b"{"), (401, b"[1]"), (401, b'{"key": 5}'), (400, b"[" * 100_000), (400, b"\xff")):
        answer = house.browser().post("/sign-in/key", content=sent, headers=kind)
        assert answer.status_code == status and "set-cookie" not in answer.headers


def test_other_sites_sign_nobody_in_or_out(house: Entrance) -> None:
    browser = house.signed_in()
    for foreign in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
        assert_problem(browser.post("/sign-in/key", data={"key": "x"}, headers=foreign), 403, "cross_site")
        assert_problem(browser.post("/sign-out", headers=foreign), 403, "cross_site")
    plain = house.browser()
    del plain.headers["sec-fetch-site"]  # browsers leave it out on plain http
    elsewhere = {"origin": "http://evil.example"}
    assert_problem(plain.post("/sign-in/key", data={"key": "x"}, headers=elsewhere), 403, "cross_site")
    here = plain.post("/sign-in/key", data={"key": house.key("here")}, headers={"origin": "http://testserver"})
    assert here.status_code == 303
    assert browser.get("/me").status_code == 200


def test_each_sign_in_makes_a_new_session_and_ends_the_browsers_old_one(house: Entrance) -> None:
    browser, key = house.browser(), house.key()
    browser.post("/sign-in/key", data={"key": key})
    before = browser.cookies[COOKIE]
    browser.post("/sign-in/key", data={"key": key})
    assert browser.cookies[COOKIE] != before
    thief = house.browser()
    thief.cookies.set(COOKIE, before)
    assert thief.get("/me").status_code == 303


def test_signing_out_ends_the_session_for_whoever_has_its_cookie(house: Entrance) -> None:
    browser = house.signed_in()
    stolen = browser.cookies[COOKIE]
    account = browser.get("/sign-in?next=/me").text
    assert "<b>ada</b>" in account and 'action="/sign-out"' in account and 'href="/me"' in account
    assert browser.get("/sign-out").status_code == 405
    out = browser.post("/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in?left")
    assert COOKIE not in browser.cookies
    assert ENGLISH("sign_in.left") in browser.get(out.headers["location"]).text
    browser.cookies.set(COOKIE, stolen)
    assert browser.get("/me").status_code == 303
    assert house.browser().post("/sign-out").status_code == 303


def test_where_keys_are_not_taken_there_is_no_form(tmp_path: Path) -> None:
    with entered(tmp_path, sign_in_with_key=False) as house:
        page = house.browser().get("/sign-in")
        assert ENGLISH("sign_in.nowhere") in page.text and "<form" not in page.text
        assert house.browser().post("/sign-in/key", data={"key": house.key()}).status_code == 404
        assert house.browser().get("/sign-in/oidc").status_code == 404


def test_a_full_disk_is_told_and_nobody_is_signed_in(house: Entrance, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> str:
        raise HistoryWriteError("the disk is full")

    browser = house.signed_in()
    monkeypatch.setattr(Sessions, "start", full)
    page = house.browser().post("/sign-in/key", data={"key": house.key("b")})
    assert page.status_code == 503 and ENGLISH("sign_in.trouble.broken") in page.text
    monkeypatch.setattr(Sessions, "end", full)
    assert browser.post("/sign-out").status_code == 503


def test_the_page_is_closed_to_everything_but_its_own_forms(house: Entrance) -> None:
    headers = house.browser().get("/sign-in").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "form-action 'self'" in policy and "frame-ancestors 'none'" in policy
    assert headers["referrer-policy"] == "same-origin"  # else its forms come from `Origin: null`
    assert headers["cache-control"] == "no-store" and headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "x",
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "/ /evil.example",
        "javascript:alert(1)",
        "/\u200b/evil.example",
        "/a\r\nset-cookie: x=y",
        "/" + "a" * 2_000,
        "/sign-in",
        "/sign-in?next=/sign-in",
        "/sign-in/oidc",
        "/sign-out",
        "http:/evil.example",
    ],
)
def test_nothing_leads_to_another_site_or_in_circles(wanted: str) -> None:
    assert local(wanted) == "/"


def test_who_signs_in_is_not_led_away(house: Entrance) -> None:
    key = house.key()
    for wanted in ("https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"):
        done = house.browser().post("/sign-in/key", data={"key": key, "next": wanted})
        assert (done.status_code, done.headers["location"]) == (303, "/")
    page = house.signed_in(name="ben").get("/sign-in", params={"next": "//evil.example"}).text
    assert "evil.example" not in page


@pytest.mark.parametrize("wanted", ["/", "/?c=abc", "/articles?q=%2F%2Fx", "/source/a%20b#quote-1", "/sign-in-help"])
def test_pages_of_this_server_can_be_gone_on_to(wanted: str) -> None:
    assert local(wanted) == wanted


def test_what_is_shown_is_escaped() -> None:
    hostile = "/?a=\"'><script>"
    for shown in (
        Shown(hostile, "<b>", True, True),
        Shown(hostile, None, True, True),
        Shown(hostile, None, False, True),
    ):
        page = sign_in_page.content(shown, ENGLISH)
        assert "<script" not in page and "\"'" not in page and "<b><b>" not in page
        assert "&lt;script&gt;" in page
    account = pages.chat_page(GRADIO, House([], None, 10, keeps=True, name='<b>"x"'), Visitor(ENGLISH))
    assert "&lt;b&gt;&quot;x&quot;" in account and '<b>"x"' not in account


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_trouble_has_its_words(language: str) -> None:
    words = texts.of(language)
    for trouble in ("key", "roleless", "down", "stale", "token", "cancelled", "stranger", "broken"):
        page = sign_in_page.content(Shown("/", None, True, True, trouble), words)
        assert words(f"sign_in.trouble.{trouble}") in page


def test_the_chats_header_has_the_way_in_or_out() -> None:
    def header(**given: Any) -> str:
        page = pages.chat_page(GRADIO, House([], None, 10, keeps=True, **given), Visitor(ENGLISH))
        return page[page.index("<header") : page.index("</header>")]

    assert "sign-in" not in header() and "sign-out" not in header()
    assert 'href="/sign-in"' in header(entrance=True) and "<span>Sign in</span>" in header(entrance=True)
    known = header(entrance=True, name="Ada")
    assert "<span>Ada</span>" in known and 'action="/sign-out"' in known and "Sign in<" not in known


def test_the_whole_server_signs_in_below_a_path(tmp_path: Path) -> None:
    database = Database.open(tmp_path)
    _, key = Keys(database).new("ada", "administrator", (), (), None)
    database.close()
    with TestClient(
        made(FakePipeline(), history=tmp_path, sign_in_required=True, root_path="/briqa"), follow_redirects=False
    ) as browser:
        browser.headers.update(SAME | {"accept": "text/html"})
        sent = browser.get("/articles?q=quay")
        assert (sent.status_code, sent.headers["location"]) == (303, "/briqa/sign-in?next=%2Farticles%3Fq%3Dquay")
        page = browser.get("/sign-in?next=%2Farticles%3Fq%3Dquay").text
        assert 'action="/briqa/sign-in/key"' in page and 'name="next" value="/articles?q=quay"' in page
        assert browser.get("/static/fonts/IBMPlexSans/IBMPlexSans-Regular.woff2").status_code == 200
        done = browser.post("/sign-in/key", data={"key": key, "next": "/articles?q=quay"})
        assert done.headers["location"] == "/briqa/articles?q=quay"
        assert "; Path=/briqa; " in done.headers["set-cookie"]
        session = {"cookie": done.headers["set-cookie"].partition(";")[0]}
        chat = browser.get("/", headers=session)
        assert "<span>ada</span>" in chat.text and 'action="/briqa/sign-out"' in chat.text
        assert chat.headers["referrer-policy"] == "same-origin" and "set-cookie" not in chat.headers
        assert browser.get("/admin/feedback", headers=session).status_code == 200
        assert browser.get("/api/v1/history", headers=session).json()["conversations"] == []
        out = browser.post("/sign-out", headers=session)
        assert out.headers["location"] == "/briqa/sign-in?left"
        assert f"{COOKIE}=; Path=/briqa; Max-Age=0" in out.headers["set-cookie"]
        assert browser.get("/admin/feedback", headers=session).status_code == 303


def test_the_way_in_is_shown_where_there_is_one(tmp_path: Path) -> None:
    with entered(tmp_path) as house:
        settings = Settings.load({}, history_dir=tmp_path)
        shown = sign_in.entrance(settings, house.keys)
        assert not shown()
        house.key("minter", None)
        assert not shown()
        house.key("ada")
        assert shown() and not sign_in.entrance(settings.model_copy(update={"sign_in_with_key": False}), house.keys)()
        provider = {"sign_in_with_key": False, "oidc_issuer": "https://login.example"}
        assert sign_in.entrance(settings.model_copy(update=provider), house.keys)()
