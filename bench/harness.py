"""A server process of one's own: started, asked over HTTP, killed with everything below it."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

SALERNO = Path(sys.executable).with_name("salerno")
PATIENCE = 120.0
UNLIMITED = {
    **{f"RATE_LIMIT_MAX_{of}": "0" for of in ("REQUESTS", "SIGNED_IN", "SECRETS", "PROBES")},
    "LOG_LEVEL": "warning",
}


def free_port() -> int:
    """One that nobody has, below those that the system gives to whoever asks for any: they may be taken meanwhile."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


class Process:
    """`salerno serve` on a data folder."""

    def __init__(self, data: Path, *words: str, given: Mapping[str, str] | None = None, port: int = 0) -> None:
        self.data, self.words, self.port = data, words, port or free_port()
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        self.given = {**kept, "HOME": "/nowhere", **UNLIMITED, **(given or {})}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Process":
        with (self.data.parent / f"serve-{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [SALERNO, "serve", "--port", str(self.port), *self.words],
                env={**self.given, "SALERNO_DATA": str(self.data)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data.parent,
                start_new_session=True,
            )
        return self

    def ready(self, seconds: float = PATIENCE) -> "Process":
        until = time.monotonic() + seconds
        with httpx.Client(base_url=self.url, timeout=5, verify=False) as client:
            while time.monotonic() < until:
                assert self.process is not None and self.process.poll() is None, self.said()
                with suppress(httpx.HTTPError):
                    if client.get("/readyz").status_code == 200:
                        return self
                time.sleep(0.1)
        raise AssertionError(f"not ready after {seconds} s: {self.said()}")

    def said(self) -> str:
        return (self.data.parent / f"serve-{self.port}.log").read_text(errors="replace")[-6000:]

    def complaints(self) -> str:
        """What it logged about errors of its own."""
        lines = (self.data.parent / f"serve-{self.port}.log").read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if '"error"' in line or "Traceback" in line)[-6000:]

    def kill(self) -> None:
        """kill -9 of the server process and its workers. The database is in a session of its own and lives on."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()


def answer_of(response: httpx.Response) -> Any:
    """What a success answers; anything else is an error of the test."""
    assert response.is_success, f"{response.status_code} {response.text}"
    return response.json()
