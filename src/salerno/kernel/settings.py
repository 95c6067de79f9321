"""Every setting, read once from the environment; in development also from a file `.env`. Nothing else reads either."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from salerno.kernel.addresses import Network, networks_in
from salerno.kernel.dotenv import read_dotenv
from salerno.kernel.soundness import malformed, unfit

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
    salerno_registration: Annotated[
        bool, Meta(description="true: programs may ask at /register to be registered; an administrator approves each.")
    ] = False
    salerno_networks: Annotated[
        str,
        Meta(description="A CSV file of network,country (192.0.2.0/24,IT) for alerts on new countries. Empty: none."),
    ] = ""
    salerno_usual_countries: Annotated[
        str, Meta(description="Countries that raise no alert, beside the organisation's own, with commas between.")
    ] = ""
    salerno_bulk_charts: Annotated[
        Positive, Meta(description="Charts that one account may open in ten minutes before it raises an alert.")
    ] = 60
    salerno_providers: Annotated[
        str, Meta(description="A CSV file of other OpenID providers for signing in; docs/openid.md says how.")
    ] = ""
    salerno_behind_proxy: Annotated[
        bool, Meta(description="true: a proxy on this machine says whose request it is: trust 127.0.0.1 and ::1.")
    ] = False
    salerno_trusted_proxies: Annotated[
        str, Meta(description="Further proxies whose word on that counts: addresses and networks, commas between.")
    ] = ""
    salerno_forwarded_header: Annotated[
        Literal["x-forwarded-for", "forwarded"],
        Meta(description="The header in which the proxies say it: x-forwarded-for, forwarded. The other is ignored."),
    ] = "x-forwarded-for"
    salerno_workers: Annotated[int, Meta(ge=1, le=64, description="Processes on one port, as --workers says.")] = 1
    salerno_instances: Annotated[
        Positive, Meta(description="Servers with all doors on this database. More than one needs REDIS_URL.")
    ] = 1

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

    salerno_care_days: Annotated[
        Positive,
        Meta(description="Days after an appointment or visit for which its practitioner has the patient in care."),
    ] = 90
    snapshot_frequency: Annotated[Positive, Meta(description="Events of a stream between two snapshots.")] = 100
    projection_batch_size: Annotated[Positive, Meta(description="Events that a projection takes at a time.")] = 1000

    rate_limit_window_ms: Annotated[Positive, Meta(description="The window of the RATE_LIMIT_MAX_…: milliseconds.")] = (
        60_000
    )
    rate_limit_max_requests: Annotated[
        Count, Meta(description="Requests of an address before sign-in. 0: no limit.")
    ] = 100
    rate_limit_max_signed_in: Annotated[Count, Meta(description="Requests of an account. 0: no limit.")] = 300
    rate_limit_max_secrets: Annotated[
        Count, Meta(description="Requests of an address that verify a secret. 0: no limit.")
    ] = 60
    rate_limit_max_reports: Annotated[Count, Meta(description="Reports of an address's browsers. 0: no limit.")] = 60
    rate_limit_max_probes: Annotated[Count, Meta(description="Health probes of an address. 0: no limit.")] = 600
    rate_limit_max_per_room: Annotated[Count, Meta(description="Requests to one room, a second. 0: no limit.")] = 0
    rate_limit_failures_window_ms: Annotated[
        Positive, Meta(description="The window of RATE_LIMIT_FAILURES_…, which are counted in the database.")
    ] = 300_000
    rate_limit_failures_per_account: Annotated[Positive, Meta(description="Failed tries for one account.")] = 10
    rate_limit_failures_per_address: Annotated[Positive, Meta(description="Tries to sign in from one address.")] = 50
    redis_url: Annotated[
        str, Meta(description="Where all servers count together: redis://, rediss:// (TLS) or unix://. Empty: alone.")
    ] = ""

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
    def proxies(self) -> tuple[Network, ...]:
        """From whom it is believed whose request it is."""
        near = networks_in("127.0.0.1, ::1") if self.salerno_behind_proxy else ()
        return near + networks_in(self.salerno_trusted_proxies)

    @property
    def processes(self) -> int:
        """How many share the requests, as far as the settings know."""
        return self.salerno_workers * self.salerno_instances

    @property
    def clients_table(self) -> str:
        """What stands in the file of applications; no file is an empty one."""
        return Path(self.salerno_clients).expanduser().read_text("utf-8") if self.salerno_clients else ""

    @property
    def networks_table(self) -> str:
        """What stands in the list of networks; no file is an empty one."""
        return Path(self.salerno_networks).expanduser().read_text("utf-8") if self.salerno_networks else ""

    @property
    def usual_countries(self) -> frozenset[str]:
        return frozenset(country.upper() for country in _listed(self.salerno_usual_countries))

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

    def problems(self) -> list[str]:
        """What makes these settings unfit for production, one sentence each."""
        return unfit(self)

    @property
    def unneeded(self) -> list[str]:
        """What is set and has no use here, so that nobody takes it for a protection."""
        secrets = {"JWT_SECRET": self.jwt_secret, "JWT_REFRESH_SECRET": self.jwt_refresh_secret}
        return [f"{name} is set, but not needed. {description_of(name)}" for name, value in secrets.items() if value]

    @property
    def metrics_folder(self) -> Path | None:
        """Where the workers of this port leave their numbers, when the metrics have a port of their own."""
        return self.data / f"metrics-{self.port}" if self.enable_metrics else None


def read_settings(environment: Mapping[str, str] | None = None, dotenv: Path | None = None) -> Settings:
    """The settings of this process. What the environment says goes before what `.env` says."""
    given = dict(os.environ if environment is None else environment)
    if "production" not in (given.get("SALERNO_ENV"), given.get("NODE_ENV")):
        given = {**read_dotenv(dotenv or Path(".env")), **given}
    known = [field.encode_name for field in msgspec.structs.fields(Settings)]
    settings = _convert({name: given[name].strip() for name in known if given.get(name, "").strip()})
    if wrong := malformed(settings) or (settings.problems() if settings.production else []):
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


def _listed(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())
