"""The embedded PostgreSQL: made, joined, killed in every way, and there again with every row."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from salerno.kernel.embedded import EmbeddedPostgres, EmbeddedPostgresError
from salerno.kernel.embedded.programs import Programs
from salerno.kernel.embedded.user import ServerUser

pytestmark = pytest.mark.slow
AS_ROOT = os.geteuid() == 0
DEBIANS_15 = Path("/usr/lib/postgresql/15/bin")
IN_CI = os.environ.get("CI") == "true"

USE_IT = """
import sys, time
from salerno.kernel.embedded import EmbeddedPostgres
with EmbeddedPostgres(sys.argv[1]) as server:
    print("ready", flush=True)
    sys.stdin.read()
"""


@contextmanager
def open_folder() -> Iterator[Path]:
    """One through which the server's user may pass; pytest's own are closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="salerno-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    with open_folder() as top:
        with EmbeddedPostgres(top / "pg"):
            pass
        yield top / "pg"


@pytest.fixture
def fresh() -> Iterator[Path]:
    """Where nothing is yet."""
    with open_folder() as top:
        yield top / "pg"


@pytest.fixture
def home(made: Path, fresh: Path) -> Path:
    """Where a cluster was made and stopped before."""
    subprocess.run(["cp", "-a", str(made), str(fresh)], check=True)
    return fresh


@pytest.fixture(scope="module")
def running(made: Path) -> Iterator[EmbeddedPostgres]:
    """One for all tests that only look at it."""
    with open_folder() as top:
        subprocess.run(["cp", "-a", str(made), str(top / "pg")], check=True)
        with EmbeddedPostgres(top / "pg") as server:
            yield server


