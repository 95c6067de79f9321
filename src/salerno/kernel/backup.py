"""A backup: one folder with a dump, the ledger's keys and witness, who was erased, and a manifest over all of it.

Nothing in it opens without the master key, which is never part of it.
"""

import asyncio
import hashlib
import hmac
import os
import shutil
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import msgspec
from msgspec import Struct

from salerno.kernel.database import Connection, Database
from salerno.kernel.erasure import Tombstone
from salerno.kernel.errors import Invalid
from salerno.kernel.ledger.keys import sync_folder

FORMAT = "salerno-backup.v1"
DUMP, TOMBSTONES, MANIFEST, SEAL = "database.dump", "tombstones.ndjson", "manifest.json", "manifest.mac"
# The counter is above every number that this server gave out; rows may hold higher ones from a server before it.
LAST_TRANSACTION = """
    SELECT greatest(pg_snapshot_xmax(pg_current_snapshot()),
        (SELECT max(xid) FROM kernel.event_store), (SELECT max(xid) FROM kernel.access_log))::text"""
PAST_ROW_SECURITY = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user"
DEBIANS = Path("/usr/lib/postgresql")
FIRST_LIKE_THE_WHEEL = 17  # older servers do not know a setting that the wheel's pg_restore makes

Told = Callable[[int], None]  # bytes written so far


class Damaged(Invalid):
    """This backup is not what was written."""

    code = "backup-damaged"
    sentence = "This backup is damaged."


class Part(Struct, frozen=True, kw_only=True):
    path: str
    size: int
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup holds, of which installation, and up to which transaction."""

    format: str
    version: str
    made_at: datetime
    installation: str
    master_id: str
    postgres: int
    last_transaction: int
    parts: list[Part]


# -------------------------------------------------------------------- writing
def begin(to: Path) -> Path:
    """A half-made backup has another name: a folder called `to` is always a whole one."""
    if to.exists():
        raise Invalid(f"{to} is there already. A backup is written into a new folder.")
    half = to.with_name(f"{to.name}.partial")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True, mode=0o700)
    return half


def copy_folder(source: Path, to: Path) -> None:
    if source.is_dir():
        # A file whose name begins with a point is a draft that somebody is writing just now.
        shutil.copytree(source, to, ignore=shutil.ignore_patterns(".*"), copy_function=shutil.copyfile)


def keep_tombstones(folder: Path, stones: Iterable[Tombstone]) -> None:
    (folder / TOMBSTONES).write_bytes(b"".join(msgspec.json.encode(stone) + b"\n" for stone in stones))


def finish(half: Path, to: Path, manifest: Manifest, master: bytes) -> Manifest:
    """Write down what is there, make it durable, and give the folder its name."""
    paths = sorted(path for path in half.rglob("*") if path.is_file())
    parts = [Part(path=str(path.relative_to(half)), size=path.stat().st_size, sha256=_digest(path)) for path in paths]
    whole = msgspec.structs.replace(manifest, parts=parts)
    content = msgspec.json.format(msgspec.json.encode(whole), indent=1)
    (half / MANIFEST).write_bytes(content)
    (half / SEAL).write_text(_mac(master, content), "ascii")
    for path in (*paths, half / MANIFEST, half / SEAL):
        _sync(path)
    for below in (half, *(path for path in half.rglob("*") if path.is_dir())):
        sync_folder(below)
    half.rename(to)
    sync_folder(to.parent)
    return whole


def _mac(master: bytes, content: bytes) -> str:
    return hmac.digest(hmac.digest(master, b"salerno backups", "sha256"), content, "sha256").hex()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# -------------------------------------------------------------------- reading
def read(folder: Path, master: bytes, master_id: str) -> Manifest:
    """The manifest of a whole and unchanged backup of ours; anything else is refused with its cause."""
    manifest = _manifest(folder)
    if manifest.format != FORMAT:
        raise Damaged(f"{folder} is a backup of another format: {manifest.format}.")
    if manifest.master_id != master_id:
        raise Invalid(
            f"{folder} belongs to master key {manifest.master_id}, and the one in use is {master_id}. "
            "Set the right ENCRYPTION_KEY, or put master.key into the data folder. Nothing was changed."
        )
    seal = folder / SEAL
    told = seal.read_text("ascii", "replace").strip() if seal.is_file() else ""
    if not hmac.compare_digest(told.encode(), _mac(master, (folder / MANIFEST).read_bytes()).encode()):
        raise Damaged(f"{folder}: the manifest is not the one that was written.")
    for part in manifest.parts:
        _check(folder, part)
    return manifest


def _manifest(folder: Path) -> Manifest:
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise Invalid(f"{folder} is no backup: it has no {MANIFEST}.") from None
    except msgspec.MsgspecError:
        raise Damaged(f"{folder}: {MANIFEST} cannot be read.") from None


def _check(folder: Path, part: Part) -> None:
    path = folder / part.path
    if not path.is_file():
        raise Damaged(f"{folder}: {part.path} is missing.")
    if path.stat().st_size != part.size:
        raise Damaged(f"{folder}: {part.path} has {path.stat().st_size} bytes instead of {part.size}.")
    if _digest(path) != part.sha256:
        raise Damaged(f"{folder}: {part.path} is not what was written.")


def tombstones_of(folders: Iterable[Path]) -> list[Tombstone]:
    """Everybody whom one of these backups knows to be erased: the newest may know more than the one restored."""
    found: dict[tuple[object, object], Tombstone] = {}
    for folder in folders:
        for line in (folder / TOMBSTONES).read_bytes().splitlines():
            stone = msgspec.json.decode(line, type=Tombstone)
            found.setdefault((stone.organisation, stone.subject), stone)
    return list(found.values())


def beside(folder: Path, master: bytes, manifest: Manifest) -> list[Path]:
    """The whole backups of the same installation that lie in the same folder."""
    found = []
    for other in sorted(path.parent for path in folder.absolute().parent.glob(f"*/{MANIFEST}")):
        try:
            theirs = read(other, master, manifest.master_id)
        except Invalid:
            continue
        if theirs.installation == manifest.installation:
            found.append(other)
    return found


# -------------------------------------------------------------------- PostgreSQL's own programs
async def last_transaction(connection: Connection) -> int:
    return int(await connection.fetchval(LAST_TRANSACTION))


async def refuse_row_security(database: Database) -> None:
    """A dump that row-level security filters would be a backup of nothing."""
    async with database.owner() as connection:
        if not await connection.fetchval(PAST_ROW_SECURITY):
            raise Invalid(
                "The role of DATABASE_OWNER_URL does not read past row-level security. Let a superuser say "
                "ALTER ROLE … BYPASSRLS, or name a role that has it for this one command."
            )


async def tools_for(database: Database, wheels: Path) -> Path:
    """The programs that fit a given server: the wheel's own, or for an older server those of its version."""
    async with database.owner() as connection:
        major = connection.get_server_version().major
    if major >= FIRST_LIKE_THE_WHEEL:
        return wheels
    folder = DEBIANS / str(major) / "bin"
    if not (folder / "pg_dump").exists():
        raise Invalid(f"The server is PostgreSQL {major}: install postgresql-client-{major} to dump or restore it.")
    return folder


