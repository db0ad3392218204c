"""All settings in one frozen object, read from `BRI_QA_*` variables. Unknown names are refused, numbers bounded."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bri_qa.errors import SettingsError

PREFIX = "BRI_QA_"
RATE = r"^$|^[1-9]\d*/([1-9]\d* ?)?(second|minute|hour|day)s?$"
_ORIGIN = re.compile(r"https?://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[1-9]\d{0,4})?")
_USUAL_PORTS = re.compile(r"http://.*:80|https://.*:443")


def origins(text: str) -> frozenset[str]:
    """The origins of a list with commas between, as browsers send them.

    Raises:
        ValueError: one is not a whole origin; a path, a wildcard and `null` are none.
    """
    found = frozenset(item.strip() for item in text.split(",") if item.strip())
    for item in sorted(found):
        if not _ORIGIN.fullmatch(item) or _USUAL_PORTS.fullmatch(item):
            raise ValueError(
                f"{item} is no origin; write scheme, host in small letters and any unusual port, as in "
                "https://portal.example or http://127.0.0.1:8080, and nothing behind"
            )
    return found


def _secret(value: SecretStr | None, file: Path | None, name: str) -> str | None:
    """A secret that is set, or that stands in a file."""
    if file is None:
        key = value.get_secret_value() if value is not None else ""
    else:
        try:
            key = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not text"
            raise SettingsError(f"{PREFIX}{name}_FILE: {file} cannot be read ({why})") from None
        if not key:
            raise SettingsError(f"{PREFIX}{name}_FILE: {file} is empty; write the key into it")
    if not (key.isascii() and key.isprintable()):
        raise SettingsError(f"{PREFIX}{name}: the key has characters that no header can hold; copy it again")
    return key or None


class Settings(BaseSettings):
    """What can be set. Lengths are in tokens (cl100k_base), sizes in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    corpus_dir: Path = Field(default=Path("corpus"), description="folder of articles")
    index_dir: Path = Field(default=Path("index"), description="folder of the built index")
    max_file_bytes: int = Field(
        default=5_000_000, ge=1_000, le=500_000_000, description="larger corpus files are rejected"
    )
    allow_upload: bool = Field(
        default=False, description="whether administrators may add articles over the web, into `corpus_dir`"
    )

    passage_tokens: int = Field(default=160, ge=32, le=1_000, description="token budget of a passage")
    overlap_tokens: int = Field(default=40, ge=0, le=400, description="tokens shared by neighbouring passages, at most")

    embedding_model: str = Field(
        default="all-MiniLM-L6-v2", description="the bundled model, or a sentence-transformers folder or hub name"
    )
    reader: str = Field(
        default="bundled",
        description="`bundled`: the trained one; `sentences`: without trained weights; or the folder or hub name of a "
        "SQuAD 2.0 model or a cross-encoder",
    )
    precision: Literal["auto", "f32", "bf16"] = Field(
        default="auto", description="arithmetic of the bundled models; auto is bf16 where the CPU has AMX, else f32"
    )
    threads: int = Field(default=0, ge=0, le=256, description="threads of the model runtime; 0 lets it choose")

    retrieval: Literal["fused", "dense", "lexical"] = Field(default="fused", description="how candidates are found")
    candidates: int = Field(default=50, ge=1, le=1_000, description="hits that each search gives to the fusion")
    top_k: int = Field(default=8, ge=1, le=100, description="hits that are read")
    max_statements: int = Field(default=3, ge=1, le=10, description="statements of an ordinary answer, at most")
    abstain_below: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="confidence below which to abstain; unset takes the reader's own threshold",
    )
    max_question_chars: int = Field(default=4_000, ge=20, le=100_000, description="longer questions are refused")

    history_dir: Path = Field(
        default=Path("data"), description="folder of the conversations and the feedback, and the key of the cookie"
    )
    history_days: int = Field(
        default=90, ge=1, le=3_650, description="days after which a conversation that is not used is deleted"
    )
    feedback_days: int = Field(default=365, ge=1, le=3_650, description="days after which feedback is deleted")
    runs_dir: Path = Field(
        default=Path("runs"), description="folder of saved runs of the evaluation, the newest of which the API tells"
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
        description="address of the server as its users see it, for links in exports; unset takes the request's",
    )

    llm_base_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
        description="OpenAI-compatible server of a language model, as in `http://127.0.0.1:11434/v1`; unset uses none",
    )
    llm_model: str | None = Field(default=None, min_length=1, description="the model's name on that server")
    llm_api_key: SecretStr | None = Field(default=None, description="its key, if the server asks for one")
    llm_api_key_file: Path | None = Field(default=None, description="or a file that holds the key")
    llm_timeout: float = Field(
        default=60.0, ge=0.1, le=600, description="seconds that one answer of the model may take"
    )
    llm_context_tokens: int = Field(default=4_096, ge=512, le=1_000_000, description="tokens of the model's context")
    llm_output_tokens: int = Field(default=400, ge=32, le=16_000, description="tokens that it may write, at most")
    llm_max_statements: int = Field(default=5, ge=1, le=20, description="statements of a fluent answer, at most")
    llm_concurrency: int = Field(default=2, ge=1, le=256, description="requests to the model at a time")
    llm_retries: int = Field(default=2, ge=0, le=10, description="new tries where the server is busy or not there")
    llm_rewrite: bool = Field(
        default=True, description="whether the model rewrites follow-ups; `false` leaves it to rules"
    )
    llm_cache: int = Field(default=256, ge=0, le=100_000, description="fluent answers that are remembered")
    llm_price_prompt: float = Field(default=0.0, ge=0, le=10_000, description="price of a million tokens that it reads")
    llm_price_completion: float = Field(default=0.0, ge=0, le=10_000, description="price of a million that it writes")

    host: str = Field(default="127.0.0.1", description="address that `bri-qa serve` binds")
    port: int = Field(default=7860, ge=0, le=65_535, description="port that `bri-qa serve` binds")
    root_path: str = Field(
        default="",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="path below which a reverse proxy shows the server, as in `/briqa`; empty is the whole host",
    )
    sign_in_required: bool | None = Field(
        default=None,
        description="whether only those who are known may ask; unset: where a way to sign in is set up",
    )
    sign_in_with_key: bool = Field(default=True, description="whether people may sign in with an API key")
    session_hours: int = Field(default=12, ge=1, le=720, description="hours after which people sign in anew")
    oidc_issuer: str | None = Field(default=None, description="issuer of an OpenID Connect provider for signing in")
    oidc_client_id: str | None = Field(default=None, min_length=1, description="id of this server at the provider")
    oidc_client_secret: SecretStr | None = Field(default=None, description="its secret, if the provider gave one")
    oidc_client_secret_file: Path | None = Field(default=None, description="or a file that holds the secret")
    oidc_scopes: str = Field(default="openid profile email", description="what the provider is asked for")
    oidc_groups_claim: str = Field(default="groups", min_length=1, description="claim that names a person's groups")
    oidc_name_claim: str = Field(default="name", min_length=1, description="claim that holds the name that is shown")
    oidc_reader_groups: str = Field(default="", description="who may sign in, comma between; empty is everyone there")
    oidc_evaluator_groups: str = Field(default="", description="groups whose people are evaluators, likewise")
    oidc_administrator_groups: str = Field(default="", description="groups whose people are administrators, likewise")
    trusted_proxies: str = Field(
        default="",
        description="addresses and networks of reverse proxies, comma between; only theirs are the X-Forwarded-For and "
        "-Proto headers that are believed",
    )
    proxy_user_header: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9-]*$",
        description="header in which a trusted proxy names who has signed in, as in `X-Remote-User`; empty is none",
    )
    proxy_groups_header: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9-]*$",
        description="header in which it names their access groups, comma between; empty is none",
    )
    proxy_evaluator_groups: str = Field(
        default="", description="groups whose members are evaluators, comma between, where a proxy says who they are"
    )
    proxy_administrator_groups: str = Field(default="", description="groups whose members are administrators, likewise")
    widget_origins: str = Field(
        default="",
        description="origins of the pages that may carry the widget, comma between, as in `https://portal.example`; "
        "empty is none",
    )
    frame_origins: str = Field(
        default="", description="origins of the pages that may frame the articles' own pages, likewise; empty is none"
    )
    answer_threads: int = Field(default=4, ge=1, le=256, description="questions that are answered at a time")
    answer_queue: int = Field(
        default=16, ge=0, le=10_000, description="questions that wait; the next one is told at once to come back"
    )
    answer_timeout: float = Field(
        default=120.0, ge=0.1, le=3_600, description="seconds that a question may take, its wait included"
    )
    body_timeout: float = Field(default=30.0, ge=0.1, le=3_600, description="seconds that a request may take to arrive")
    shutdown_timeout: int = Field(
        default=10, ge=1, le=3_600, description="seconds that running questions get when the server is stopped"
    )
    rate_limit_storage: str = Field(
        default="memory://",
        pattern=r"^(memory://|rediss?://\S+)$",
        description="where requests are counted: `memory://`, or `redis://host:port/0` for several servers together",
    )
    rate_limit_ask: str = Field(
        default="60/minute", pattern=RATE, description="questions of one person or key; empty is no limit"
    )
    rate_limit_address: str = Field(
        default="240/minute", pattern=RATE, description="questions from one address; empty is no limit"
    )
    rate_limit_request: str = Field(
        default="3000/minute", pattern=RATE, description="requests of any kind from one address; empty is no limit"
    )
    log_format: Literal["console", "json"] = Field(default="console", description="how the server writes its log")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="the least that is logged; `debug` has the page's own files too"
    )
    log_questions: bool = Field(default=False, description="whether questions are written into the log")
    otel_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
        description="OTLP/HTTP address that takes traces, as in `http://127.0.0.1:4318/v1/traces`; unset sends none",
    )

    @model_validator(mode="after")
    def _overlap_leaves_room(self) -> Self:
        if self.overlap_tokens * 2 > self.passage_tokens:
            raise ValueError("overlap_tokens must be at most half of passage_tokens")
        return self

    @field_validator("widget_origins", "frame_origins")
    @classmethod
    def _origins_are_exact(cls, value: str) -> str:
        origins(value)
        return value

    @model_validator(mode="after")
    def _language_model_is_whole(self) -> Self:
        if (self.llm_base_url is None) != (self.llm_model is None):
            raise ValueError("llm_base_url and llm_model are set together or not at all")
        if self.llm_api_key is not None and self.llm_api_key_file is not None:
            raise ValueError("llm_api_key and llm_api_key_file are not set together")
        if self.llm_output_tokens * 2 > self.llm_context_tokens:
            raise ValueError("llm_output_tokens must be at most half of llm_context_tokens")
        return self

    def signs_in(self) -> bool:
        """Whether those who are not known are kept out."""
        if self.sign_in_required is not None:
            return self.sign_in_required
        return bool(self.oidc_issuer or self.proxy_user_header)

    def llm_key(self) -> str | None:
        """The key of the language model's server.

        Raises:
            SettingsError: its file cannot be read or is empty; the message never holds the key.
        """
        return _secret(self.llm_api_key, self.llm_api_key_file, "LLM_API_KEY")

    def oidc_secret(self) -> str | None:
        """The secret of this server at the OpenID Connect provider.

        Raises:
            SettingsError: its file cannot be read or is empty; the message never holds the secret.
        """
        return _secret(self.oidc_client_secret, self.oidc_client_secret_file, "OIDC_CLIENT_SECRET")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given counts: `load` is the one place that reads the environment."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
        """Settings from `environ`, by default that of the process, with `overrides` (those that are not None) on top.

        Raises:
            SettingsError: an unknown `BRI_QA_*` name, or a value out of bounds.
        """
        environ = os.environ if environ is None else environ
        known = {PREFIX + name.upper() for name in cls.model_fields}
        unknown = sorted(name for name in environ if name.upper().startswith(PREFIX) and name.upper() not in known)
        if unknown:
            raise SettingsError(f"unknown setting {', '.join(unknown)}; docs/settings.md lists the known ones")
        values = {name: environ[PREFIX + name.upper()] for name in cls.model_fields if PREFIX + name.upper() in environ}
        values.update({name: value for name, value in overrides.items() if value is not None})
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = PREFIX + "_".join(str(part) for part in first["loc"]).upper() if first["loc"] else "settings"
            raise SettingsError(f"{where}: {first['msg']}; docs/settings.md lists the bounds") from error
