"""The examples in docs/deploy: they are what their programs take, and name what there is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bri_qa.settings import PREFIX, Settings
from bri_qa.web.security import MAX_BODY_BYTES

FOLDER = Path(__file__).parent.parent / "docs" / "deploy"
FILES = sorted(FOLDER.iterdir())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_setting_that_is_named_exists(file: Path) -> None:
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", file.read_text(encoding="utf-8")))
    assert named and named <= {PREFIX + name.upper() for name in Settings.model_fields}


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd-analyze on this machine")
    text = (FOLDER / "bri-qa.service").read_text(encoding="utf-8")
    unit = tmp_path / "bri-qa.service"
    here = {"/opt/bri-qa/.venv/bin/bri-qa": shutil.which("true") or "", "User=bri-qa": "User=daemon"}
    here |= {"Group=bri-qa": "Group=daemon"}
    for there, mine in here.items():
        assert there in text
        text = text.replace(there, mine)
    unit.write_text(text, encoding="utf-8")
    done = subprocess.run([program, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if "bri-qa" in line]
    assert (done.returncode, told) == (0, [])


def test_the_unit_waits_longer_than_the_server_and_gives_away_no_right() -> None:
    text = (FOLDER / "bri-qa.service").read_text(encoding="utf-8")
    wait = re.search(r"TimeoutStopSec=(\d+)", text)
    assert wait and int(wait[1]) > Settings.load({}).shutdown_timeout
    for line in ("NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict", "UMask=0077"):
        assert f"\n{line}\n" in text


def test_nginx_waits_longer_than_the_server_and_does_not_buffer() -> None:
    text = (FOLDER / "nginx-location.conf").read_text(encoding="utf-8")
    wait = re.search(r"proxy_read_timeout (\d+)s", text)
    assert wait and int(wait[1]) > Settings.load({}).answer_timeout
    assert "proxy_buffering off;" in text and f"client_max_body_size {MAX_BODY_BYTES // 1_000_000}m;" in text


def test_the_container_is_not_root_and_tells_of_its_health() -> None:
    text = (FOLDER / "Containerfile").read_text(encoding="utf-8")
    assert "\nUSER 10001\n" in text and "\nHEALTHCHECK " in text and "/readyz" in text
