"""Looks over how the server is deployed: what contradicts, what others can read, what will run out."""

from __future__ import annotations

import os
import resource
import shutil
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from bri_qa import compose
from bri_qa.doctor.access import near
from bri_qa.doctor.findings import Finding, tried
from bri_qa.errors import BriQAError, CorpusError, IndexStoreError, SettingsError
from bri_qa.settings import Settings

_FREE_BYTES = 500_000_000
_FILES = 1_024
_LATE_SECONDS = 300


def examined(settings: Settings) -> Iterator[Finding]:
    """One finding a check."""
    checks: tuple[tuple[str, Callable[[Settings], str]], ...] = (
        ("public address", _public),
        ("proxies", _proxies),
        ("folder of the history", _history),
        ("secrets", _secrets),
        ("disk", _disk),
        ("open files", _files),
        ("deadlines", _deadlines),
        ("rate limits", _rate_limits),
        ("traces", _traces),
        ("clock", _clock),
    )
    for name, look in checks:
        yield tried(name, lambda look=look: look(settings))  # type: ignore[misc]
    yield _corpus(settings)


def _public(settings: Settings) -> str:
    if settings.public_url is None:
        if settings.root_path or settings.trusted_proxies:
            raise SettingsError("a proxy is configured, but not where users find it; set BRI_QA_PUBLIC_URL")
        return "links name the address that a request came to"
    shown = urlsplit(settings.public_url)
    if shown.scheme != "https" and not near(shown.hostname or ""):
        raise SettingsError(
            f"{settings.public_url} is not encrypted: cookies and questions can be read on the way; use https"
        )
    if shown.path.rstrip("/") != settings.root_path:
        raise SettingsError(
            f"BRI_QA_PUBLIC_URL has the path {shown.path or '/'}, BRI_QA_ROOT_PATH is {settings.root_path or 'empty'}; "
            "make them the same"
        )
    if shown.scheme == "https" and not settings.trusted_proxies:
        raise SettingsError(
            "the proxy is not trusted: all its users count as one, and cookies are not kept to https; "
            "set BRI_QA_TRUSTED_PROXIES to its address"
        )
    return f"links name {settings.public_url}"


def _proxies(settings: Settings) -> str:
    proxies = [item.strip() for item in settings.trusted_proxies.split(",") if item.strip()]
    for item in proxies:
        try:
            network = ip_network(item)
        except ValueError as error:
            raise SettingsError(f"BRI_QA_TRUSTED_PROXIES: {error}; name addresses or networks") from None
        if network.prefixlen == 0:
            raise SettingsError(f"BRI_QA_TRUSTED_PROXIES: {item} is everyone; name the proxy")
    return f"trusted: {', '.join(proxies)}" if proxies else "none is trusted; X-Forwarded headers are not believed"


def _history(settings: Settings) -> str:
    folder = settings.history_dir
    if not folder.exists():
        above = next(item for item in (folder.absolute(), *folder.absolute().parents) if item.exists())
        if not os.access(above, os.W_OK):
            raise SettingsError(f"{folder} cannot be made in {above}; make that writable, or set BRI_QA_HISTORY_DIR")
        return f"{folder} is made at the first start"
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise SettingsError(f"{folder} is no folder that can be written; mend it, or set BRI_QA_HISTORY_DIR")
    open_to_all = [path for path in (folder, *sorted(folder.iterdir())) if _readable(path)]
    if open_to_all:
        raise SettingsError(f"{open_to_all[0]} can be read by other users of this machine; chmod -R go= {folder}")
    return f"{folder} is for its owner alone"


