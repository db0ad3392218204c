from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from fastapi import FastAPI

from bri_qa.history import Rating
from bri_qa.settings import Settings
from bri_qa.web.records import Records
from tests.fakes import FakePipeline
from tests.housing import ANNA, House


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
