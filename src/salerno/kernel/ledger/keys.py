"""The key that signs checkpoints: made once, kept in the data folder sealed under the master key."""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from salerno.kernel.errors import IntegrityError
from salerno.kernel.ledger.checkpoint import Signer, Verifier
from salerno.kernel.ledger.records import LOGS
from salerno.kernel.vault import seal, unseal

PLACE = b"ledger|signing-key"


class SigningKeys:
    """The folder `ledger` of an installation.

    `installation` names this installation's logs for ever, `signing.key` is the sealed private key, and
    `public.keys` lists every verifier key there ever was, the one in use last: hand it to whoever verifies.
    """

    def __init__(self, folder: Path, master: bytes, previous: Sequence[bytes] = ()) -> None:
        """`previous` are master keys that may still seal the signing key; it is then sealed anew."""
        self._folder = folder
        self._cipher, *self._older = map(_cipher_of, (master, *previous))

    def open(self) -> "SigningKeys":
        """Make what is not there yet. Two processes may do so at once: the first one's files stand."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        create(self._folder / "installation", secrets.token_hex(8).encode(), 0o444)
        create(self._folder / "signing.key", seal(self._cipher, secrets.token_bytes(32), PLACE), 0o600)
        self._seal_anew()
        if str(self.signer(LOGS[0].name).verifier) not in self._listed():
            self._publish()
        return self

    @property
    def installation(self) -> str:
        return (self._folder / "installation").read_text("ascii").strip()

    def origin(self, log: str) -> str:
        return f"salerno/{self.installation}/{log}"

    def signer(self, log: str) -> Signer:
        raw = unseal(self._cipher, (self._folder / "signing.key").read_bytes(), PLACE)
        return Signer(self.origin(log), Ed25519PrivateKey.from_private_bytes(raw))

    def verifiers(self) -> list[Verifier]:
        return [Verifier.parse(line) for line in self._listed()]

    def _seal_anew(self) -> None:
        sealed = (self._folder / "signing.key").read_bytes()
        for cipher in self._older:
            with suppress(IntegrityError):
                self._replace(unseal(cipher, sealed, PLACE))

    def _replace(self, raw: bytes) -> None:
        fresh = self._folder / f"signing.key.{secrets.token_hex(4)}"
        create(fresh, seal(self._cipher, raw, PLACE), 0o600)
        fresh.replace(self._folder / "signing.key")
        sync_folder(self._folder)

    def rotate(self) -> None:
        """Sign with a new key from now on. Older checkpoints stay verifiable: their public key stays listed."""
        self._replace(secrets.token_bytes(32))
        self._publish()

    def _listed(self) -> list[str]:
        path = self._folder / "public.keys"
        return path.read_text("ascii").split() if path.exists() else []

    def _publish(self) -> None:
        with (self._folder / "public.keys").open("a", encoding="ascii") as file:
            file.writelines(f"{self.signer(log.name).verifier}\n" for log in LOGS)
            file.flush()
            os.fsync(file.fileno())


def _cipher_of(master: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=b"salerno ledger sealing").derive(master))


def create(path: Path, content: bytes, mode: int) -> bool:
    """Write a new file whole and durably, or leave the one that stands there: answers whether it was made."""
    if path.exists():
        return False
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, this refuses to replace
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
