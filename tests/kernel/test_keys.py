"""Keys: rotated under load, destroyed for good, and nothing that identifies anybody readable on disk."""

import asyncio
import base64
import os
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from salerno.app import ROOMS, House
from salerno.contexts.patients.commands import RegisterPatient, UpdatePatient
from salerno.contexts.patients.queries import FindPatients, PatientById
from salerno.kernel import rotation
from salerno.kernel.embedded import EmbeddedPostgres
from salerno.kernel.erasure import bury_again, erase, tombstones
from salerno.kernel.errors import Gone, IntegrityError, NotFound
from salerno.kernel.messages import Caller
from salerno.kernel.rebuild import rebuild
from salerno.kernel.subscriptions import Subscription
from salerno.kernel.vault import Vault, WrongMasterKey, seal, unseal

CANARIES = {
    "full_name": "Zephyrina Quackenbush",
    "phone": "+390891237788",
    "email": "zephyrina.quackenbush@example.com",
}


def zephyrina() -> RegisterPatient:
    return RegisterPatient(date_of_birth=date(1931, 12, 24), gender="female", **CANARIES)


def test_ciphertext_opens_only_where_it_was_written() -> None:
    cipher, other = AESGCM(os.urandom(32)), AESGCM(os.urandom(32))
    sealed = seal(cipher, b"hypertension", b"here")
    assert unseal(cipher, sealed, b"here") == b"hypertension"
    for key, text, place in ((cipher, sealed, b"there"), (other, sealed, b"here"), (cipher, sealed[:-1], b"here")):
        with pytest.raises(IntegrityError):
            unseal(key, text, place)


@pytest.mark.parametrize("position", [0, 1, 12, 13, 20, -1])
def test_one_flipped_bit_is_an_integrity_error(position: int) -> None:
    cipher = AESGCM(os.urandom(32))
    sealed = bytearray(seal(cipher, b"hypertension", b"here"))
    sealed[position] ^= 1
    with pytest.raises(IntegrityError):
        unseal(cipher, bytes(sealed), b"here")


def test_long_texts_are_compressed_and_come_back_whole() -> None:
    cipher, text = AESGCM(os.urandom(32)), b"all is well " * 500
    assert unseal(cipher, sealed := seal(cipher, text, b"here"), b"here") == text
    assert len(sealed) < len(text) // 5


async def test_t077_rotation_under_load_fails_no_request(house: House, doctor: Caller) -> None:
    patient = (await house.bus.handle(zephyrina(), doctor)).aggregate_id
    stop = asyncio.Event()
    answered = 0

    async def keep_reading() -> None:
        nonlocal answered
        while not stop.is_set():
            assert await house.bus.ask(PatientById(patient_id=patient), doctor)
            await house.bus.handle(UpdatePatient(patient_id=patient, phone=f"+39089123{answered % 10000:04}"), doctor)
            answered += 1

    reader = asyncio.create_task(keep_reading())
    for _ in range(3):
        assert await rotation.rotate(house.database, house.bus.vault, house.bus.clock) > 0
    stop.set()
    await reader
    assert answered > 0
    assert all(line.current_master for line in await rotation.status(house.database, house.bus.vault))


async def test_t077_a_new_master_key_takes_over_and_the_old_one_can_be_destroyed(house: House, doctor: Caller) -> None:
    old, new = os.urandom(32), os.urandom(32)
    await house.bus.handle(zephyrina(), doctor)
    vault = house.bus.vault
    both = Vault(new, [old])
    assert both.master_id != vault.master_id
    async with house.database.context("salerno_kernel", doctor.organisation, "kernel") as connection:
        row = await connection.fetchrow(
            "SELECT wrapped, master_id FROM kernel.organisation_keys WHERE organisation = $1", doctor.organisation
        )
    ring = vault.open_ring(doctor.organisation, row["wrapped"], row["master_id"])
    under_old = Vault(old).close_ring(doctor.organisation, ring)
    moved = both.open_ring(doctor.organisation, under_old, Vault(old).master_id)
    alone = Vault(new).open_ring(doctor.organisation, both.close_ring(doctor.organisation, moved), both.master_id)
    assert alone == ring
    with pytest.raises(WrongMasterKey):
        Vault(os.urandom(32)).open_ring(doctor.organisation, under_old, Vault(old).master_id)


async def test_t092_an_erased_person_is_gone_from_every_read_model(house: House, doctor: Caller) -> None:
    gone = (await house.bus.handle(zephyrina(), doctor)).aggregate_id
    kept = (await house.bus.handle(RegisterPatient(full_name="Bruno Verdi", gender="male"), doctor)).aggregate_id
    await house.bus.settled()
    certificate = await erase(house.bus, ROOMS, doctor, gone, "asked by the person")
    assert sum(certificate.rows.values()) > 0
    with pytest.raises((NotFound, Gone)):
        await house.bus.ask(PatientById(patient_id=gone), doctor)
    with pytest.raises((NotFound, Gone)):
        await house.bus.handle(UpdatePatient(patient_id=gone, phone="+390891230000"), doctor)
    found = await house.bus.ask(FindPatients(q="Zephyrina"), doctor)
    assert str(gone) not in str(found)
    assert await house.bus.ask(PatientById(patient_id=kept), doctor)
    assert await _events_of(house, gone) >= 1
    with pytest.raises(NotFound):
        await erase(house.bus, ROOMS, doctor, gone, "again")


