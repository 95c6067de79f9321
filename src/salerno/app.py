"""The composition root: a process is a list of rooms plus a list of doors. It knows every one of them."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib import import_module, metadata
from typing import Any

from litestar import Litestar

from salerno.contexts.audit.room import AUDIT
from salerno.contexts.encounters.room import ENCOUNTERS
from salerno.contexts.identity.handlers.posting import Postman
from salerno.contexts.identity.handlers.provider.backchannel import Herald
from salerno.contexts.identity.room import IDENTITY
from salerno.contexts.identity.rules.client import BadClients, DeclaredClients, declared_in
from salerno.contexts.identity.rules.external import BadProviders, ExternalProviders, providers_in
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.organisations.room import ORGANISATIONS
from salerno.contexts.patients.room import PATIENTS
from salerno.contexts.prescribing.room import PRESCRIBING
from salerno.contexts.protection.queries import CareSpan
from salerno.contexts.protection.room import PROTECTION
from salerno.contexts.protection.wards import keep_hidden
from salerno.contexts.records.room import RECORDS
from salerno.contexts.scheduling.room import SCHEDULING
from salerno.contexts.staff.room import STAFF
from salerno.contexts.vigilance.handlers.watching import Watchman
from salerno.contexts.vigilance.room import VIGILANCE
from salerno.contexts.vigilance.rules.networks import BadNetworks, networks_in
from salerno.contexts.vigilance.rules.watch import Watchfulness
from salerno.interfaces import between
from salerno.interfaces.http.application import Setup, build
from salerno.interfaces.http.edge import Rules
from salerno.interfaces.http.ending import end_access
from salerno.interfaces.http.forwarded import Proxies
from salerno.interfaces.http.limits import limits_of
from salerno.interfaces.http.live import Live
from salerno.interfaces.http.routes import Door
from salerno.interfaces.http.sessions import sessions_of
from salerno.kernel import chores
from salerno.kernel.bus import Bus
from salerno.kernel.clock import Clock, SystemClock
from salerno.kernel.database import Database
from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.fitness import serving_name
from salerno.kernel.ledger.keys import SigningKeys
from salerno.kernel.ledger.sealer import Sealer
from salerno.kernel.ledger.witness import FolderWitness
from salerno.kernel.logs import configure_logs
from salerno.kernel.mail import SmtpMail
from salerno.kernel.master_key import master_key
from salerno.kernel.migrations import migrate
from salerno.kernel.remote import RemoteRooms, internal_key
from salerno.kernel.room import Room
from salerno.kernel.secrecy import key_of
from salerno.kernel.settings import Settings, SettingsError, read_settings, secret_at
from salerno.kernel.space import Space
from salerno.kernel.subscriptions import Subscriptions
from salerno.kernel.tail import News, Tail
from salerno.kernel.vault import Vault

ROOMS: tuple[Room, ...] = (
    ORGANISATIONS,
    IDENTITY,
    STAFF,
    PATIENTS,
    SCHEDULING,
    ENCOUNTERS,
    RECORDS,
    PRESCRIBING,
    PROTECTION,
    AUDIT,
    VIGILANCE,
)
DOORS = ("web", "api", "fhir")


def rooms() -> list[Room]:
    """Every room of the product."""
    return list(ROOMS)


@dataclass(frozen=True, slots=True)
class House:
    """A product without doors: what the command line, the doors and the tests share."""

    database: Database
    bus: Bus
    subscriptions: Subscriptions
    tail: Tail


async def prepare(database: Database, every_room: Sequence[Room]) -> list[str]:
    """Bring the database's structure up to date, as its owner. Answers what was applied."""
    async with database.owner() as connection:
        return await migrate(connection, [(room.name, room.folder) for room in every_room])


def wire(
    database: Database,
    vault: Vault,
    *,
    clock: Clock | None = None,
    here: Iterable[str] | None = None,
    elsewhere: RemoteRooms | None = None,
    snapshot_frequency: int = 100,
    batch_size: int = 1000,
) -> House:
    """Hang the rooms on a bus. Nothing is opened yet."""
    bus = Bus(database, vault, rooms(), clock, here=here, elsewhere=elsewhere, snapshot_frequency=snapshot_frequency)
    if elsewhere is not None:
        elsewhere.bus = bus
    tail = Tail(bus)
    keep_hidden(bus, tail)
    return House(database, bus, Subscriptions(bus, batch_size), tail)


@asynccontextmanager
async def living(house: House, *, follow: bool = True) -> AsyncIterator[House]:
    """Open the pool and let the rooms hear each other, until the block ends."""
    await house.database.open()
    await house.bus.vault.refuse_other_masters()
    if follow:
        house.subscriptions.start()
        house.tail.start()
    try:
        yield house
    finally:
        await house.tail.stop()
        await house.subscriptions.stop()
        await house.bus.access_log.close()
        await house.database.close()


