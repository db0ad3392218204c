from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient

from bri_qa.errors import SettingsError
from bri_qa.settings import Settings
from bri_qa.web import texts
from bri_qa.web.access import Role
from bri_qa.web.access.claims import Reading, user_of
from bri_qa.web.access.discovery import FRESH_SECONDS, Discovered
from bri_qa.web.access.oidc import TICKET_SECONDS
from bri_qa.web.access.registration import Registration, is_safe
from bri_qa.web.access.sessions import COOKIE
from bri_qa.web.sign_in import TICKET
from tests.oidc_provider import OidcProvider, elliptic, provided, rsa
from tests.signing import Entrance, entered

ENGLISH = texts.of(texts.ENGLISH)


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with provided() as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, provider: OidcProvider) -> Iterator[Entrance]:
    groups = {"oidc_evaluator_groups": "Press Office, editors", "oidc_administrator_groups": "admins"}
    with entered(tmp_path, **provider.settings, **groups) as opened:
        yield opened


def _to_provider(browser: TestClient, onward: str = "/me") -> str:
    """Out of the door: the address at the provider."""
    sent = browser.get("/sign-in/oidc", params={"next": onward})
    assert sent.status_code == 303, sent.text
    return str(sent.headers["location"])


def _there(address: str) -> str:
    """What the provider answers: the way back to us."""
    answer = httpx2.get(address)
    assert answer.status_code == 302
    return answer.headers["location"]


def _come(browser: TestClient, onward: str = "/me") -> Any:
    return browser.get(_there(_to_provider(browser, onward)))


def _refused(browser: TestClient, answer: Any, status: int, trouble: str) -> None:
    assert answer.status_code == status, answer.text
    assert ENGLISH(f"sign_in.trouble.{trouble}") in answer.text
    assert COOKIE not in browser.cookies
    assert browser.get("/me").status_code == 303


def test_one_who_signs_in_there_is_known_here(house: Entrance, provider: OidcProvider) -> None:
    provider.said = {"groups": ["staff", "press", "admins"]}
    browser = house.browser()
    page = browser.get("/sign-in?next=/me").text
    assert 'href="/sign-in/oidc?next=%2Fme"' in page
    assert provider.asked == []  # the provider is not asked before somebody wants to sign in
    back = _come(browser)
    assert (back.status_code, back.headers["location"]) == (303, "/me")
    assert TICKET not in browser.cookies
    assert browser.get("/me").json() == {
        "role": "administrator",
        "groups": ["admins", "press", "staff"],
        "user": user_of(provider.issuer, "u-1"),
        "name": "Ada Example",
        "via": "session",
    }
    assert "/userinfo" not in provider.asked
    before = len(provider.asked)
    _come(house.browser())
    assert provider.asked[before:] == ["/authorize", "/token"]  # what the provider publishes is remembered


def test_what_is_sent_there_holds_no_secret_and_is_new_each_time(house: Entrance) -> None:
    browser = house.browser()
    first, second = (parse_qs(urlsplit(_to_provider(browser)).query) for _ in range(2))
    assert first["redirect_uri"] == ["http://testserver/sign-in/callback"]
    assert first["scope"] == ["openid profile email"] and first["code_challenge_method"] == ["S256"]
    assert set(first) == {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method"),
    }
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]


def test_the_host_header_does_not_choose_the_way_back(house: Entrance) -> None:
    browser = house.browser("http://evil.example")
    assert "evil.example" not in _to_provider(browser)


def test_the_ticket_is_for_ten_minutes_and_no_script(house: Entrance) -> None:
    sent = house.browser().get("/sign-in/oidc")
    assert sent.headers["set-cookie"].startswith(f"{TICKET}=")
    assert sent.headers["set-cookie"].endswith("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax")


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ({"groups": ["staff"]}, "reader"),
        ({"groups": []}, "reader"),
        ({"groups": "editors"}, "evaluator"),
        ({"groups": ["Press Office"]}, "evaluator"),
        ({"groups": ["Admins", 5, None]}, "reader"),
        ({"groups": ["editors", "admins"]}, "administrator"),
    ],
)
def test_groups_make_the_role(said: dict[str, Any], role: str) -> None:
    reading = Reading(evaluators=frozenset({"editors", "Press Office"}), administrators=frozenset({"admins"}))
    assert reading.person("https://i", {"sub": "u", **said}).role == role


