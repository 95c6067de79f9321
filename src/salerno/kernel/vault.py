"""Keys: a master key wraps an organisation's keys, which wrap one key per subject. Nothing opens elsewhere.

AES-256-GCM throughout. The additional data of every ciphertext names the place it was written to
(organisation, kind, id, version, name), so that a row moved to another place does not open there.
Destroying a subject's key is the erasure of that person.
"""

import hashlib
import os
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from salerno.kernel.database import Connection, Database, Row
from salerno.kernel.errors import Gone, IntegrityError

PLAIN, COMPRESSED = b"\x01", b"\x02"
COMPRESS_FROM = 1024  # bytes; shorter texts gain nothing

KEYS_OF_ORGANISATION = "SELECT wrapped, master_id FROM kernel.organisation_keys WHERE organisation = $1"
KEEP_ORGANISATION_KEYS = """
    INSERT INTO kernel.organisation_keys (organisation, wrapped, master_id, created_at)
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"""
KEY_OF_SUBJECT = "SELECT key_id, wrapped FROM kernel.subject_keys WHERE organisation = $1 AND subject = $2"
KEYS_OF_SUBJECTS = """
    SELECT subject, key_id, wrapped FROM kernel.subject_keys WHERE organisation = $1 AND subject = ANY($2)"""


class WrongMasterKey(Exception):
    """The master key in use is not the one that wrapped this organisation's keys."""


def seal(cipher: AESGCM, plain: bytes, place: bytes) -> bytes:
    """Ciphertext of `plain` that opens only with the same key and the same `place`."""
    form = PLAIN
    if len(plain) >= COMPRESS_FROM:
        form, plain = COMPRESSED, zlib.compress(plain, 6)
    nonce = os.urandom(12)
    return form + nonce + cipher.encrypt(nonce, plain, form + place)


def unseal(cipher: AESGCM, sealed: bytes, place: bytes) -> bytes:
    form = sealed[:1]
    try:
        plain = cipher.decrypt(sealed[1:13], sealed[13:], form + place)
    except (InvalidTag, ValueError):
        raise IntegrityError() from None
    return zlib.decompress(plain) if form == COMPRESSED else plain


class SubjectKey:
    """A subject's data key. `wrapped` is set while it is new and not yet stored.

    Kept as plain bytes, of which many thousands are remembered: a cipher that stands ready is thirty times as large.
    """

    __slots__ = ("_cipher", "packed", "wrapped")

    def __init__(self, packed: bytes, wrapped: bytes | None = None) -> None:
        self.packed, self.wrapped = packed, wrapped  # its id, and the key itself
        self._cipher: AESGCM | None = None

    @classmethod
    def of(cls, id: UUID, raw: bytes, wrapped: bytes | None = None) -> "SubjectKey":
        return cls(id.bytes + raw, wrapped)

    @property
    def id(self) -> UUID:
        return UUID(bytes=self.packed[:16])

    @property
    def cipher(self) -> AESGCM:
        if self._cipher is None:
            self._cipher = AESGCM(self.packed[16:])
        return self._cipher


class KeyRing(Struct, frozen=True):
    """An organisation's keys as they are stored, under the master key: wrapping keys by number, and the index key."""

    wrapping: dict[int, bytes]
    index: bytes


@dataclass(frozen=True, slots=True)
class OrganisationKeys:
    wrapping: dict[int, AESGCM]
    index: bytes  # keys the blind index

    @property
    def newest(self) -> int:
        return max(self.wrapping)

    def wrap(self, raw: bytes, place: bytes) -> bytes:
        """Under the newest wrapping key, whose number stands in front."""
        return self.newest.to_bytes(2, "big") + seal(self.wrapping[self.newest], raw, place)

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        cipher = self.wrapping.get(number_of(wrapped))
        if cipher is None:
            raise IntegrityError()
        return unseal(cipher, wrapped[2:], place)


def number_of(wrapped: bytes) -> int:
    """Which of the organisation's wrapping keys wraps this subject key."""
    return int.from_bytes(wrapped[:2], "big")


