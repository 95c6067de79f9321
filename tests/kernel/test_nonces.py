"""T079: no nonce comes twice under one key and nothing random repeats, however many processes begin at one moment."""

import multiprocessing
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tests.soaking import times

from salerno.app import House
from salerno.contexts.identity.handlers.opening import new_token
from salerno.contexts.identity.rules.codes import LETTERS, new_code
from salerno.contexts.patients.commands import RegisterPatient, UpdatePatient
from salerno.kernel.clock import uuid7
from salerno.kernel.messages import Caller
from salerno.kernel.vault import seal

PROCESSES = 16
SEALINGS = times(625_000, 40)  # of each process: ten million in all by `make soak`
DRAWN = times(2_000, 10)  # ids and codes of each
KEY, AT = bytes(range(32)), datetime(2026, 3, 2, 9, tzinfo=UTC)
NONCE = 12  # bytes


class Instrument:
    """The cipher itself; it remembers under which nonces it was asked to seal."""

    def __init__(self) -> None:
        self.cipher, self.nonces = AESGCM(KEY), bytearray()

    def encrypt(self, nonce: bytes, plain: bytes, place: bytes) -> bytes:
        self.nonces += nonce
        return self.cipher.encrypt(nonce, plain, place)


def _in_a_process_of_its_own(_: int) -> tuple[int, bytes, list[Any], list[str]]:
    instrument = Instrument()
    for _ in range(SEALINGS):
        seal(instrument, b"hypertension", b"here")  # type: ignore[arg-type]
    ids = [uuid7(AT) for _ in range(DRAWN)]
    codes = [made() for _ in range(DRAWN) for made in (new_code, new_token)]
    return os.getpid(), bytes(instrument.nonces), ids, codes


@pytest.fixture(scope="module")
def drawn() -> Iterator[list[tuple[int, bytes, list[Any], list[str]]]]:
    """What processes draw that were forked from this one, in the state it has now: as one snapshot begun many times."""
    with multiprocessing.get_context("fork").Pool(4, maxtasksperchild=1) as forks:
        yield forks.map(_in_a_process_of_its_own, range(PROCESSES), chunksize=1)


def test_t079_no_nonce_comes_twice_under_one_key_in_processes_forked_from_one(drawn: Any) -> None:
    assert len({process for process, *_ in drawn}) == PROCESSES
    seen = {nonces[at : at + NONCE] for _, nonces, *_ in drawn for at in range(0, len(nonces), NONCE)}
    assert len(seen) == PROCESSES * SEALINGS


def test_t079_ids_codes_and_tokens_differ_in_processes_forked_from_one(drawn: Any) -> None:
    ids = {id for _, _, made, _ in drawn for id in made}
    codes = {code for *_, made in drawn for code in made}
    assert len(ids) == PROCESSES * DRAWN
    assert len(codes) == PROCESSES * DRAWN * 2


def test_t079_every_bit_of_a_nonce_and_of_an_id_is_as_often_set_as_not(drawn: Any) -> None:
    """Within eight standard deviations: chance goes beyond that once in 10^14 runs."""
    nonces = b"".join(nonces for _, nonces, *_ in drawn)
    for at in range(NONCE):
        column = nonces[at::NONCE]
        for bit in range(8):
            assert _is_fair(sum(1 for byte in column if byte >> bit & 1), len(column)), (at, bit)
    ids = [id.int for _, _, made, _ in drawn for id in made]
    for bit in range(62):
        assert _is_fair(sum(1 for id in ids if id >> bit & 1), len(ids)), bit


def _is_fair(ones: int, of: int) -> bool:
    return abs(ones - of / 2) < 8 * (of**0.5) / 2


def test_t079_every_letter_of_a_code_is_as_frequent_as_the_others(drawn: Any) -> None:
    text = "".join(code for *_, made in drawn for code in made[::2]).replace("-", "")
    assert set(text) == set(LETTERS)
    share = 1 / len(LETTERS)
    bound = 8 * (len(text) * share * (1 - share)) ** 0.5
    assert all(abs(text.count(letter) - len(text) * share) < bound for letter in LETTERS)


async def test_t079_whatever_a_patient_is_sealed_with_has_nonces_of_its_own(house: House, doctor: Caller) -> None:
    """One key, many ciphertexts: events, snapshots and documents."""
    wish = RegisterPatient(full_name="Ada Rossi", date_of_birth=date(1980, 5, 4), gender="female")
    ada = (await house.bus.handle(wish, doctor)).aggregate_id
    for nth in range(120):
        await house.bus.handle(UpdatePatient(patient_id=ada, phone=f"+3908912{nth:05}"), doctor)
    await house.bus.settled()
    sealed: list[bytes] = []
    for room, statement in (
        ("patients", "SELECT event_data FROM kernel.event_store WHERE subject_id = $1"),
        ("patients", "SELECT state FROM kernel.aggregate_snapshots WHERE aggregate_id = $1"),
        ("patients", "SELECT doc FROM patients.patients WHERE id = $1"),
        ("scheduling", "SELECT doc FROM scheduling.people WHERE id = $1"),
    ):
        async with house.database.context(f"salerno_{room}", doctor.organisation, room) as connection:
            sealed += [row[0] for row in await connection.fetch(statement, ada)]
    assert len(sealed) >= 124
    assert len({text[1 : 1 + NONCE] for text in sealed}) == len(sealed)