def test_groups_that_no_article_can_name_are_dropped_with_a_line(caplog: pytest.LogCaptureFixture) -> None:
    listed = ["press", "Press Office", "é", "a" * 65, "board.x_y-2", "\n"]
    found = Reading().person("https://i", {"sub": "u", "groups": listed})
    assert found.groups == frozenset({"press", "board.x_y-2"})
    assert "4 groups" in caplog.text and "Press Office" in caplog.text and "\n\n" not in caplog.text
    many = Reading().person("https://i", {"sub": "u", "groups": [f"g{number}" for number in range(1_000)]})
    assert len(many.groups or ()) == 200


def test_claims_may_have_other_names_or_lie_deeper() -> None:
    reading = Reading("realm_access.roles", "nick", readers=frozenset({"in"}))
    claims = {"sub": "u", "nick": " A\u202e\n b ", "realm_access": {"roles": ["in"]}}
    assert reading.has_groups(claims)
    found = reading.person("https://i", claims)
    assert (found.role, found.groups, found.name) == (Role.READER, frozenset({"in"}), "A b")
    assert reading.person("https://i", {"sub": "u", "email": "u@x.example"}).role is None
    assert reading.person("https://i", {"sub": "u", "email": "u@x.example"}).name == "u@x.example"
    url = Reading("https://x.example/groups")
    assert url.person("https://i", {"sub": "u", "https://x.example/groups": ["a"]}).groups == frozenset({"a"})
    assert not reading.has_groups({"sub": "u", "realm_access": ["roles"]})


def test_people_of_two_providers_are_two_people() -> None:
    keys = [
        user_of("https://a", "1"),
        user_of("https://b", "1"),
        user_of("https://a", "2"),
        user_of("https://a", "x" * 255),
    ]
    assert len(set(keys)) == 4 and all(len(key) < 200 for key in keys)


def test_only_the_named_groups_may_come_in(tmp_path: Path, provider: OidcProvider) -> None:
    with entered(tmp_path, **provider.settings, oidc_reader_groups="staff") as house:
        assert _come(house.browser()).status_code == 303
        provider.said = {"groups": ["guests"]}
        browser = house.browser()
        _refused(browser, _come(browser), 403, "stranger")


def test_groups_that_the_token_lacks_are_asked_for(house: Entrance, provider: OidcProvider) -> None:
    provider.said, provider.info = {"groups": None}, {"sub": "u-1", "groups": ["editors"], "name": "Other"}
    browser = house.browser()
    assert _come(browser).status_code == 303
    assert browser.get("/me").json()["role"] == "evaluator"
    assert browser.get("/me").json()["name"] == "Ada Example"  # the ID token's word stands
    provider.info = {"sub": "u-2", "groups": ["admins"]}
    stranger = house.browser()
    _refused(stranger, _come(stranger), 401, "token")
    provider.failing = {"/userinfo"}
    stranger = house.browser()
    _refused(stranger, _come(stranger), 502, "down")


def test_an_id_token_that_is_not_for_this_sign_in_is_refused(house: Entrance, provider: OidcProvider) -> None:
    now = time.time()
    for said in (
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["bri-qa", "another"]},  # and no azp
        {"aud": ["bri-qa", "another"], "azp": "another"},
        {"azp": "another"},
        {"iss": "https://evil.example"},
        {"iss": f"{provider.issuer}/"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 5},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": now - 3_700, "exp": now - 100},
        {"iat": None},
        {"iat": now + 600},
        {"nbf": now + 600},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ):
        provider.said = said
        browser = house.browser()
        _refused(browser, _come(browser), 401, "token")


def test_clocks_may_differ_a_little_and_there_may_be_other_audiences(house: Entrance, provider: OidcProvider) -> None:
    now = time.time()
    provider.said = {"iat": now + 30, "exp": now - 30, "aud": ["bri-qa", "another"], "azp": "bri-qa"}
    assert _come(house.browser()).status_code == 303


def test_a_token_without_a_providers_signature_is_refused(house: Entrance, provider: OidcProvider) -> None:
    provider.algorithm = "none"
    browser = house.browser()
    _refused(browser, _come(browser), 401, "token")
    provider.trusting_the_secret()
    _refused(browser, _come(browser), 401, "token")
    provider.published = [provider.key.as_dict(private=True), rsa("one")]  # even if it is published as a key
    _refused(browser, _come(browser), 401, "token")
    provider.algorithm, provider.key, provider.published = "RS256", rsa("other"), [rsa("one")]
    _refused(browser, _come(browser), 401, "token")


def test_a_signature_of_another_key_under_a_known_name_is_refused(house: Entrance, provider: OidcProvider) -> None:
    forged = rsa("forger")
    provider.key = type(forged).import_key(forged.as_dict(private=True), {"kid": "one"})
    browser = house.browser()
    _refused(browser, _come(browser), 401, "token")