class Vault:
    """Opens and makes keys. The unwrapped ones live in a bounded cache in memory."""

    database: Database  # set by the bus

    def __init__(self, master: bytes, previous: Sequence[bytes] = (), cache_size: int = 100_000) -> None:
        """`previous` are master keys that may still wrap something; `salerno keys rotate` ends their use."""
        self._masters: dict[str, AESGCM] = {}
        for key in (master, *previous):
            if len(key) != 32:
                raise ValueError("a master key has 32 bytes")
            self._masters[_master_id(key)] = AESGCM(_derive(key, b"salerno master wrapping"))
        self.master_id = _master_id(master)
        self._organisations: dict[UUID, OrganisationKeys] = {}
        self._subjects: dict[bytes, bytes] = {}  # by organisation and subject, the oldest first
        self._cache_size = cache_size

    # ------------------------------------------------------------ organisations
    async def organisation(self, connection: Connection, organisation: UUID, now: datetime) -> OrganisationKeys:
        if keys := self._organisations.get(organisation):
            return keys
        row = await connection.fetchrow(KEYS_OF_ORGANISATION, organisation)
        if row is None:
            row = await self._make_organisation_keys(organisation, now)
        ring = self.open_ring(organisation, row["wrapped"], row["master_id"])
        keys = OrganisationKeys({number: AESGCM(raw) for number, raw in ring.wrapping.items()}, ring.index)
        self._organisations[organisation] = keys
        return keys

    async def refuse_other_masters(self) -> None:
        """At start: data sealed under a master key that we do not hold must not be served, nor added to."""
        async with self.database.context("salerno_reader", None, "kernel") as connection:
            rows = await connection.fetch("SELECT DISTINCT master_id FROM kernel.organisation_keys")
        if strange := sorted({row["master_id"] for row in rows} - self._masters.keys()):
            raise WrongMasterKey(
                f"The data belongs to another master key ({', '.join(strange)}). Set the right ENCRYPTION_KEY, "
                "or put master.key back. Nothing was changed."
            )

    async def _make_organisation_keys(self, organisation: UUID, now: datetime) -> Row:
        """On a connection of its own, durable at once: no later rollback may take back keys that are in use."""
        async with self.database.context("salerno_kernel", organisation, "kernel", aside=True) as connection:
            wrapped = self.close_ring(organisation, KeyRing({1: os.urandom(32)}, os.urandom(32)))
            await connection.execute(KEEP_ORGANISATION_KEYS, organisation, wrapped, self.master_id, now)
            return await connection.fetchrow(KEYS_OF_ORGANISATION, organisation)

    def close_ring(self, organisation: UUID, ring: KeyRing) -> bytes:
        """Wrap an organisation's keys under the current master key."""
        return seal(self._masters[self.master_id], msgspec.msgpack.encode(ring), _ring_place(organisation))

    def open_ring(self, organisation: UUID, wrapped: bytes, master_id: str) -> KeyRing:
        master = self._masters.get(master_id)
        if master is None:
            raise WrongMasterKey(f"the keys in the database belong to master key {master_id}")
        return msgspec.msgpack.decode(unseal(master, wrapped, _ring_place(organisation)), type=KeyRing)

    # ------------------------------------------------------------ subjects
    async def new_subject_key(
        self, connection: Connection, organisation: UUID, subject: UUID, now: datetime
    ) -> SubjectKey:
        keys = await self.organisation(connection, organisation, now)
        raw = os.urandom(32)
        key_id = UUID(bytes=os.urandom(16), version=4)
        return SubjectKey.of(key_id, raw, keys.wrap(raw, subject_place(organisation, subject)))

    async def subject_key(
        self, connection: Connection, organisation: UUID, subject: UUID, now: datetime
    ) -> SubjectKey | None:
        """The stored key, None where there is none yet; Gone where it was destroyed."""
        if key := self.known(organisation, subject):
            return key
        row = await connection.fetchrow(KEY_OF_SUBJECT, organisation, subject)
        if row is None:
            return None
        if row["wrapped"] is None:
            raise Gone()
        return await self.open_subject_key(connection, organisation, subject, row["key_id"], row["wrapped"], now)

    async def subject_keys(
        self, connection: Connection, organisation: UUID, subjects: Iterable[UUID], now: datetime
    ) -> dict[UUID, SubjectKey]:
        """The keys of these subjects; the erased and the unknown are absent."""
        found: dict[UUID, SubjectKey] = {}
        missing: list[UUID] = []
        for subject in set(subjects):
            if key := self.known(organisation, subject):
                found[subject] = key
            else:
                missing.append(subject)
        if missing:
            for row in await connection.fetch(KEYS_OF_SUBJECTS, organisation, missing):
                if row["wrapped"] is not None:
                    found[row["subject"]] = await self.open_subject_key(
                        connection, organisation, row["subject"], row["key_id"], row["wrapped"], now
                    )
        return found

    async def open_subject_key(
        self, connection: Connection, organisation: UUID, subject: UUID, key_id: UUID, wrapped: bytes, now: datetime
    ) -> SubjectKey:
        keys = await self.organisation(connection, organisation, now)
        if number_of(wrapped) not in keys.wrapping:  # rotated by another process since we looked
            del self._organisations[organisation]
            keys = await self.organisation(connection, organisation, now)
        key = SubjectKey.of(key_id, keys.unwrap(wrapped, subject_place(organisation, subject)))
        self.remember(organisation, subject, key)
        return key

    def known(self, organisation: UUID, subject: UUID) -> SubjectKey | None:
        packed = self._subjects.get(organisation.bytes + subject.bytes)
        return SubjectKey(packed) if packed else None

    def remember(self, organisation: UUID, subject: UUID, key: SubjectKey) -> None:
        """Keep a key that is known to be committed."""
        self._subjects[organisation.bytes + subject.bytes] = key.packed
        if len(self._subjects) > self._cache_size:
            del self._subjects[next(iter(self._subjects))]

    def forget(self, organisation: UUID, subject: UUID) -> None:
        self._subjects.pop(organisation.bytes + subject.bytes, None)

    def forget_all(self) -> None:
        self._subjects.clear()
        self._organisations.clear()


def tokens(index_key: bytes, kind: str, texts: Sequence[str]) -> list[int]:
    """Blind-index tokens: signed 64-bit integers, the same for the same text, meaningless without the key."""
    person = kind.encode()[:16]
    return [
        int.from_bytes(
            hashlib.blake2b(text.encode(), digest_size=8, key=index_key, person=person).digest(), "big", signed=True
        )
        for text in texts
    ]


def fingerprint(index_key: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=32, key=index_key, person=b"idempotency").digest()


def _derive(master: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(master)


def _master_id(master: bytes) -> str:
    return _derive(master, b"salerno master id").hex()[:16]


def _ring_place(organisation: UUID) -> bytes:
    return b"organisation-keys|" + organisation.bytes


def subject_place(organisation: UUID, subject: UUID) -> bytes:
    return b"subject-key|" + organisation.bytes + subject.bytes