async def dump(tools: Path, url: str, to: Path, told: Told) -> None:
    await _run([tools / "pg_dump", "-Fc", "-Z1", "-f", to], url, lambda: told(_size(to)))


async def load(tools: Path, url: str, dumped: Path, *, owners: bool, told: Told) -> None:
    """All or nothing. `owners` keeps who owns what, which only a superuser may."""
    words: list[str | Path] = [tools / "pg_restore", "--exit-on-error", "--single-transaction", "--no-comments"]
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        told(steps)

    await _run([*words, *(() if owners else ("--no-owner",)), dumped], url, step)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


async def _run(words: list[str | Path], url: str, tick: Callable[[], None]) -> None:
    """The password goes by the environment: a command line can be read by everybody on the machine."""
    parts = urlsplit(url)
    address = urlunsplit(parts._replace(netloc=_without_password(parts.netloc)))
    process = await asyncio.create_subprocess_exec(
        *map(str, [words[0], "-d", address, *words[1:]]),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "PGPASSWORD": unquote(parts.password or ""), "LC_ALL": "C.UTF-8"},
        cwd="/",
    )
    said = asyncio.create_task(process.communicate())
    while not (await asyncio.wait([said], timeout=0.2))[0]:
        tick()
    if process.returncode:
        text = said.result()[1].decode(errors="replace").strip().splitlines()
        raise Invalid(f"{Path(words[0]).name} failed. {' '.join(text[:2])}")


def _without_password(netloc: str) -> str:
    user, at, host = netloc.rpartition("@")
    return f"{quote(unquote(user.partition(':')[0]))}{at}{host}"