def test_a_provider_may_change_its_keys(
    house: Entrance, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bri_qa.web.access.discovery._ANEW_SECONDS", -1)
    assert _come(house.browser()).status_code == 303
    provider.key, provider.algorithm = elliptic("two"), "ES256"
    odd: list[Any] = [{"kty": "LATTICE", "kid": "three"}, {"kty": "RSA"}, "no key", {"kty": "RSA", "use": "enc"}]
    provider.published = [*odd, elliptic("two")]
    assert _come(house.browser()).status_code == 303


def test_unknown_keys_do_not_make_us_ask_all_the_time(house: Entrance, provider: OidcProvider) -> None:
    provider.key = rsa("unknown")
    for _ in range(3):
        browser = house.browser()
        _refused(browser, _come(browser), 401, "token")
    assert provider.asked.count("/keys") == 1


def test_a_way_back_serves_once_and_in_the_browser_that_began(house: Entrance, provider: OidcProvider) -> None:
    browser = house.browser()
    address = _there(_to_provider(browser))
    other = house.browser()
    _refused(other, other.get(address), 400, "stale")  # somebody else's link: no ticket
    _to_provider(other)
    _refused(other, other.get(address), 400, "stale")  # another sign-in's ticket
    ticket = browser.cookies[TICKET]
    assert browser.get(address).status_code == 303
    again = house.browser()
    again.cookies.set(TICKET, ticket, domain="testserver.local")
    asked = len(provider.asked)
    _refused(again, again.get(address), 400, "stale")
    assert len(provider.asked) == asked  # it is not even tried


def test_a_ticket_cannot_be_made_up_or_kept(house: Entrance, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = house.browser()
    address = _there(_to_provider(browser))
    later = time.time() + TICKET_SECONDS + 5
    with monkeypatch.context() as patched:
        patched.setattr("itsdangerous.timed.TimestampSigner.get_timestamp", lambda _: int(later))
        _refused(browser, browser.get(address), 400, "stale")
    browser = house.browser()
    address = _there(_to_provider(browser))
    forger = house.browser()
    forger.cookies.set(TICKET, f"{browser.cookies[TICKET][:-8]}AAAAAAAA", domain="testserver.local")
    _refused(forger, forger.get(address), 400, "stale")


def test_a_stolen_code_is_of_no_use_in_another_browser(house: Entrance, provider: OidcProvider) -> None:
    """The provider checks PKCE: the code belongs to the browser that began."""
    victim, thief = house.browser(), house.browser()
    code = parse_qs(urlsplit(_there(_to_provider(victim))).query)["code"][0]
    state = parse_qs(urlsplit(_to_provider(thief)).query)["state"][0]
    _refused(thief, thief.get("/sign-in/callback", params={"code": code, "state": state}), 401, "token")
    assert provider.tokens[-1]["code"] == code and provider.codes == {}


def test_what_the_provider_refuses_is_told(house: Entrance) -> None:
    for answer, status, trouble in (
        ({"error": "access_denied", "error_description": "<script>"}, 403, "cancelled"),
        ({"code": "x", "iss": "https://evil.example"}, 401, "token"),
        ({}, 400, "stale"),
        ({"code": "made-up"}, 401, "token"),
    ):
        browser = house.browser()
        state = parse_qs(urlsplit(_to_provider(browser)).query)["state"][0]
        back = browser.get("/sign-in/callback", params={"state": state, **answer})
        assert "<script>" not in back.text
        _refused(browser, back, status, trouble)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
def test_a_provider_that_is_down_is_told_with_a_way_to_try_again(
    house: Entrance, provider: OidcProvider, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    browser = house.browser()
    for broken in (provider.failing, provider.garbled):
        if path == "/token" and broken is provider.garbled:
            continue
        broken.add(path)
        first = browser.get("/sign-in/oidc?next=/me")
        back = first if first.status_code != 303 else browser.get(_there(first.headers["location"]))
        _refused(browser, back, 502, "down")
        assert ENGLISH("sign_in.again") in back.text and 'href="/sign-in/oidc' in back.text
        broken.clear()
    assert "cannot be asked" in caplog.text
    assert _come(browser).status_code == 303


def test_a_provider_that_is_not_there_is_told(tmp_path: Path, provider: OidcProvider) -> None:
    with provided() as gone:
        settings = provider.settings | {"oidc_issuer": gone.issuer}
    with entered(tmp_path, **settings) as house:
        answer = house.browser().get("/sign-in/oidc")
        assert answer.status_code == 502 and ENGLISH("sign_in.trouble.down") in answer.text


def test_metadata_that_is_not_safe_is_not_used(
    house: Entrance, provider: OidcProvider, caplog: pytest.LogCaptureFixture
) -> None:
    unsafe: tuple[dict[str, Any], ...] = (
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
        {"userinfo_endpoint": "http://evil.example/info"},
        {"token_endpoint": "https://user@evil.example/"},
    )
    for metadata in unsafe:
        provider.metadata = metadata
        caplog.clear()
        assert house.browser().get("/sign-in/oidc").status_code == 502
        assert ("BRI_QA_OIDC_ISSUER" if "issuer" in metadata else "no https address") in caplog.text


def test_what_is_published_is_asked_for_again_after_an_hour(provider: OidcProvider) -> None:
    clock = [0.0]
    discovered = Discovered(provider.issuer, lambda: clock[0])

    def asked_at(moment: float) -> int:
        clock[0] = moment
        asyncio.run(discovered.metadata())
        asyncio.run(discovered.keys())
        return len(provider.asked)

    assert [asked_at(FRESH_SECONDS * part) for part in (0, 0.5, 1, 1.1, 1.5)] == [2, 2, 2, 4, 4]


def test_the_secret_goes_the_way_that_the_provider_knows(house: Entrance, provider: OidcProvider) -> None:
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert _come(house.browser()).status_code == 303
    assert provider.tokens[-1]["client_secret"] == provider.secret


def test_without_a_secret_pkce_alone_proves_who_asks(tmp_path: Path, provider: OidcProvider) -> None:
    provider.secret = None
    with entered(tmp_path, **{**provider.settings, "oidc_client_secret": None}) as house:
        assert _come(house.browser()).status_code == 303


def test_nothing_secret_is_logged(house: Entrance, provider: OidcProvider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "bri_qa")
    provider.said = {"aud": "another"}
    _come(house.browser())
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("bri_qa"))
    assert "ID token" in ours and provider.tokens[-1]["code_verifier"] not in ours and "s3cret" not in ours


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"oidc_issuer": "http://login.example"}, "must be an https address"),
        ({"oidc_issuer": "https://login.example?x=1"}, "must be an https address"),
        ({"oidc_issuer": "login.example"}, "must be an https address"),
        ({"public_url": None}, "needs BRI_QA_PUBLIC_URL"),
        ({"oidc_client_id": None}, "needs BRI_QA_OIDC_CLIENT_ID"),
        ({"oidc_issuer": None}, "BRI_QA_OIDC_CLIENT_ID is of no use alone"),
        ({"oidc_client_secret": "a", "oidc_client_secret_file": "b"}, "set one of them"),
        ({"oidc_client_secret_file": "/nowhere/secret"}, "OIDC_CLIENT_SECRET_FILE: /nowhere/secret cannot be read"),
        ({"oidc_scopes": "profile"}, "must hold openid"),
    ],
)
def test_settings_that_do_not_fit_together_say_what_to_do(given: dict[str, Any], said: str) -> None:
    whole = {"oidc_issuer": "https://login.example", "oidc_client_id": "c", "public_url": "https://qa.example/sub/"}
    assert Registration.open(Settings.load({}, history_dir=None)) is None
    made = Registration.open(Settings.load({}, **whole))
    assert made is not None and made.redirect == "https://qa.example/sub/sign-in/callback"
    with pytest.raises(SettingsError, match=said):
        Registration.open(Settings.load({}, **{**whole, **given}))


def test_the_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    text = "from-file"
    (tmp_path / "secret").write_text(f"{text}\n")
    given: dict[str, Any] = {
        "oidc_issuer": "https://login.example",
        "oidc_client_id": "c",
        "public_url": "https://q.example",
    }
    settings = Settings.load({}, **given, oidc_client_secret_file=tmp_path / "secret")
    made = Registration.open(settings)
    assert made is not None and made.client_secret == text
    assert "from-file" not in repr(Settings.load({}, oidc_client_secret="from-file"))


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://x.example/a", True),
        ("http://127.0.0.1:9/a", True),
        ("http://[::1]/a", True),
        ("http://localhost/a", True),
        ("http://x.example/a", False),
        ("http://localhost.evil.example/a", False),
        ("http://127.0.0.1.evil.example/", False),
        ("https://a@x.example/", False),
        ("https:///a", False),
        ("http://[::1/", False),
        ("ftp://127.0.0.1/", False),
    ],
)
def test_only_https_and_this_machine_are_safe(address: str, safe: bool) -> None:
    assert is_safe(address) is safe
