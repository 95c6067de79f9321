"""The server of one folder: made once, started by the first process that needs it, stopped by the last."""

import fcntl
import hashlib
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from salerno.kernel.embedded.conf import CONF
from salerno.kernel.embedded.programs import Programs
from salerno.kernel.embedded.user import EmbeddedPostgresError, ServerUser, own_folder

OWNER = "salerno_owner"
DATABASE = "salerno"
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100  # the system's limit is 107 bytes
LONGEST_PAUSE = 5.0  # seconds that a living server may have nobody who recovers or writes
FIRST_WITH_BUILTIN_LOCALE = 17
FIRST_WITH_ANY_ROLE_IN_IDENT = 16


class EmbeddedPostgres:
    """Any number of processes may start it: the first one really does, the others join."""

    def __init__(
        self,
        home: str | Path,
        bindir: str | Path | None = None,
        *,
        conf: Mapping[str, str | int] | None = None,
        os_user: str = "salerno-pg",
        patience: float = 120.0,
    ) -> None:
        self.home = Path(home).expanduser().resolve()
        if set(str(self.home)) & set("\"'$`\\\n,"):  # pg_ctl hands the path to a shell
            raise EmbeddedPostgresError(f"The folder's name has a character that cannot be used: {self.home}")
        self.data, self.log, self.run = self.home / "data", self.home / "log", self.home / "run"
        self.conf: dict[str, str] = {**CONF, **{name: str(value) for name, value in (conf or {}).items()}}
        self.patience = patience
        self._user = ServerUser.find(os_user)
        self._programs = Programs(Path(bindir), self._user) if bindir else Programs.of_the_wheel(self._user)
        self._share: int | None = None
        self._share_of = 0
        self._stuck_since: float | None = None
        self._tag = "salerno-" + hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        if len(os.fsencode(self.run / SOCKET)) > LONGEST_SOCKET_PATH:
            self.run = Path("/tmp", f"{self._tag}-{self._user.uid}")  # noqa: S108  (made 0700, its owner is checked)

    # -- what others use

    def start(self) -> Self:
        """Start the server or join the running one. Blocks, a second or two on a fresh folder."""
        if self._share is not None and self._share_of == os.getpid():
            return self
        self._prepare_folders()
        try:
            with self._locked() as lock:
                self._share, self._share_of = self._open("users.lock"), os.getpid()
                fcntl.flock(self._share, fcntl.LOCK_SH)
                if not self._programs.reachable():
                    self._programs = self._programs.copied_below(self.home)
                self._make_cluster(lock)
                self._ensure_running()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Give this process's share back; who gives back the last one stops the server."""
        if self._share is None or self._share_of != os.getpid():  # a fork's copy is not a share of its own
            return
        with self._locked():
            os.close(self._share)
            self._share = None
            users = self._open("users.lock")
            try:
                if _taken(users) and self._postmaster():
                    self._pg_ctl("-m", "fast", "stop")
            finally:
                os.close(users)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def url(self, role: str = OWNER, database: str = DATABASE) -> str:
        """A URL over the private socket, which libpq and asyncpg understand alike."""
        return f"postgresql://{quote(role)}@/{quote(database)}?host={quote(str(self.run), safe='')}&port=5432"

    def dump_tools(self) -> Path:
        """The folder with pg_dump, pg_restore, pg_basebackup, psql and pgbench of this very version."""
        return self._programs.folder

    @property
    def major(self) -> int:
        return self._programs.major

    def keep_running(self) -> bool:
        """Start it again if it was killed or is stuck; answers whether that was so. Blocks; for who holds a share."""
        if self._share is None or self._lives():
            return False
        with self._locked():
            if self._share is None or self._lives():
                return False
            if stuck := self._postmaster():
                os.kill(stuck, signal.SIGQUIT)  # at once and without a last word, as if the power had failed
            self._stuck_since = None
            self._ensure_running()
        return True

    def _lives(self) -> bool:
        """Whether it serves, or is on its way to.

        When the disk fails during recovery, PostgreSQL 18's postmaster may stay without anybody who would go on
        with it: neither the process that recovers nor the one that writes its log.
        """
        pid = self._postmaster()
        if pid is None or {b"startup", b"walwriter"} & self._kinds_below(pid):
            self._stuck_since = None
            return pid is not None
        self._stuck_since = self._stuck_since or time.monotonic()
        return time.monotonic() - self._stuck_since < LONGEST_PAUSE

    def _kinds_below(self, postmaster: int) -> set[bytes]:
        """What the processes of the cluster are for, by the titles that they give themselves."""
        found = {b"walwriter"}  # a system that does not tell is not suspected
        with suppress(OSError):
            children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
            found = set()
            for child in children:
                with suppress(OSError):
                    title = Path("/proc", child, "cmdline").read_bytes().partition(b": ")[2].partition(b": ")[2]
                    found |= set(title.rstrip(b"\0").split()[:1])
        return found

    def begin_epoch(self, number: int) -> None:
        """Of a stopped cluster: give its transactions numbers above all that begin with a smaller epoch.

        The lower half of the number, which the tables themselves hold, goes on as it is.
        """
        with self._locked():
            if self._share is not None or self._postmaster():
                raise EmbeddedPostgresError("The server must be stopped before its counter can be moved.")
            self._programs.run("pg_resetwal", "-e", str(number), "-D", self.data)

    # -- the folder

    def _prepare_folders(self) -> None:
        self._make_home()
        self._refuse_other_user()
        for folder in (self.run, self.log):
            own_folder(folder, self._user)
        if not self._user.may("-w", self.log):
            raise EmbeddedPostgresError(
                f"User {self._user.name!r} cannot reach {self.home}, because a folder above it is closed to others. "
                "As root, set SALERNO_DATA to a folder such as /var/lib/salerno."
            )

    def _make_home(self) -> None:
        """And what is missing above it. As root others may pass through, for the server's user must."""
        try:
            for folder in reversed([self.home, *self.home.parents]):
                with suppress(FileExistsError):
                    folder.mkdir()
                    folder.chmod(0o711 if self._user.by_root else 0o700)
        except OSError as problem:
            raise EmbeddedPostgresError(f"The folder {self.home} cannot be made: {problem.strerror}.") from None

    def _refuse_other_user(self) -> None:
        if self.data.exists() and (found := self.data.stat().st_uid) != self._user.uid:
            raise EmbeddedPostgresError(
                f"{self.data} belongs to user id {found}, but the server would run as {self._user.name!r}. "
                "Start Salerno as the user who made the folder."
            )

    def _make_cluster(self, lock: int) -> None:
        """In a side folder that gets its name when all is done, so that a cluster is either whole or absent.

        The programs inherit the lock: when we are killed, the next one waits until they have ended too.
        """
        if self.data.exists():
            return self._refuse_other_major()
        half = self.home / "data.new"
        shutil.rmtree(half, ignore_errors=True)
        own_folder(half, self._user)
        words = ["-U", "postgres", "-E", "UTF8", "-k", "--auth=peer", *self._locale()]
        self._programs.run("initdb", "-D", half, *words, pass_fds=(lock,))
        with (half / "postgresql.conf").open("a") as file:
            file.write("\ninclude_if_exists = 'salerno.conf'\n")
        wishes = f"CREATE ROLE {OWNER} LOGIN CREATEROLE\nCREATE DATABASE {DATABASE} OWNER {OWNER}\n"
        words = ["-c", "exit_on_error=true", "postgres"]
        self._programs.run("postgres", "--single", "-D", half, *words, input=wishes, pass_fds=(lock,))
        half.rename(self.data)
        return _sync_folder(self.home)

    def _locale(self) -> list[str]:
        """Order by code point, but letters of every script have their capitals: the same on every machine."""
        if self.major < FIRST_WITH_BUILTIN_LOCALE:
            return ["--locale=C.UTF-8"]
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]

    def _refuse_other_major(self) -> None:
        have = (self.data / "PG_VERSION").read_text().strip()
        if have != str(self.major):
            raise EmbeddedPostgresError(
                f"{self.data} was made by PostgreSQL {have}, and the installed programs are PostgreSQL {self.major}. "
                f"Nothing was changed. With PostgreSQL {have}'s programs make a dump, and restore it with the new ones "
                "(docs/deployment.md)."
            )

    def _write_conf(self) -> None:
        own = {"unix_socket_directories": f'"{self.run}"', "log_directory": str(self.log), "cluster_name": self._tag}
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in {**self.conf, **own}.items()]
        # An older ident map cannot say "any role". The socket's 0700 folder lets in nobody else either way.
        method = "peer map=salerno" if self.major >= FIRST_WITH_ANY_ROLE_IN_IDENT else "trust"
        self._write("salerno.conf", "".join(lines))
        self._write("pg_hba.conf", f"local all all {method}\nlocal replication all {method}\n")
        self._write("pg_ident.conf", "".join(f"salerno {name} all\n" for name in self._user.clients))

    def _write(self, name: str, text: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(self.data / name, flags, 0o600), "w") as file:
            if self._user.by_root:
                os.fchown(file.fileno(), self._user.uid, self._user.gid)
            file.write(text)

    # -- running (all under the lock)

    def _ensure_running(self) -> None:
        until, launched, orphaned_since = time.monotonic() + self.patience, False, None
        while not self._answers():
            if self._launch_if_nobody_lives(launched):
                launched = True
            elif not self._postmaster():
                orphaned_since = orphaned_since or time.monotonic()
                self._end_orphans(signal.SIGKILL if time.monotonic() > orphaned_since + 5 else signal.SIGQUIT)
            if time.monotonic() > until:
                raise self._error(f"{self.data} is in use, but no server answers on {self.run}.")
            time.sleep(0.02)

    def _launch_if_nobody_lives(self, launched: bool) -> bool:
        lock = self._open("server.lock")
        try:
            if not _taken(lock) or self._postmaster():
                return False
            if launched:
                raise self._error("PostgreSQL did not start.")
            self._launch(lock)
            return True
        finally:
            os.close(lock)  # the postmaster keeps its own copy

    def _launch(self, lock: int) -> None:
        for stale in (self.data / "postmaster.pid", self.run / f"{SOCKET}.lock", self.run / SOCKET):
            stale.unlink(missing_ok=True)
        self._write_conf()
        with suppress(EmbeddedPostgresError):  # it may only be slow; whether it answers is asked next
            self._pg_ctl("-l", self.log / "startup.log", "start", lock=lock)

    def _pg_ctl(self, *words: str | Path, lock: int | None = None) -> None:
        inherited = () if lock is None else (lock,)
        patience = str(int(self.patience))
        self._programs.run("pg_ctl", "-D", self.data, "-w", "-t", patience, *words, pass_fds=inherited)

    def _answers(self) -> bool:
        words = ["-q", "-h", str(self.run), "-U", "postgres", "-d", "postgres"]
        return self._programs.call("pg_isready", *words)[0] == 0

    def _postmaster(self) -> int | None:
        """The pid of this cluster's postmaster, if that is really who lives under this pid."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().partition("\n")[0])
        except (OSError, ValueError):
            return None
        return pid if self._is_ours(Path("/proc", str(pid))) else None

    def _is_ours(self, process: Path) -> bool:
        """By user and command line: a pid is used again, and a zombie keeps its own."""
        try:
            words = (process / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            status = (process / "status").read_text()
        except OSError:
            return False
        postmaster = words[0].endswith(b"/postgres") and words[1:3] == [b"-D", os.fsencode(self.data)]
        backend = words[0].startswith(f"postgres: {self._tag}: ".encode())
        return (postmaster or backend) and f"\nUid:\t{self._user.uid}\t" in status

    def _end_orphans(self, kind: signal.Signals) -> None:
        """A busy backend does not notice that its postmaster was killed, and nothing may start before it ends."""
        for process in filter(self._is_ours, Path("/proc").glob("[0-9]*")):
            with suppress(ProcessLookupError):
                os.kill(int(process.name), kind)

    # -- small things

    def _open(self, name: str) -> int:
        return os.open(self.home / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        lock = self._open("ctl.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock
        finally:
            os.close(lock)

    def _error(self, sentence: str) -> EmbeddedPostgresError:
        newest = sorted(self.log.glob("*.log"), key=lambda path: path.stat().st_mtime)[-2:]
        tail = [line for path in newest for line in path.read_text(errors="replace").splitlines()[-8:]]
        return EmbeddedPostgresError("\n".join([sentence, *tail]))


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
