"""Signed checkpoints in the C2SP formats tlog-checkpoint and signed-note, with Ed25519."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519 = b"\x01"
DASH = "— "  # an em dash and a space open every signature line


class BadNote(Exception):
    """The text is no checkpoint, or none of its signatures is by a known key."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree's size and root at a moment. `origin` names the log for ever; `extra` are extension lines."""

    origin: str
    size: int
    root: bytes
    extra: tuple[str, ...] = ()

    def text(self) -> str:
        lines = [self.origin, str(self.size), b64encode(self.root).decode(), *self.extra]
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() != "" or not all(lines):
            raise BadNote("a checkpoint is an origin, a size and a root, each on its line")
        origin, size, root, *extra = lines
        if not (size.isascii() and size.isdigit()) or (len(size) > 1 and size[0] == "0"):
            raise BadNote("the size is no decimal number")
        return cls(origin, int(size), _hash_of(root), tuple(extra))


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name. Its text form is the vkey `name+key id+key` of the signed-note format."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        name, _, rest = vkey.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            key = b64decode(encoded, validate=True)
        except binascii.Error as broken:
            raise BadNote("the verifier key is not base64") from broken
        if not name or len(key) != 33 or key[:1] != ED25519:
            raise BadNote("the verifier key is no Ed25519 key")
        found = cls(name, key[1:])
        if found.key_id.hex() != key_id:
            raise BadNote("the verifier key does not match its key id")
        return found

    def accepts(self, signature: bytes, text: str) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key under a name."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, checkpoint: Checkpoint) -> str:
        """The note: the checkpoint, an empty line, and a line for the signature."""
        text = checkpoint.text()
        signature = self.verifier.key_id + self.private.sign(text.encode())
        return f"{text}\n{DASH}{self.name} {b64encode(signature).decode()}\n"


def open_note(note: str, verifiers: Iterable[Verifier]) -> Checkpoint:
    """The checkpoint in a note that at least one known key has signed; a false signature by a known key is fatal."""
    text, gap, signatures = note.rpartition("\n\n")
    if not gap or not signatures.endswith("\n"):
        raise BadNote("a note has an empty line before its signatures and ends with a line end")
    text += "\n"
    known = {(each.name, each.key_id): each for each in verifiers}
    signed = [_checked(line, text, known) for line in signatures.splitlines()]
    if not any(signed):
        raise BadNote("no signature is by a known key")
    return Checkpoint.parse(text)


def signers_of(note: str) -> Sequence[str]:
    """Who says to have signed, as `name+key id`, unchecked."""
    lines = note.rpartition("\n\n")[2].splitlines()
    return [f"{name}+{blob[:4].hex()}" for name, blob in map(_signature, lines)]


def _checked(line: str, text: str, known: dict[tuple[str, bytes], Verifier]) -> bool:
    name, blob = _signature(line)
    verifier = known.get((name, blob[:4]))
    if verifier is None:
        return False
    if not verifier.accepts(blob[4:], text):
        raise BadNote(f"the signature of {name} is false")
    return True


def _signature(line: str) -> tuple[str, bytes]:
    name, gap, encoded = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH) or not gap:
        raise BadNote("a signature line is a dash, a name and base64")
    try:
        blob = b64decode(encoded, validate=True)
    except binascii.Error as broken:
        raise BadNote("a signature is not base64") from broken
    if len(blob) < 5 or b64encode(blob).decode() != encoded:
        raise BadNote("a signature is too short, or written in another way than it was made")
    return name, blob


def _hash_of(encoded: str) -> bytes:
    try:
        root = b64decode(encoded, validate=True)
    except binascii.Error as broken:
        raise BadNote("the root is not base64") from broken
    if len(root) != 32 or b64encode(root).decode() != encoded:
        raise BadNote("the root is no SHA-256 hash")
    return root