@asynccontextmanager
async def opened(
    database: Database, vault: Vault, *, clock: Clock | None = None, follow: bool = True
) -> AsyncIterator[House]:
    """A whole house on a database that is prepared."""
    async with living(wire(database, vault, clock=clock), follow=follow) as house:
        yield house


# -------------------------------------------------------------------- from settings
def embedded(settings: Settings) -> EmbeddedPostgres | None:
    """The private server of this data folder, unless DATABASE_URL names another."""
    return None if settings.database_url else EmbeddedPostgres(settings.postgres)


def database_of(settings: Settings, server: EmbeddedPostgres | None) -> Database:
    sizes = {
        "pool_min": settings.database_pool_min,
        "pool_max": settings.database_pool_max,
        "idle_seconds": settings.database_idle_timeout // 1000,
    }
    if server is not None:
        return Database(server.url("salerno_app"), server.url(), **sizes)
    return Database(settings.database_url, settings.database_owner_url or settings.database_url, **sizes)


def signing_keys_of(settings: Settings) -> SigningKeys:
    previous = key_of(settings.encryption_key_previous) if settings.encryption_key_previous else None
    return SigningKeys(settings.data / "ledger", master_key(settings), [previous] if previous else []).open()


def sealer_of(settings: Settings, database: Database, clock: Clock) -> Sealer:
    return Sealer(database, clock, signing_keys_of(settings), [FolderWitness(settings.witness)])


def sign_in_policy(settings: Settings) -> SignInPolicy:
    """How strict sign-in is here: as in production, unless this is not it."""
    return SignInPolicy(
        development=not settings.production,
        mails=bool(settings.smtp_host),
        registration=settings.salerno_registration,
        second_factor_demanded=settings.second_factor_demanded,
        issuer=settings.base_url,
        password_token=settings.token_lifetime,
        window=timedelta(milliseconds=settings.rate_limit_failures_window_ms),
        failures_per_account=settings.rate_limit_failures_per_account,
        failures_per_address=settings.rate_limit_failures_per_address,
    )


def postman_of(settings: Settings, bus: Bus) -> Postman | None:
    """Where accounts live and a mail server is named, this process sends their letters."""
    if not settings.smtp_host or "identity" not in bus.here:
        return None
    mail = SmtpMail(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_from,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=settings.smtp_password,
    )
    return Postman(bus, mail)


def declared_clients(settings: Settings) -> DeclaredClients:
    """The applications of the configuration; a file that cannot be followed names its line."""
    try:
        return declared_in(settings.clients_table)
    except (BadClients, UnicodeDecodeError) as bad:
        raise SettingsError(f"SALERNO_CLIENTS: {bad}") from bad


def watchfulness(settings: Settings) -> Watchfulness:
    """How watchful to be; a list of networks that cannot be followed names its line."""
    try:
        networks = networks_in(settings.networks_table)
    except (BadNetworks, UnicodeDecodeError) as bad:
        raise SettingsError(f"SALERNO_NETWORKS: {bad}") from bad
    return Watchfulness(bulk_charts=settings.salerno_bulk_charts, networks=networks, usual=settings.usual_countries)


def external_providers(settings: Settings) -> ExternalProviders:
    """The other OpenID providers of the configuration, with their secrets."""
    try:
        return providers_in(settings.providers_table, secret_at, development=not settings.production)
    except (BadProviders, UnicodeDecodeError) as bad:
        raise SettingsError(f"SALERNO_PROVIDERS: {bad}") from bad


def house_of(settings: Settings, clock: Clock | None = None) -> tuple[House, EmbeddedPostgres | None]:
    """The house that these settings describe, and the server it may need started first."""
    server = embedded(settings)
    key = master_key(settings)
    database = database_of(settings, server)
    here = frozenset(settings.salerno_rooms.replace(",", " ").split()) or frozenset(room.name for room in ROOMS)
    everywhere = here == frozenset(room.name for room in ROOMS)
    elsewhere = None if everywhere else RemoteRooms(database, clock or SystemClock(), internal_key(key))
    previous = key_of(settings.encryption_key_previous) if settings.encryption_key_previous else None
    house = wire(
        database,
        Vault(key, [previous] if previous else []),
        clock=clock,
        here=here,
        elsewhere=elsewhere,
        snapshot_frequency=settings.snapshot_frequency,
        batch_size=settings.projection_batch_size,
    )
    house.bus.settings[SignInPolicy] = sign_in_policy(settings)
    house.bus.settings[DeclaredClients] = declared_clients(settings)
    house.bus.settings[Watchfulness] = watchfulness(settings)
    house.bus.settings[CareSpan] = CareSpan(days=settings.salerno_care_days)
    house.bus.settings[ExternalProviders] = external_providers(settings)
    return house, server


