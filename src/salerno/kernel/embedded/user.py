"""Whom the server runs as."""

import os
import pwd
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLEAN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


class EmbeddedPostgresError(RuntimeError):
    """The embedded server cannot be started here. The sentence says what to change."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The operating system's user that runs the server: ourselves, or a user without rights when we are root."""

    uid: int
    gid: int
    name: str
    by_root: bool

    @classmethod
    def find(cls, name_for_root: str) -> "ServerUser":
        if os.geteuid() == 0:
            entry = cls._user_without_rights(name_for_root)
            return cls(entry.pw_uid, entry.pw_gid, entry.pw_name, by_root=True)
        try:
            return cls(os.geteuid(), os.getegid(), pwd.getpwuid(os.geteuid()).pw_name, by_root=False)
        except KeyError:
            raise EmbeddedPostgresError(
                f"User id {os.geteuid()} has no entry in the user database, and PostgreSQL needs one: "
                "add it to /etc/passwd, or set DATABASE_URL."
            ) from None

    @staticmethod
    def _user_without_rights(name: str) -> pwd.struct_passwd:
        with suppress(KeyError):
            return pwd.getpwnam(name)
        useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin")
        if useradd is None:
            raise EmbeddedPostgresError(f"PostgreSQL refuses to run as root. Create the system user {name!r}.")
        words = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/"]
        words += ["--shell", "/usr/sbin/nologin", name]
        made = subprocess.run(words, capture_output=True, text=True, check=False)
        try:
            return pwd.getpwnam(name)  # another process may have been faster: only the result counts
        except KeyError:
            raise EmbeddedPostgresError(f"The user {name!r} could not be made: {made.stderr.strip()}") from None

    @property
    def clients(self) -> list[str]:
        return ["root", self.name] if self.by_root else [self.name]

    @property
    def identity(self) -> dict[str, Any]:
        """What `subprocess` needs to become this user; with `user` alone, root's groups would stay."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.by_root else {}

    def call(self, *command: str | Path, **options: Any) -> "subprocess.CompletedProcess[str]":
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        words = [str(word) for word in command]
        return subprocess.run(
            words, cwd="/", umask=0o077, text=True, env=CLEAN_ENVIRONMENT, check=False, **self.identity, **options
        )

    def may(self, test: str, path: Path) -> bool:
        return self.call("/usr/bin/test", test, path).returncode == 0


def own_folder(folder: Path, user: ServerUser) -> None:
    """Make a folder that only the server's user reads, or refuse one that somebody else has put there."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if user.by_root and folder.lstat().st_uid == 0:  # made just now, or by a root that was killed at this point
        os.chown(folder, user.uid, user.gid, follow_symlinks=False)
    found = folder.lstat()
    if found.st_uid != user.uid or found.st_mode & 0o170077 != 0o040000:
        raise EmbeddedPostgresError(f"{folder} must be a folder of user {user.name!r} that nobody else can read.")
