"""The master key of an installation: from the settings, or from a file that lies in its data folder."""

import os

from salerno.kernel.secrecy import KEY_BYTES, key_of, weakness
from salerno.kernel.settings import Settings, SettingsError

FILE = "master.key"


def master_key(settings: Settings) -> bytes:
    """The 32 bytes. One is made only where there is no data yet that another key could have sealed."""
    if settings.encryption_key:
        return _given(settings.encryption_key)
    if settings.production:
        raise SettingsError("ENCRYPTION_KEY is missing. Make one with: openssl rand -base64 32")
    path = settings.data / FILE
    if path.exists():
        key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise SettingsError(f"{path} is not the 32 bytes that a master key has. Put the right one back.")
        return key
    if settings.database_url:
        raise SettingsError("ENCRYPTION_KEY is missing: with DATABASE_URL it has to be set.")
    if (settings.postgres / "data").exists():
        raise SettingsError(
            f"SALERNO_DATA holds data, but its master key is missing: put {path} back, or set ENCRYPTION_KEY. "
            "Nothing was changed; without that key the data cannot be opened."
        )
    return _made(settings)


def _given(text: str) -> bytes:
    key = key_of(text)
    if key is None:
        raise SettingsError("ENCRYPTION_KEY is neither exactly 32 characters nor base64 of 32 bytes.")
    if reason := weakness(text):
        raise SettingsError(f"ENCRYPTION_KEY {reason}")
    return key


def _made(settings: Settings) -> bytes:
    """Written whole under another name first: a kill leaves no half key, and of two starters one wins."""
    if not settings.data.exists():
        settings.data.mkdir(parents=True)
        settings.data.chmod(0o711 if os.geteuid() == 0 else 0o700)  # root's embedded server has to pass through
    path, half = settings.data / FILE, settings.data / f"{FILE}.{os.getpid()}"
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, os.urandom(KEY_BYTES))
        os.fsync(handle)
        os.link(half, path)
    except FileExistsError:
        pass
    finally:
        os.close(handle)
        half.unlink()
    return path.read_bytes()
