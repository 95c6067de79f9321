"""A Redis of the tests' own: started on a free port in a folder of its own, killed, frozen, and stopped."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from bench.harness import free_port

MISSING = "redis-server is missing. Install it with: apt-get install redis-server"
PATIENCE = 20.0


class RedisServer:
    """Without anything on the disk: what is killed comes back empty."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> "RedisServer":
        program = shutil.which("redis-server")
        assert program, MISSING
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            [program, *words], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < until and self.process.poll() is None, "Redis does not start"
            time.sleep(0.02)
        return self

    def _answers(self) -> bool:
        try:
            with redis.Redis(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def keys(self) -> dict[str, int]:
        """Every key with its milliseconds to live."""
        with redis.Redis(port=self.port, decode_responses=True) as client:
            return {key: client.pttl(key) for key in client.keys("*")}

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    folder = Path(tempfile.mkdtemp(prefix="salerno-redis-"))
    server = RedisServer(folder).start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)