@asynccontextmanager
async def running(settings: Settings, *, clock: Clock | None = None, follow: bool = False) -> AsyncIterator[House]:
    """The product of these settings, prepared and open: what every verb of the command line works in."""
    house, server = house_of(settings, clock)
    async with AsyncExitStack() as stack:
        if server is not None:
            await asyncio.to_thread(server.start)
            stack.push_async_callback(asyncio.to_thread, server.stop)
        await prepare(house.database, rooms())
        yield await stack.enter_async_context(living(house, follow=follow))


@asynccontextmanager
async def _serving(
    settings: Settings, house: House, server: EmbeddedPostgres | None, app: Litestar
) -> AsyncIterator[None]:
    """Everything that lives as long as a server process: database, readers of the log, sealer, announcements."""
    tasks: list[asyncio.Task[Any]] = []
    parent = os.getppid()
    async with AsyncExitStack() as stack:
        if server is not None:
            await asyncio.to_thread(server.start)
            stack.push_async_callback(asyncio.to_thread, server.stop)
            tasks.append(asyncio.create_task(chores.keep_running(server)))
            space = Space(settings.data, (server.data, server.data / "pg_wal"))
            house.bus.full = lambda: space.full
            tasks.append(asyncio.create_task(chores.look_at_the_disk(space)))
        await stack.enter_async_context(living(house))
        if isinstance(house.bus.elsewhere, RemoteRooms):
            stack.push_async_callback(house.bus.elsewhere.close)
        sealer = sealer_of(settings, house.database, house.bus.clock)
        app.state["sealer"] = sealer
        house.tail.listeners.append(partial(_tell_browsers, app.state["live"]))
        house.tail.missed.append(app.state["live"].missed)
        house.tail.listeners.append(partial(end_access, app.state["sessions"], app.state["live"]))
        house.tail.missed.append(app.state["sessions"].forget)
        tasks.append(asyncio.create_task(sealer.run()))
        if (postman := postman_of(settings, house.bus)) is not None:
            tasks.append(asyncio.create_task(postman.run()))
        if "identity" in house.bus.here:
            tasks.append(asyncio.create_task(Herald(house.bus).run()))
        if "vigilance" in house.bus.here:
            tasks.append(asyncio.create_task(Watchman(house.bus).run()))
        tasks.append(asyncio.create_task(chores.keep_partitions(house.database)))
        tasks.append(asyncio.create_task(chores.follow_the_parent(parent)))
        if len(house.bus.here) < len(ROOMS):
            tasks.append(
                asyncio.create_task(chores.keep_announcing(house.database, house.bus.here, settings, house.bus.clock))
            )
        chores.sweep_seldom()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _tell_browsers(live: Live, news: News) -> None:
    """That something happened in an organisation, and to what: a browser asks for what it may see of it."""
    live.publish(str(news.organisation), news.kind, news.event, news.kind.partition(".")[0])
    live.publish(f"{news.organisation}/{news.subject}", "chart", "", "chart")


def version() -> str:
    return metadata.version("salerno")


def doors_of(wanted: Sequence[str], bus: Bus, key: bytes) -> list[Door]:
    """The doors of this process. Where rooms are spread over processes, the one between them is always open."""
    found = [import_module(f"salerno.interfaces.{name}").door(bus) for name in wanted]
    return found if len(bus.here) == len(ROOMS) else [*found, between.door(bus, key)]


def create() -> Litestar:
    """One server process: what Granian calls in each worker."""
    settings = read_settings()
    configure_logs(settings.level)
    house, server = house_of(settings)
    house.database.name = serving_name(settings.port)
    wanted = settings.salerno_doors.replace(",", " ").split() or list(DOORS)
    setup = Setup(
        rules=Rules(
            proxies=Proxies(settings.proxies, settings.salerno_forwarded_header.encode()),
            hosts=settings.hosts if settings.production else frozenset(),
            cross_origins=settings.origins,
        ),
        sessions=sessions_of(house.bus),
        limits=limits_of(settings, master_key(settings)),
        version=version(),
        development=not settings.production,
        metrics_folder=settings.metrics_folder,
    )
    app: Litestar = build(
        house.bus,
        doors_of(wanted, house.bus, internal_key(master_key(settings))),
        setup,
        lambda: _serving(settings, house, server, app),
    )
    return app