def _readable(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _secrets(settings: Settings) -> str:
    files = [path for path in (settings.llm_api_key_file, settings.oidc_client_secret_file) if path is not None]
    for path in files:
        if not path.is_file():
            raise SettingsError(f"{path} is not there; write the secret into it")
        if _readable(path):
            raise SettingsError(f"{path} can be read by other users of this machine; chmod 600 {path}")
    return f"files of their own: {len(files)}"


def _disk(settings: Settings) -> str:
    free = {}
    for path in (settings.index_dir, settings.history_dir):
        there = next(item for item in (path.absolute(), *path.absolute().parents) if item.exists())
        free[path] = shutil.disk_usage(there).free
    least = min(free, key=lambda path: free[path])
    if free[least] < _FREE_BYTES:
        raise SettingsError(
            f"{free[least] // 1_000_000:,} MB are free where {least} is; free some: a new index is built beside the old"
        )
    return f"{free[least] // 1_000_000_000:,} GB are free"


def _files(_: Settings) -> str:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < _FILES:
        raise SettingsError(f"only {soft} may be open, and each connection is one; allow {_FILES} (ulimit -n)")
    return "unlimited" if soft < 0 else f"{soft:,} may be open"


def _deadlines(settings: Settings) -> str:
    if settings.llm_base_url is not None and settings.answer_timeout < settings.llm_timeout:
        raise SettingsError(
            f"a question is given up after {settings.answer_timeout:g} s, the language model may take "
            f"{settings.llm_timeout:g} s; make BRI_QA_ANSWER_TIMEOUT longer than BRI_QA_LLM_TIMEOUT"
        )
    return f"a question may take {settings.answer_timeout:g} s, and {settings.answer_queue} may wait"


def _rate_limits(settings: Settings) -> str:
    rules = settings.rate_limit_ask or "no limit"
    if settings.rate_limit_storage == "memory://":
        return f"{rules} a person, counted in each process"
    if find_spec("redis") is None:
        raise SettingsError("Redis is to count, and its client is not installed: pip install 'bri-qa[redis]'")
    import redis

    try:
        with redis.Redis.from_url(settings.rate_limit_storage, socket_timeout=3, socket_connect_timeout=3) as client:
            client.ping()
    except redis.RedisError as error:
        raise SettingsError(
            f"Redis does not answer ({error}), so that nobody is limited; start it, or mend BRI_QA_RATE_LIMIT_STORAGE"
        ) from error
    return f"{rules} a person, counted in Redis, which answers"


def _traces(settings: Settings) -> str:
    if settings.otel_endpoint is None:
        return "none are sent"
    if find_spec("opentelemetry.sdk") is None:
        raise SettingsError("they are to be sent, and OpenTelemetry is not installed: pip install 'bri-qa[otel]'")
    return f"they are sent to {settings.otel_endpoint}"


def _clock(settings: Settings) -> str:
    """A clock that is slow shows in what was written later than now."""
    now = datetime.now(UTC)
    try:
        built = datetime.fromisoformat(compose.open_index(settings).manifest.built)
    except IndexStoreError:
        return f"it says {now:%Y-%m-%d %H:%M} UTC"
    if (built - now).total_seconds() > _LATE_SECONDS:
        raise SettingsError(
            f"it says {now:%Y-%m-%d %H:%M} UTC, before the index was built ({built:%Y-%m-%d %H:%M}); set the clock"
        )
    return f"it says {now:%Y-%m-%d %H:%M} UTC; the index is of {built:%Y-%m-%d %H:%M}"


def _corpus(settings: Settings) -> Finding:
    """Whether the index is as old as the articles. That is told and does not fail: the old index answers."""
    name = "articles"
    try:
        planned = compose.refresh(settings)
    except CorpusError as error:
        return Finding(name, None, f"{' '.join(str(error).split())}: the index answers without it")
    except BriQAError as error:
        return Finding(name, False, " ".join(str(error).split()))
    if planned.planned.base is None:
        return Finding(name, None, "there is no index to compare them with; run bri-qa index")
    if planned.change:
        return Finding(name, None, "they have changed since the index was built; run bri-qa index")
    return Finding(name, True, "the index is as they are")
