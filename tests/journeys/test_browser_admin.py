"""An administrator adds an article, the chat answers from it, and it is taken out again: by keyboard, on a phone, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, expect

from bri_qa.compose import refresh
from bri_qa.web.access import Person, Role
from tests.articles import built_in, opened, pipeline_over
from tests.journeys.conftest import PHONE, Screen, Visit
from tests.serving import served

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("reading")]

TITLE = "The <i>night</i> tram"
TRAM = f"---\ntitle: {TITLE}\npublisher: Gazette\npublished: 2024-03\n---\nThe night tram to Orrin costs 17 crowns.\n"
ASKED = "How many crowns does the night tram to Orrin cost?"


def _file(name: str, text: bytes) -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": text}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over a real index, whose every visitor is an administrator."""
    folder: Path = tmp_path_factory.mktemp("administered")
    settings = built_in(folder)
    assert not refresh(settings).change
    with served(
        pipeline_over(opened(settings)),
        settings.corpus_dir,
        resolve=lambda _: Person(Role.ADMINISTRATOR, None, "key:ada", "key", "Ada"),
        index_dir=settings.index_dir,
        embedding_model=settings.embedding_model,
        allow_upload=True,
        max_file_bytes=100_000,
    ) as base:
        yield base


def test_an_article_is_added_asked_and_removed(base: str, visit: Visit) -> None:
    screen = visit(base, path="/admin/add")
    page = screen.page
    page.locator("#bri-files").set_input_files([_file("tram.md", TRAM.encode()), _file("scan.txt", b"\0\1")])
    expect(page.locator("#bri-chosen")).to_have_text("2 files chosen, 0.1 kB")
    page.get_by_role("button", name="Check the files").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What would change")
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    expect(page.locator(".bri-reason")).to_contain_text("binary: NUL at byte 0")
    page.get_by_role("button", name="Add 1 file and build the index").press("Enter")
    expect(page.get_by_role("heading", name="The index is built")).to_be_visible()
    expect(page.locator(".bri-result")).to_contain_text("1 added, 0 changed, 0 removed")
    screen.page.goto(base + "/")
    expect(screen.ask(ASKED)).to_contain_text("The night tram to Orrin costs 17 crowns")
    _remove(screen)
    screen.page.goto(base + "/")
    expect(screen.ask(ASKED)).not_to_contain_text("17 crowns")


def _remove(screen: Screen) -> None:
    page = screen.page
    page.goto(f"{screen.base}/admin/articles?q=tram")
    page.get_by_role("link", name=f"Remove {TITLE}").press("Enter")
    page.get_by_role("button", name=f"Remove “{TITLE}”").press("Enter")
    expect(page.get_by_role("heading", name="The index is built")).to_be_visible()


def test_files_can_be_dropped_and_what_is_too_large_is_told_before_it_is_sent(base: str, visit: Visit) -> None:
    screen = visit(base, PHONE, "dark", path="/admin/add")
    page = screen.page
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["A text."], "dropped.txt"));
            document.getElementById("bri-drop").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(page.locator("#bri-add li")).to_have_text(["dropped.txt"])
    expect(page.get_by_role("button", name="Check the files")).to_be_focused()
    page.locator("#bri-files").set_input_files([_file("large.txt", b"x" * 1_500_000)])
    expect(page.locator("#bri-chosen")).to_contain_text("at most 1.4 MB can be sent at once")
    page.get_by_role("button", name="Check the files").click()
    expect(page).to_have_url(base + "/admin/add")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
