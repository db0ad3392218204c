from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from bri_qa.history import Rating
from bri_qa.settings import Settings
from bri_qa.web.identity import COOKIE
from bri_qa.web.records import Records
from tests.fakes import FakePipeline
from tests.housing import ANNA, House, assert_problem
from tests.serving import made


def test_the_product_keeps_what_its_page_is_asked() -> None:
    """The routes stand in front of Gradio, behind the same cookie as the page; who administers is put in."""
    with TestClient(made(FakePipeline())) as client:
        assert client.get("/").headers["set-cookie"].startswith(f"{COOKIE}=anonymous:")
        assert client.get("/api/v1/history").json() == {"conversations": [], "next": None}
        assert_problem(client.get("/api/v1/export/answers/none"), 404, "not_found", "there is no such answer")
        assert_problem(client.get("/api/v1/feedback"), 403, "evaluator_only")
        assert_problem(client.get("/api/v1/history/a/b"), 404, "not_found", "nothing at this address")


def test_old_records_are_deleted_at_start_and_again_and_again(tmp_path: Path) -> None:
    records = Records.open(Settings.load({}, history_dir=tmp_path, history_days=1, feedback_days=2))
    house = House(records, FastAPI(), FakePipeline())

    async def run() -> None:
        async with records.kept(every=0.01):
            for _ in range(2):
                entry = house.add(ANNA)
                records.ratings.rate(ANNA, entry.id, Rating.UP)
                with records.database.writing() as session:
                    execute = session.connection().exec_driver_sql
                    execute("UPDATE conversations SET updated = '2020-01-01 00:00:00.000000'")
                    execute("UPDATE feedback SET created = '2020-01-01 00:00:00.000000'")
                while records.history.conversations(ANNA).conversations or records.ratings.listed().rated:
                    await asyncio.sleep(0.01)
            entry = house.add(ANNA)
            await asyncio.sleep(0.05)
            assert records.history.entry(ANNA, entry.id) == entry

    asyncio.run(asyncio.wait_for(run(), 60))


def test_retention_that_fails_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    records = Records.open(Settings.load({}, history_dir=tmp_path))
    records.database.close()
    (tmp_path / "history.sqlite").rename(tmp_path / "elsewhere")
    (tmp_path / "history.sqlite").write_bytes(b"no database " * 500)

    async def run() -> None:
        async with records.kept(every=0.01):
            while "tried again later" not in caplog.text:
                await asyncio.sleep(0.01)
            (tmp_path / "elsewhere").replace(tmp_path / "history.sqlite")
            await asyncio.sleep(0.05)
            assert records.history.conversations(ANNA).conversations == ()

    asyncio.run(asyncio.wait_for(run(), 60))