async def test_t092_whoever_is_erased_before_a_room_has_heard_of_them_is_not_brought_back(
    house: House, doctor: Caller
) -> None:
    vault, scheduling = house.bus.vault, house.bus.rooms["scheduling"]
    await house.subscriptions.stop()
    try:
        gone = (await house.bus.handle(zephyrina(), doctor)).aggregate_id
        key = vault.known(doctor.organisation, gone)
        await erase(house.bus, ROOMS, doctor, gone, "asked by the person")
        assert key is not None
        vault.remember(doctor.organisation, gone, key)  # as another process would, which has not heard yet
        await Subscription(house.bus, scheduling).drain()
        async with house.database.context("salerno_scheduling", doctor.organisation, "scheduling") as connection:
            assert await connection.fetchval("SELECT count(*) FROM people WHERE id = $1", gone) == 0
    finally:
        vault.forget(doctor.organisation, gone)
        house.subscriptions.start()


async def _events_of(house: House, subject: UUID) -> int:
    async with house.database.context("salerno_reader", None, "kernel") as connection:
        return int(await connection.fetchval("SELECT count(*) FROM kernel.event_store WHERE subject_id = $1", subject))


async def test_why_somebody_was_erased_is_sealed_and_opens_with_the_organisations_key(
    house: House, doctor: Caller
) -> None:
    gone = (await house.bus.handle(zephyrina(), doctor)).aggregate_id
    await erase(house.bus, ROOMS, doctor, gone, "Zephyrina Quackenbush wrote to us")
    (stone,) = [stone for stone in await tombstones(house.database) if stone.subject == gone]
    assert stone.why is not None and b"Zephyrina" not in stone.why
    async with house.bus.reading("patients", doctor.organisation) as tx:
        key = await tx.key_of(doctor.organisation)
        (recorded,) = await tx.history("kernel.erasure", gone)
    place = b"tombstone|" + doctor.organisation.bytes + gone.bytes
    assert unseal(key.cipher, stone.why, place) == b"Zephyrina Quackenbush wrote to us"
    assert recorded.event.reason == "Zephyrina Quackenbush wrote to us"


async def test_t092_a_restored_backup_is_buried_again(house: House, doctor: Caller) -> None:
    gone = (await house.bus.handle(zephyrina(), doctor)).aggregate_id
    async with house.database.context("salerno_kernel", doctor.organisation, "kernel") as connection:
        wrapped = await connection.fetchval("SELECT wrapped FROM kernel.subject_keys WHERE subject = $1", gone)
        await erase(house.bus, ROOMS, doctor, gone, "asked by the person")
        stones = [stone for stone in await tombstones(house.database) if stone.subject == gone]
        await connection.execute("UPDATE kernel.subject_keys SET wrapped = $2 WHERE subject = $1", gone, wrapped)
    assert await bury_again(house.database, ROOMS, stones) == 1
    house.bus.vault.forget_all()
    async with house.database.context("salerno_kernel", doctor.organisation, "kernel") as connection:
        assert await connection.fetchval("SELECT wrapped FROM kernel.subject_keys WHERE subject = $1", gone) is None


async def test_a_rebuild_after_an_erasure_does_not_bring_anybody_back(house: House, doctor: Caller) -> None:
    gone = (await house.bus.handle(zephyrina(), doctor)).aggregate_id
    await erase(house.bus, ROOMS, doctor, gone, "asked by the person")
    assert (await rebuild(house.bus, "patients.patients")).equal


async def test_t075_nothing_that_identifies_a_person_lies_readable_on_disk(
    house: House, doctor: Caller, postgres: EmbeddedPostgres
) -> None:
    await house.bus.handle(zephyrina(), doctor)
    await house.bus.ask(FindPatients(q="zephyrina quack"), doctor)
    await house.bus.settled()
    async with house.database.owner() as owner:
        if await owner.fetchval("SELECT pg_has_role('pg_checkpoint', 'USAGE')"):
            await owner.execute("CHECKPOINT")
    needles = [form for word in ("Zephyrina", "Quackenbush", "891237788", "1931-12-24") for form in _forms(word)]
    hits = await asyncio.to_thread(_grep, postgres.home, needles)
    assert hits == []


def _forms(word: str) -> list[bytes]:
    text = word.encode()
    return [
        text, text.lower(), text.upper(), word.encode("utf-16-le"), text.hex().encode(), text[::-1],
        base64.b64encode(text)[:-4],
    ]  # fmt: skip


def _grep(folder: Path, needles: list[bytes]) -> list[str]:
    hits = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            hits += [f"{path.name}: {needle!r}" for needle in needles if needle in content]
    return hits


async def test_a_document_moved_to_another_row_does_not_open(house: House, doctor: Caller) -> None:
    first = (await house.bus.handle(zephyrina(), doctor)).aggregate_id
    second = (await house.bus.handle(RegisterPatient(full_name="Bruno Verdi", gender="male"), doctor)).aggregate_id
    async with house.database.context("salerno_patients", doctor.organisation, "patients") as connection:
        await connection.execute(
            "UPDATE patients SET doc = (SELECT doc FROM patients WHERE id = $1), subject = $1 WHERE id = $2",
            first,
            second,
        )
    try:
        with pytest.raises(IntegrityError):
            await house.bus.ask(PatientById(patient_id=second), doctor)
    finally:
        await rebuild(house.bus, "patients.patients", accept=True)