def ask(server: EmbeddedPostgres, sql: str, role: str = "salerno_owner") -> str:
    words = [server.dump_tools() / "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, server.url(role)]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=20).stdout.strip()


def postmaster(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split("\n")[0])


def lives(pid: int) -> bool:
    status = Path("/proc", str(pid), "status")
    return status.exists() and "State:\tZ" not in status.read_text()


def eventually(happens: Callable[[], bool]) -> bool:
    until = time.monotonic() + 10
    while not happens() and time.monotonic() < until:
        time.sleep(0.02)
    return happens()


def start_user(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", USE_IT, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def end_user(user: "subprocess.Popen[str]") -> int:
    assert user.stdin and user.stdout
    user.stdin.close()
    user.stdout.close()
    return user.wait(timeout=20)


def test_a_fresh_server_is_durable_and_its_owner_is_no_superuser(running: EmbeddedPostgres) -> None:
    settings = ["fsync", "full_page_writes", "data_checksums", "synchronous_commit"]
    assert [ask(running, f"SHOW {name}") for name in settings] == ["on"] * 4
    assert ask(running, "SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user") == "f|t"
    assert ask(running, "SELECT current_user, current_database()") == "salerno_owner|salerno"
    assert ask(running, "SHOW listen_addresses") == ""
    ask(running, "CREATE EXTENSION btree_gist; CREATE EXTENSION pg_trgm; CREATE ROLE salerno_app LOGIN")
    assert ask(running, "SELECT lower('HÄUSER'), current_user", role="salerno_app") == "häuser|salerno_app"
    for folder in (running.data, running.run, running.log):
        assert folder.stat().st_mode & 0o077 == 0


def test_a_second_start_joins_and_the_last_to_leave_stops_the_server(home: Path) -> None:
    first, second = EmbeddedPostgres(home).start(), EmbeddedPostgres(home).start()
    pid = postmaster(first)
    assert postmaster(second) == pid
    first.stop()
    assert ask(second, "SELECT 1") == "1"
    second.stop()
    assert not lives(pid)


def test_what_was_written_is_there_after_a_stop_and_a_start(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        ask(server, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (41), (42)")
    with EmbeddedPostgres(home) as server:
        assert ask(server, "SELECT sum(n) FROM kept") == "83"


def test_four_processes_that_start_at_once_on_a_fresh_folder_share_one_server(fresh: Path) -> None:
    users = [start_user(fresh) for _ in range(4)]
    assert [user.stdout.readline() if user.stdout else "" for user in users] == ["ready\n"] * 4
    pid = postmaster(EmbeddedPostgres(fresh))
    assert [end_user(user) for user in users] == [0] * 4
    assert not lives(pid)


def test_after_kill_9_of_the_postmaster_under_a_busy_query_every_row_is_there(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        ask(server, "CREATE TABLE kept (n int); INSERT INTO kept SELECT generate_series(1, 1000)")
        endless = "DO $$ BEGIN LOOP PERFORM sqrt(2); END LOOP; END $$"
        busy = subprocess.Popen(
            [server.dump_tools() / "psql", "-X", "-c", endless, server.url()], stderr=subprocess.DEVNULL
        )
        running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %'"
        assert eventually(lambda: ask(server, running) == "1")
        os.kill(postmaster(server), signal.SIGKILL)
        with EmbeddedPostgres(home) as again:
            assert ask(again, "SELECT count(*) FROM kept") == "1000"
        assert busy.wait(timeout=20) != 0


def test_after_kill_9_of_its_user_the_server_is_joined_and_then_stopped(home: Path) -> None:
    user = start_user(home)
    assert user.stdout and user.stdout.readline() == "ready\n"
    pid = postmaster(EmbeddedPostgres(home))
    os.killpg(user.pid, signal.SIGKILL)
    end_user(user)
    assert lives(pid)
    with EmbeddedPostgres(home) as server:
        assert postmaster(server) == pid
    assert not lives(pid)


def test_ctrl_c_reaches_who_started_the_server_and_not_the_server(home: Path) -> None:
    user = start_user(home)
    assert user.stdout and user.stdout.readline() == "ready\n"
    with EmbeddedPostgres(home) as server:
        pid = postmaster(server)
        os.killpg(user.pid, signal.SIGINT)
        end_user(user)
        assert ask(server, "SELECT 1") == "1"
        assert postmaster(server) == pid


@pytest.mark.parametrize("seconds", [0.25, 0.6])
def test_a_start_killed_in_the_middle_of_making_the_cluster_leaves_nothing_half_made(
    fresh: Path, seconds: float
) -> None:
    user = start_user(fresh)
    assert eventually((fresh / "data.new").exists)
    time.sleep(seconds)
    user.kill()  # the user alone: its initdb goes on as an orphan
    end_user(user)
    with EmbeddedPostgres(fresh) as server:
        assert ask(server, "SELECT current_database()") == "salerno"
    assert not (fresh / "data.new").exists()


def test_a_stale_pid_file_that_names_a_stranger_is_not_believed(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        lines = (server.data / "postmaster.pid").read_text().split("\n")
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (server.data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *lines[1:]]))
        (server.run / ".s.PGSQL.5432.lock").write_text("\n".join([str(stranger.pid), *lines[1:]]))
        with EmbeddedPostgres(home) as again:
            assert ask(again, "SELECT 1") == "1"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_folder_of_another_major_version_is_refused_untouched(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        pass
    (server.data / "PG_VERSION").write_text("15\n")
    before = sorted(path.name for path in server.data.iterdir())
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 15, and the installed programs are .* 18\."):
        EmbeddedPostgres(home).start()
    assert sorted(path.name for path in server.data.iterdir()) == before


def test_a_failed_statement_leaves_no_name_in_the_log(running: EmbeddedPostgres) -> None:
    ask(running, "CREATE TABLE person (name text PRIMARY KEY); INSERT INTO person VALUES ('Trotula Canary')")
    for sql in ("INSERT INTO person VALUES ('Trotula Canary')", "SELECT 'Trotula Canary'::int", "Trotula Canary"):
        with pytest.raises(subprocess.CalledProcessError):
            ask(running, sql)
    os.kill(postmaster(running), signal.SIGHUP)  # its line comes after all that was said before
    assert eventually(lambda: any("SIGHUP" in path.read_text() for path in running.log.iterdir()))
    assert not any("Trotula" in path.read_text() for path in running.log.iterdir())


def test_settings_can_be_given(home: Path) -> None:
    with EmbeddedPostgres(home, conf={"work_mem": "12MB", "max_connections": 33}) as server:
        assert ask(server, "SHOW work_mem") == "12MB"
        assert ask(server, "SHOW max_connections") == "33"
        assert ask(server, "SHOW shared_buffers") == "256MB"


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match=r"(?s)did not start.*shared_buffers"):
        EmbeddedPostgres(home, conf={"shared_buffers": "plenty"}).start()
    with EmbeddedPostgres(home) as server:
        assert ask(server, "SELECT 1") == "1"


def test_a_path_too_long_for_a_socket_still_works(fresh: Path) -> None:
    deep = fresh / ("a" * 60) / ("b" * 60)
    with EmbeddedPostgres(deep) as server:
        assert ask(server, "SELECT 1") == "1"
        assert server.run.stat().st_mode & 0o777 == 0o700
    server.run.rmdir()


def test_the_dump_tools_fit_the_server(running: EmbeddedPostgres) -> None:
    ask(running, "CREATE TABLE dumped (n int)")
    dump = subprocess.run([running.dump_tools() / "pg_dump", running.url()], capture_output=True, text=True, check=True)
    assert "CREATE TABLE public.dumped" in dump.stdout


def test_a_name_that_a_shell_would_read_is_refused(fresh: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="cannot be used"):
        EmbeddedPostgres(fresh / "a$b")


@pytest.mark.skipif(not AS_ROOT, reason="only root makes the server run as somebody else")
def test_as_root_the_server_runs_without_any_of_roots_rights(running: EmbeddedPostgres) -> None:
    status = Path("/proc", str(postmaster(running)), "status").read_text()
    rights = {line.split(":")[0]: line.split()[1:] for line in status.splitlines()}
    user = ServerUser.find("salerno-pg")
    assert set(rights["Uid"]) == {str(user.uid)}
    assert set(rights["Gid"]) == {str(user.gid)}
    assert rights["Groups"] == []


@pytest.mark.skipif(not AS_ROOT, reason="only root makes the server run as somebody else")
def test_as_root_a_folder_below_a_closed_one_is_refused_and_stays_closed(fresh: Path) -> None:
    closed = fresh.parent / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match="SALERNO_DATA"):
        EmbeddedPostgres(closed / "pg").start()
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not AS_ROOT, reason="only root makes the server run as somebody else")
def test_as_root_programs_in_a_closed_folder_are_copied_to_where_they_can_be_run(home: Path) -> None:
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    package = Programs.of_the_wheel(ServerUser.find("salerno-pg")).folder.parents[1]
    shutil.copytree(package, closed / package.name)
    shutil.copytree(package.with_name(package.name + ".libs"), closed / (package.name + ".libs"))
    for _ in range(2):
        with EmbeddedPostgres(home, closed / package.name / "pginstall" / "bin") as server:
            assert ask(server, "SELECT 1") == "1"
            assert server.dump_tools().is_relative_to(home)
    assert len(list(home.glob("programs*"))) == 1


@pytest.mark.skipif(not AS_ROOT, reason="only root can become an ordinary user")
def test_an_ordinary_user_runs_it_too_and_root_then_refuses_the_folder(fresh: Path) -> None:
    programs = Programs.of_the_wheel(ServerUser.find("salerno-pg")).copied_below(fresh.parent).folder
    nobody = ServerUser.find("nobody")
    os.chown(fresh.parent, nobody.uid, nobody.gid)
    assert _in_a_fork(lambda: _start_as(nobody, fresh, programs)) == 0
    assert (fresh / "data").stat().st_uid == nobody.uid
    assert fresh.stat().st_mode & 0o777 == 0o700
    with pytest.raises(EmbeddedPostgresError, match="belongs to user id"):
        EmbeddedPostgres(fresh).start()


def _in_a_fork(act: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            act()
            os._exit(0)
        except BaseException as problem:
            sys.__stderr__.write(f"{problem!r}\n")  # type: ignore[union-attr]
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _start_as(user: ServerUser, home: Path, programs: Path) -> None:
    os.setgroups([])
    os.setgid(user.gid)
    os.setuid(user.uid)
    with EmbeddedPostgres(home, programs) as server:
        assert ask(server, "SELECT current_user", role="postgres") == "postgres"
        assert ask(server, "SELECT current_user") == "salerno_owner"


@pytest.mark.postgres15
@pytest.mark.skipif(not DEBIANS_15.exists() and not IN_CI, reason="apt-get install postgresql-15")
def test_debians_postgresql_15_runs_the_same_way(fresh: Path) -> None:
    with EmbeddedPostgres(fresh, DEBIANS_15) as server:
        ask(server, "CREATE EXTENSION btree_gist; CREATE ROLE salerno_app LOGIN")
        assert ask(server, "SELECT lower('HÄUSER'), current_user", role="salerno_app") == "häuser|salerno_app"
        assert ask(server, "SHOW data_checksums") == "on"
        assert server.major == 15
        os.kill(postmaster(server), signal.SIGKILL)
        with EmbeddedPostgres(fresh, DEBIANS_15) as again:
            assert ask(again, "SELECT 1") == "1"
