"""Proofs to hand out, and the check of them, which needs nothing but the proof and a public key."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from salerno.kernel.database import Connection
from salerno.kernel.errors import NotFound
from salerno.kernel.ledger import store
from salerno.kernel.ledger.checkpoint import BadNote, Checkpoint, Verifier, open_note
from salerno.kernel.ledger.merkle import (
    Frontier,
    RangeRoot,
    consistency_proof,
    extends,
    includes,
    inclusion_proof,
    leaf_hash,
    root_of,
    unpack,
)
from salerno.kernel.ledger.records import EVENTS, Log

INCLUSION, CONSISTENCY = "salerno-ledger-inclusion.v1", "salerno-ledger-consistency.v1"
TILE = 1 << store.TILE


class NotSealedYet(NotFound):
    """The record is in the log; the next checkpoint will cover it."""

    code = "not-sealed-yet"
    sentence = "No checkpoint covers this record yet. Make one with `salerno ledger checkpoint`."


class FalseProof(Exception):
    """The proof does not show what it claims."""


class Inclusion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That a record is leaf `leaf_index` of the tree under `checkpoint`. Hashes and record in base64."""

    format: str = INCLUSION
    log: str
    record: str
    leaf_index: int
    inclusion_proof: list[str]
    checkpoint: str
    verifier_keys: list[str] = []


class Consistency(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That the tree under `old_checkpoint` is the beginning of the tree under `checkpoint`."""

    format: str = CONSISTENCY
    log: str
    consistency_proof: list[str]
    old_checkpoint: str
    checkpoint: str
    verifier_keys: list[str] = []


async def prove_record(connection: Connection, log: Log, position: int, verifiers: Sequence[Verifier]) -> Inclusion:
    index = await connection.fetchval(store.SEALED_AT_POSITION, log.name, position)
    newest = await connection.fetchrow(store.NEWEST_CHECKPOINT, log.name)
    record = await connection.fetchval(f"SELECT {log.record} FROM {log.table} r WHERE r.position = $1", position)
    if record is None:
        raise NotFound()
    if index is None or newest is None or newest["size"] <= index:
        raise NotSealedYet()
    root = await _tiled(connection, log, newest["size"], index)
    return Inclusion(
        log=log.name,
        record=b64encode(record).decode(),
        leaf_index=index,
        inclusion_proof=_encoded(inclusion_proof(index, newest["size"], root)),
        checkpoint=newest["note"],
        verifier_keys=[str(each) for each in verifiers],
    )


async def prove_event(connection: Connection, event: UUID, verifiers: Sequence[Verifier]) -> Inclusion:
    return await prove_record(connection, EVENTS, await _position_of(connection, event), verifiers)


async def prove_consistency(
    connection: Connection, log: Log, old: int, size: int, verifiers: Sequence[Verifier]
) -> Consistency:
    rows = [await connection.fetchrow(store.CHECKPOINT_AT, log.name, each) for each in (old, size)]
    if None in rows or not 0 < old <= size:
        raise NotFound("There is no checkpoint of that size.")
    root = await _tiled(connection, log, size, old - 1)
    return Consistency(
        log=log.name,
        consistency_proof=_encoded(consistency_proof(old, size, root)),
        old_checkpoint=rows[0]["note"],
        checkpoint=rows[1]["note"],
        verifier_keys=[str(each) for each in verifiers],
    )


def check_inclusion(proof: Inclusion, verifiers: Sequence[Verifier]) -> Checkpoint:
    """The checkpoint that covers the record; FalseProof otherwise. Keys in the proof itself are not trusted."""
    checkpoint = _opened(proof.checkpoint, proof.log, verifiers)
    path, leaf = [_decoded(step) for step in proof.inclusion_proof], leaf_hash(_decoded(proof.record))
    if not includes(leaf, proof.leaf_index, checkpoint.size, path, checkpoint.root):
        raise FalseProof("the record is not in the signed tree at this place")
    return checkpoint


def check_consistency(proof: Consistency, verifiers: Sequence[Verifier]) -> tuple[Checkpoint, Checkpoint]:
    old, new = (_opened(note, proof.log, verifiers) for note in (proof.old_checkpoint, proof.checkpoint))
    path = [_decoded(step) for step in proof.consistency_proof]
    if old.origin != new.origin or not extends(old.size, new.size, path, old.root, new.root):
        raise FalseProof("the older tree is not the beginning of the newer one")
    return old, new


def read_proof(text: bytes) -> Inclusion | Consistency:
    """A proof from its JSON, whichever of the two it is."""
    try:
        shapes: dict[str, type[Inclusion | Consistency]] = {INCLUSION: Inclusion, CONSISTENCY: Consistency}
        return msgspec.json.decode(text, type=shapes[msgspec.json.decode(text)["format"]])
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError) as broken:
        raise FalseProof("this is no proof that Salerno makes") from broken


def _opened(note: str, log: str, verifiers: Sequence[Verifier]) -> Checkpoint:
    try:
        checkpoint = open_note(note, verifiers)
    except BadNote as broken:
        raise FalseProof(str(broken)) from broken
    if not checkpoint.origin.endswith(f"/{log}"):
        raise FalseProof(f"the checkpoint speaks of {checkpoint.origin}")
    return checkpoint


async def _tiled(connection: Connection, log: Log, size: int, index: int) -> RangeRoot:
    """Range roots of a tree of `size` from its stored tiles: only the tile of `index` and the last are read by leaf."""
    packed = b"".join([batch["tiles"] async for batch in store.batches(connection, log, 0, size)])
    tiles = unpack(packed)
    leaves = dict[int, list[bytes]]()
    for tile in {index // TILE, size // TILE}:
        leaves[tile] = unpack(await store.leaves(connection, log, tile * TILE, min(size, (tile + 1) * TILE)))

    def root(low: int, high: int) -> bytes:
        first, last = low // TILE, high // TILE
        if high - low < TILE:
            return root_of(leaves[first][low - first * TILE : high - first * TILE])
        frontier = Frontier()
        frontier.append(tiles[first:last], height=store.TILE)
        frontier.append(leaves[last][: high - last * TILE] if high % TILE else [])
        return frontier.root()

    return root


async def _position_of(connection: Connection, event: UUID) -> int:
    """Looked for where its own time says that it is (UUIDv7), then everywhere: there is no index by event."""
    made = datetime.fromtimestamp((event.int >> 80) / 1000, UTC) if event.version == 7 else None
    statement = "SELECT position FROM kernel.event_store WHERE event_id = $1"
    position = None
    if made is not None:
        near = f'{statement} AND "timestamp" BETWEEN $2 AND $3'
        position = await connection.fetchval(near, event, made - timedelta(seconds=1), made + timedelta(seconds=1))
    position = position if position is not None else await connection.fetchval(statement, event)
    if position is None:
        raise NotFound()
    return int(position)


def _encoded(hashes: Sequence[bytes]) -> list[str]:
    return [b64encode(each).decode() for each in hashes]


def _decoded(text: str) -> bytes:
    try:
        decoded = b64decode(text, validate=True)
    except NotBase64 as broken:
        raise FalseProof("a hash or the record is not base64") from broken
    if b64encode(decoded).decode() != text:
        raise FalseProof("a hash or the record is not written as it was made")
    return decoded
