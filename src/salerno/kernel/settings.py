"""Every setting, read once from the environment; in development also from a file `.env`. Nothing else reads either."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Meta, Struct

from salerno.kernel.secrecy import key_of, weakness

DEVELOPMENT_PASSWORDS = frozenset(
    {"", "postgres", "password", "salerno", "salerno_app", "salerno_owner", "admin", "root", "guest", "test"}
)
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
WITH_TLS = frozenset({"require", "verify-ca", "verify-full"})
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class SettingsError(Exception):
    """Settings under which Salerno does not start. Each sentence names a setting and never its value."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


Environment = Literal["development", "test", "production"]
Level = Literal["debug", "info", "warning", "error"]
Positive = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
Port = Annotated[int, Meta(ge=1, le=65535)]


class Settings(Struct, frozen=True, kw_only=True, rename="upper"):
    """One field for each variable, in capitals; the description is its line in `.env.example`."""

    salerno_env: Annotated[
        Environment, Meta(description="development, test or production. Production refuses unsafe settings.")
    ] = "development"
    node_env: Annotated[
        Environment, Meta(description="The same switch under its usual name; production in either one counts.")
    ] = "development"

    host: Annotated[str, Meta(description="The address to listen on; 0.0.0.0 for all.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="The port of pages, REST and FHIR.")] = 3000
    salerno_base_url: Annotated[
        str, Meta(description="Where people reach Salerno, for links and cookies. Empty: http://localhost:PORT.")
    ] = ""
    salerno_hosts: Annotated[
        str, Meta(description="Further host names to answer to, with commas between; others are refused.")
    ] = ""
    salerno_origins: Annotated[
        str, Meta(description="Origins whose scripts may call the API (CORS), with commas between. Empty: none.")
    ] = ""
    salerno_clients: Annotated[
        str, Meta(description="A CSV file of applications that every organisation knows, beside those that ship.")
    ] = ""
    salerno_providers: Annotated[
        str, Meta(description="A CSV file of other OpenID providers for signing in; docs/openid.md says how.")
    ] = ""
    salerno_behind_proxy: Annotated[
        bool, Meta(description="true: take the caller's address from the last hop of X-Forwarded-For.")
    ] = False

    salerno_data: Annotated[
        str, Meta(description="The data folder. Empty: /var/lib/salerno for root, else ~/.local/share/salerno.")
    ] = ""
    salerno_witness: Annotated[
        str, Meta(description="The folder for the ledger's signed checkpoints, best on another machine's disk.")
    ] = ""

    database_url: Annotated[
        str, Meta(description="Your own PostgreSQL (15 or newer), as the application's role. Empty: the embedded one.")
    ] = ""
    database_owner_url: Annotated[
        str, Meta(description="The same database as the owner of its tables, for migrations. Empty: DATABASE_URL.")
    ] = ""
    database_pool_min: Annotated[Count, Meta(description="Connections each process keeps open.")] = 2
    database_pool_max: Annotated[Positive, Meta(description="Connections each process opens at most.")] = 20
    database_idle_timeout: Annotated[
        Positive, Meta(description="Milliseconds after which an idle connection is closed.")
    ] = 300_000

    encryption_key: Annotated[
        str,
        Meta(description="The master key: base64 of 32 bytes, or exactly 32 characters. openssl rand -base64 32"),
    ] = ""
    encryption_key_previous: Annotated[
        str, Meta(description="The master key before this one, until `salerno keys rotate` has ended its use.")
    ] = ""
    jwt_secret: Annotated[
        str, Meta(description="Not needed: tokens are signed with keys that Salerno makes, seals and rotates itself.")
    ] = ""
    jwt_refresh_secret: Annotated[
        str, Meta(description="Not needed: refresh tokens are random, and only their hashes are kept.")
    ] = ""
    salerno_second_factor: Annotated[
        Literal["", "demanded", "offered"],
        Meta(
            description="demanded: SUPER_ADMIN, ADMIN, DOCTOR and PHARMACIST set up a second factor before anything "
            "else. offered: whoever likes. Empty: demanded in production, offered elsewhere."
        ),
    ] = ""
    jwt_expires_in: Annotated[
        str, Meta(description="How long an access token lives: 900s, 15m, 1h.", pattern=r"^[1-9][0-9]{0,6}[smhd]?$")
    ] = "24h"

    salerno_rooms: Annotated[
        str, Meta(description="The rooms this process answers for, with commas between. Empty: all of them.")
    ] = ""
    salerno_doors: Annotated[str, Meta(description="The doors it opens: web, api, fhir. Empty: all of them.")] = ""

    snapshot_frequency: Annotated[Positive, Meta(description="Events of a stream between two snapshots.")] = 100
    projection_batch_size: Annotated[Positive, Meta(description="Events that a projection takes at a time.")] = 1000

    rate_limit_window_ms: Annotated[Positive, Meta(description="The window of the limits below, in milliseconds.")] = (
        60_000
    )
    rate_limit_max_requests: Annotated[
        Count, Meta(description="Requests of one address in a window before sign-in; 0 for no limit.")
    ] = 100
    rate_limit_max_signed_in: Annotated[
        Count, Meta(description="Requests of one account in a window; 0 for no limit.")
    ] = 300

    log_level: Annotated[
        Level | Literal[""], Meta(description="debug, info, warning or error. Empty: info, in development debug.")
    ] = ""
    enable_metrics: Annotated[
        bool, Meta(description="true: Prometheus metrics on METRICS_PORT too. /metrics on PORT is for this machine.")
    ] = False
    metrics_port: Annotated[Port, Meta(description="The port of the metrics, for the monitoring network only.")] = 9090
    smtp_host: Annotated[
        str,
        Meta(description="The mail server for what Salerno sends. Empty: nothing is sent, nothing confirmed."),
    ] = ""
    smtp_port: Annotated[Port, Meta(description="Its port.")] = 587
    smtp_security: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(description="How the connection to it is secured: starttls, tls, none."),
    ] = "starttls"
    smtp_user: Annotated[str, Meta(description="The account there, if it needs one.")] = ""
    smtp_password: Annotated[str, Meta(description="That account's password.")] = ""
    smtp_from: Annotated[str, Meta(description="The sender of Salerno's messages: an address, or Name <address>.")] = ""

    def __repr__(self) -> str:
        return "Settings(…)"  # a traceback or a log line must not show a secret

    # -- what follows from them

    @property
    def production(self) -> bool:
        return "production" in (self.salerno_env, self.node_env)

    @property
    def level(self) -> str:
        return self.log_level or ("info" if self.production else "debug")

    @property
    def base_url(self) -> str:
        return (self.salerno_base_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({urlsplit(self.base_url).hostname or "", *_listed(self.salerno_hosts)})

    @property
    def origins(self) -> frozenset[str]:
        return _listed(self.salerno_origins)

    @property
    def clients_table(self) -> str:
        """What stands in the file of applications; no file is an empty one."""
        return Path(self.salerno_clients).expanduser().read_text("utf-8") if self.salerno_clients else ""

    @property
    def providers_table(self) -> str:
        """What stands in the file of other providers; no file is an empty one."""
        return Path(self.salerno_providers).expanduser().read_text("utf-8") if self.salerno_providers else ""

    @property
    def data(self) -> Path:
        default = "/var/lib/salerno" if os.geteuid() == 0 else "~/.local/share/salerno"
        return Path(self.salerno_data or default).expanduser().absolute()

    @property
    def postgres(self) -> Path:
        """The embedded server's folder."""
        return self.data / "postgres"

    @property
    def witness(self) -> Path:
        return Path(self.salerno_witness).expanduser().absolute() if self.salerno_witness else self.data / "witness"

    @property
    def demo_mark(self) -> Path:
        """Lies in a data folder that holds the demo clinic, whose passwords are public."""
        return self.data / "demo-clinic"

    @property
    def second_factor_demanded(self) -> bool:
        return self.salerno_second_factor == "demanded" or (self.production and not self.salerno_second_factor)

    @property
    def token_lifetime(self) -> timedelta:
        number, unit = re.fullmatch(r"(\d+)([smhd]?)", self.jwt_expires_in).groups()  # type: ignore[union-attr]
        return timedelta(seconds=int(number) * UNITS[unit or "s"])

    # -- what production refuses

    def problems(self) -> list[str]:
        """What makes these settings unfit for production, one sentence each."""
        return [*self._problems_of_secrets(), *self._problems_of_the_database(), *self._problems_of_the_way_in()]

    def _problems_of_secrets(self) -> list[str]:
        found = []
        if not self.encryption_key:
            found.append("ENCRYPTION_KEY is missing. Make one with: openssl rand -base64 32")
        for name in ("encryption_key", "jwt_secret", "jwt_refresh_secret"):
            if (value := getattr(self, name)) and (reason := weakness(value)):
                found.append(f"{name.upper()} {reason}")
        if self.jwt_secret and self.jwt_secret in (self.jwt_refresh_secret, self.encryption_key):
            found.append("JWT_SECRET is used twice: every secret is its own.")
        if self.demo_mark.exists():
            found.append("SALERNO_DATA holds the demo clinic, whose passwords are public. Use another folder.")
        if self.smtp_user and self.smtp_password.lower() in DEVELOPMENT_PASSWORDS:
            found.append("SMTP_PASSWORD is a default one.")
        return found

    @property
    def unneeded(self) -> list[str]:
        """What is set and has no use here, so that nobody takes it for a protection."""
        secrets = {"JWT_SECRET": self.jwt_secret, "JWT_REFRESH_SECRET": self.jwt_refresh_secret}
        return [f"{name} is set, but not needed. {description_of(name)}" for name, value in secrets.items() if value]

    @property
    def metrics_folder(self) -> Path | None:
        """Where the workers of this port leave their numbers, when the metrics have a port of their own."""
        return self.data / f"metrics-{self.port}" if self.enable_metrics else None

    def _problems_of_the_database(self) -> list[str]:
        found = []
        for name in ("database_url", "database_owner_url"):
            url = urlsplit(getattr(self, name))
            query = dict(parse_qsl(url.query))
            host = query.get("host") or url.hostname or ""
            by_socket = not host or host.startswith("/")
            if not by_socket and host not in LOCAL_HOSTS and query.get("sslmode") not in WITH_TLS:
                found.append(f"{name.upper()} reaches another machine without TLS. Add ?sslmode=verify-full")
            if not by_socket and (url.password or "").lower() in DEVELOPMENT_PASSWORDS | {(url.username or "").lower()}:
                found.append(f"{name.upper()} has a default password, or none.")
        return found

    def _problems_of_the_way_in(self) -> list[str]:
        found = []
        if not self.base_url.startswith("https://"):
            found.append("SALERNO_BASE_URL is not an https address.")
        if "*" in self.origins or any(not origin.startswith("https://") for origin in self.origins):
            found.append("SALERNO_ORIGINS names an origin that is not a single https address.")
        if self.log_level == "debug":
            found.append("LOG_LEVEL is debug.")
        if not (self.rate_limit_max_requests and self.rate_limit_max_signed_in):
            found.append("RATE_LIMIT_MAX_REQUESTS or RATE_LIMIT_MAX_SIGNED_IN is without limit.")
        if self.smtp_host and self.smtp_security == "none":
            found.append("SMTP_SECURITY is none.")
        return found


def read_settings(environment: Mapping[str, str] | None = None, dotenv: Path | None = None) -> Settings:
    """The settings of this process. What the environment says goes before what `.env` says."""
    given = dict(os.environ if environment is None else environment)
    if "production" not in (given.get("SALERNO_ENV"), given.get("NODE_ENV")):
        given = {**_read_dotenv(dotenv or Path(".env")), **given}
    known = [field.encode_name for field in msgspec.structs.fields(Settings)]
    settings = _convert({name: given[name].strip() for name in known if given.get(name, "").strip()})
    if wrong := _malformed(settings) or (settings.problems() if settings.production else []):
        raise SettingsError(*wrong)
    return settings


def _convert(values: dict[str, str]) -> Settings:
    """One at a time, so that every wrong setting is named, and none is shown."""
    wrong = []
    for name, value in values.items():
        try:
            msgspec.convert({name: value}, Settings, strict=False)
        except msgspec.ValidationError:
            wrong.append(f"{name} cannot be understood. {description_of(name)}")
    if wrong:
        raise SettingsError(*wrong)
    return msgspec.convert(values, Settings, strict=False)


def _malformed(settings: Settings) -> list[str]:
    """What no environment accepts."""
    found = []
    for name in ("encryption_key", "encryption_key_previous"):
        if (value := getattr(settings, name)) and key_of(value) is None:
            found.append(f"{name.upper()} is neither exactly 32 characters nor base64 of 32 bytes.")
    if settings.database_pool_min > settings.database_pool_max:
        found.append("DATABASE_POOL_MIN is above DATABASE_POOL_MAX.")
    for name in ("database_url", "database_owner_url"):
        if (value := getattr(settings, name)) and _scheme(value) not in ("postgresql", "postgres"):
            found.append(f"{name.upper()} is not a postgresql:// address.")
    if settings.salerno_clients and not Path(settings.salerno_clients).expanduser().is_file():
        found.append("SALERNO_CLIENTS names no file.")
    if settings.salerno_providers and not Path(settings.salerno_providers).expanduser().is_file():
        found.append("SALERNO_PROVIDERS names no file.")
    if settings.database_owner_url and not settings.database_url:
        found.append("DATABASE_OWNER_URL is set, but DATABASE_URL is not.")
    if settings.smtp_host and "@" not in settings.smtp_from:
        found.append("SMTP_HOST is set, but SMTP_FROM is not an e-mail address.")
    if _scheme(settings.base_url) not in ("http", "https"):
        found.append("SALERNO_BASE_URL is not an http or https address.")
    return found


def secret_at(place: str) -> str:
    """The secret that a table points to by `env:NAME` or `file:/path`. ValueError where it points otherwise."""
    kind, _, name = place.partition(":")
    if kind == "env":
        return os.environ.get(name, "").strip()
    if kind != "file":
        raise ValueError("neither env: nor file:")
    return Path(name).expanduser().read_text("utf-8").strip()


def example() -> str:
    """The whole of `.env.example`."""
    lines = ["# Every setting of Salerno, with what holds when it is left out. Copy to .env and change what you need."]
    for field in msgspec.structs.fields(Settings):
        value = str(field.default).lower() if isinstance(field.default, bool) else field.default
        lines.append(f"\n# {description_of(field.encode_name)}\n{field.encode_name}={value}")
    return "\n".join(lines) + "\n"


def description_of(name: str) -> str:
    """The line of one setting, by the name of its variable."""
    for part in Settings.__annotations__[name.lower()].__metadata__:
        if isinstance(part, Meta) and part.description:
            return part.description
    raise LookupError(f"{name} has no description")


def _scheme(url: str) -> str:
    """Of an address that has a host or a path to one; "" of anything else."""
    try:
        parts = urlsplit(url)
        return parts.scheme if parts.port != 0 and (parts.netloc or parts.query) else ""
    except ValueError:
        return ""


def _listed(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = (line.strip().removeprefix("export ") for line in path.read_text("utf-8").splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}
