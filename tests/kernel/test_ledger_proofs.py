"""Proofs handed to somebody who trusts neither the server nor its administrator."""

import json
import random
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.kernel.ledger_world import World, new_world

from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.errors import NotFound
from salerno.kernel.ledger.prove import (
    FalseProof,
    Inclusion,
    NotSealedYet,
    check_consistency,
    check_inclusion,
    prove_consistency,
    prove_event,
    prove_record,
    read_proof,
)
from salerno.kernel.ledger.records import ACCESS, EVENTS, describe

ROUNDS = (150, 1, 128, 300)


@pytest.fixture(scope="module")
async def world(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Trees of 300, 302, 558 and 1158 events: whole tiles, broken ones, and one leaf more than a whole one."""
    world = await new_world(postgres, tmp_path_factory.mktemp("ledger"))
    async with world.superuser.owner() as owner:
        for rounds in ROUNDS:
            await world.write(owner, rounds)
            await world.sealer.seal()
    yield world
    await world.end()


@pytest.mark.parametrize("position", [1, 2, 255, 256, 257, 512, 513, 1024, 1025, 1157, 1158])
async def test_t088_every_event_can_be_proved(world: World, position: int) -> None:
    async with world.database.context("salerno_ledger", None, "kernel") as connection:
        proof = await prove_record(connection, EVENTS, position, world.keys.verifiers())
    checkpoint = check_inclusion(proof, world.keys.verifiers())
    assert (checkpoint.size, proof.leaf_index) == (1158, position - 1)
    assert describe(EVENTS, b64decode(proof.record))["position"] == position


async def test_t088_an_event_is_found_by_its_id(world: World) -> None:
    async with world.superuser.owner() as owner:
        event = await owner.fetchval("SELECT event_id FROM kernel.event_store WHERE position = 400")
    async with world.database.context("salerno_ledger", None, "kernel") as connection:
        proof = await prove_event(connection, UUID(str(event)), world.keys.verifiers())
    assert describe(EVENTS, b64decode(proof.record))["event_id"] == str(event)


async def test_t088_somebody_elses_verifier_needs_only_the_published_format(world: World) -> None:
    """Written from docs/ledger.md alone: hashlib, json, base64 and the public key."""
    async with world.database.context("salerno_ledger", None, "kernel") as connection:
        proof = json.loads(msgspec.json.encode(await prove_record(connection, ACCESS, 77, [])))
    origin, size, root = proof["checkpoint"].split("\n")[:3]
    at, last, hashed = proof["leaf_index"], int(size) - 1, sha256(b"\0" + b64decode(proof["record"])).digest()
    for step in map(b64decode, proof["inclusion_proof"]):
        if at % 2 or at == last:
            hashed = sha256(b"\1" + step + hashed).digest()
            while at % 2 == 0 and at:
                at, last = at // 2, last // 2
        else:
            hashed = sha256(b"\1" + hashed + step).digest()
        at, last = at // 2, last // 2
    assert (last, b64encode(hashed).decode(), origin) == (0, root, world.keys.origin("access"))


async def test_t088_the_witness_folder_alone_gives_every_signed_root(world: World) -> None:
    from pymerkle.hasher import MerkleHasher

    hasher = MerkleHasher("sha256", security=True)
    folder = world.witness.folder / world.keys.origin("events").replace("/", "_")
    leaves: list[bytes] = []
    for note in sorted(folder.glob("*.checkpoint")):
        packed = note.with_suffix(".leaves").read_bytes()
        leaves += [packed[at : at + 32] for at in range(0, len(packed), 32)]
        assert b64encode(_whole_root(leaves, hasher.hash_pair)).decode() == note.read_text().split("\n")[2]
    assert len(leaves) == 1158


def _whole_root(leaves: list[bytes], pair: "object") -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return pair(_whole_root(leaves[:half], pair), _whole_root(leaves[half:], pair))  # type: ignore[no-any-return,operator]


async def test_t088_all_pairs_of_checkpoints_are_consistent(world: World) -> None:
    sizes = [300, 302, 558, 1158]
    async with world.database.context("salerno_ledger", None, "kernel") as connection:
        for old, new in combinations(sizes, 2):
            proof = await prove_consistency(connection, EVENTS, old, new, world.keys.verifiers())
            assert [each.size for each in check_consistency(proof, world.keys.verifiers())] == [old, new]


async def test_t088_a_proof_with_one_bit_turned_proves_nothing(world: World) -> None:
    chance = random.Random(88)
    async with world.database.context("salerno_ledger", None, "kernel") as connection:
        proof = await prove_record(connection, EVENTS, 700, [])
    whole = msgspec.json.encode(proof)
    for _ in range(400):
        at, bit = chance.randrange(len(whole)), chance.randrange(8)
        forged = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
        try:
            read = read_proof(forged)
            assert isinstance(read, Inclusion)
            check_inclusion(read, world.keys.verifiers())
        except FalseProof:
            continue
        assert (read.record, read.leaf_index, read.checkpoint) == (proof.record, proof.leaf_index, proof.checkpoint)


async def test_a_consistency_proof_between_other_trees_is_refused(world: World) -> None:
    async with world.database.context("salerno_ledger", None, "kernel") as connection:
        one = await prove_consistency(connection, EVENTS, 300, 558, [])
        other = await prove_consistency(connection, EVENTS, 302, 1158, [])
    with pytest.raises(FalseProof, match="not the beginning"):
        check_consistency(msgspec.structs.replace(one, checkpoint=other.checkpoint), world.keys.verifiers())


async def test_what_is_not_there_cannot_be_proved(world: World) -> None:
    async with world.database.context("salerno_ledger", None, "kernel") as connection:
        with pytest.raises(NotFound):
            await prove_event(connection, uuid4(), [])
        with pytest.raises(NotFound):
            await prove_record(connection, EVENTS, 99_999, [])
        with pytest.raises(NotFound):
            await prove_consistency(connection, EVENTS, 301, 558, [])


async def test_what_is_not_sealed_says_so(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    world = await new_world(postgres, tmp_path)
    async with world.superuser.owner() as owner:
        await world.write(owner, 2)
    async with world.database.context("salerno_ledger", None, "kernel") as connection:
        with pytest.raises(NotSealedYet):
            await prove_record(connection, EVENTS, 1, [])
    await world.end()


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"format": "x"}', b'{"format": ["x"]}', b"\xff"])
def test_what_is_no_proof_is_refused(text: bytes) -> None:
    with pytest.raises(FalseProof):
        read_proof(text)
