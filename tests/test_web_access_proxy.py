from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from bri_qa.errors import SettingsError
from bri_qa.settings import Settings
from bri_qa.web.access import CredentialsError, Person, Role
from bri_qa.web.access.proxy import GROUPS, USER_CHARS, ProxyIdentity
from bri_qa.web.operation.forwarded import PEER

PROXY = "10.1.2.3"
SET: dict[str, Any] = {
    "proxy_user_header": "X-Remote-User",
    "proxy_groups_header": "X-Remote-Groups",
    "proxy_evaluator_groups": "raters",
    "proxy_administrator_groups": "desk, owners",
    "trusted_proxies": "10.1.0.0/16, ::1",
}


def _identity(**more: Any) -> ProxyIdentity:
    found = ProxyIdentity.open(Settings.load({}, **{**SET, **more}))
    assert found is not None
    return found


def _asked(*headers: tuple[str, bytes], peer: str | None = PROXY, client: str = "192.0.2.7") -> HTTPConnection:
    """`client` is what the server believes of who asks, `peer` is the other end of the connection."""
    raw = [(name.lower().encode(), value) for name, value in headers]
    scope: dict[str, Any] = {"type": "http", "headers": raw, "client": (client, 1)}
    return HTTPConnection(scope | ({} if peer is None else {PEER: peer}))


def _person(user: str, groups: str = "", **more: Any) -> Person | None:
    headers = [("X-Remote-User", user.encode())] + ([("X-Remote-Groups", groups.encode())] if groups else [])
    return _identity(**more).person(_asked(*headers))


def test_a_trusted_proxy_says_who_asks_and_what_they_may() -> None:
    assert _person("anna") == Person(Role.READER, frozenset(), "proxy:anna", "proxy", "anna")
    found = _person("Jörg  Méndez", "staff, raters")
    assert found == Person(Role.EVALUATOR, frozenset({"staff", "raters"}), "proxy:Jörg Méndez", "proxy", "Jörg Méndez")
    for group in ("desk", "owners"):
        found = _person("anna", f"raters,{group}")
        assert found is not None and found.role is Role.ADMINISTRATOR


@pytest.mark.parametrize("peer", [PROXY, "::ffff:10.1.2.3", "::1"])
def test_each_address_of_a_trusted_network_counts(peer: str) -> None:
    assert _identity().person(_asked(("X-Remote-User", b"anna"), peer=peer)) is not None


@pytest.mark.parametrize("peer", ["10.2.0.1", "192.0.2.7", "::2", "", "testclient", None])
@pytest.mark.parametrize("header", ["X-Remote-User", "x-remote-groups"])
def test_from_anywhere_else_the_headers_are_refused(peer: str | None, header: str) -> None:
    asked = _asked((header, b"desk"), peer=peer, client=PROXY)  # who the client is said to be does not matter
    with pytest.raises(CredentialsError, match=f"only the proxy may send {header.lower()}; leave it out"):
        _identity().person(asked)


def test_who_sends_none_is_known_otherwise() -> None:
    for peer in (PROXY, "192.0.2.7"):
        assert _identity().person(_asked(("X-Other", b"anna"), peer=peer)) is None


def test_a_proxy_that_names_nobody_speaks_for_nobody() -> None:
    for headers in ([("X-Remote-User", b"")], [("X-Remote-User", b"  ")], [("X-Remote-Groups", b"desk")]):
        assert _identity().person(_asked(*headers)) is None


@pytest.mark.parametrize("header", ["X-Remote-User", "X-Remote-Groups"])
def test_a_header_that_came_along_from_the_browser_is_noticed(header: str) -> None:
    asked = _asked(("X-Remote-User", b"anna"), (header, b"desk"), (header, b"staff"))
    with pytest.raises(CredentialsError, match=f"{header.lower()} is there more than once"):
        _identity().person(asked)


@pytest.mark.parametrize("name", [b"a" * (USER_CHARS + 1), b"a\tb\x01", "anna\u202e".encode(), "a\u200bnna".encode()])
def test_what_is_no_name_is_refused(name: bytes) -> None:
    with pytest.raises(CredentialsError, match="x-remote-user holds no name"):
        _identity().person(_asked(("X-Remote-User", name)))


def test_a_name_must_be_utf_8() -> None:
    with pytest.raises(CredentialsError, match="x-remote-user is no UTF-8"):
        _identity().person(_asked(("X-Remote-User", "Jörg".encode("latin-1"))))


def test_one_name_in_two_spellings_of_unicode_is_one_person() -> None:
    one, other = _person("Jo\u0308rg"), _person("J\u00f6rg")
    assert one == other and one is not None


def test_groups_that_are_none_are_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = _person("anna", "staff,Board Members,,x/y," + "z" * 65)
    assert found is not None and found.groups == frozenset({"staff"})
    assert [record.getMessage() for record in caplog.records] == [
        "3 groups that a proxy named are left out: they are no names"
    ]


def test_groups_without_end_are_refused() -> None:
    with pytest.raises(CredentialsError, match=f"more than {GROUPS} groups"):
        _person("anna", ",".join(f"g{number}" for number in range(GROUPS + 1)))


def test_without_a_header_for_groups_nobody_has_any() -> None:
    found = _person("anna", "desk", proxy_groups_header="")
    assert found == Person(Role.READER, frozenset(), "proxy:anna", "proxy", "anna")


def test_nothing_is_believed_unless_it_is_set() -> None:
    assert ProxyIdentity.open(Settings.load({}, trusted_proxies="127.0.0.1")) is None


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"trusted_proxies": ""}, "needs BRI_QA_TRUSTED_PROXIES"),
        ({"trusted_proxies": "10.0.0.0/8,::/0"}, "is everyone, who could then be anyone"),
        ({"trusted_proxies": "portal"}, "BRI_QA_TRUSTED_PROXIES: "),
        ({"proxy_user_header": ""}, "BRI_QA_PROXY_GROUPS_HEADER is of no use alone"),
        ({"proxy_groups_header": "x-remote-USER"}, "are the same"),
        ({"proxy_user_header": "Authorization"}, "authorization has a meaning of its own"),
        ({"proxy_administrator_groups": "Desk"}, "BRI_QA_PROXY_ADMINISTRATOR_GROUPS: 'Desk' is no group"),
        ({"proxy_evaluator_groups": "a b"}, "BRI_QA_PROXY_EVALUATOR_GROUPS: 'a b' is no group"),
    ],
)
def test_settings_that_do_not_fit_are_told(change: dict[str, Any], what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        _identity(**change)


def test_a_header_with_other_characters_is_refused() -> None:
    with pytest.raises(SettingsError, match="BRI_QA_PROXY_USER_HEADER"):
        Settings.load({}, proxy_user_header="X_Remote_User")


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_whatever_is_sent_is_a_person_or_refused(user: bytes, groups: bytes) -> None:
    try:
        found = _identity().person(_asked(("X-Remote-User", user), ("X-Remote-Groups", groups)))
    except CredentialsError as error:
        assert "\n" not in str(error)
        return
    if found is not None:
        assert found.user == f"proxy:{found.name}" and found.name.isprintable() and found.name == found.name.strip()
        assert found.groups is not None and all(group.isascii() for group in found.groups)
