"""The key that signs checkpoints, over starts, rotations and accidents."""

import os
import stat
from pathlib import Path

import pytest

from salerno.kernel.errors import IntegrityError
from salerno.kernel.ledger.checkpoint import Checkpoint, open_note
from salerno.kernel.ledger.keys import SigningKeys, create
from salerno.kernel.ledger.witness import FolderWitness, WitnessDisagrees

MASTER, OTHER = os.urandom(32), os.urandom(32)


def test_a_second_start_finds_the_same_key_and_name(tmp_path: Path) -> None:
    first, second = SigningKeys(tmp_path, MASTER).open(), SigningKeys(tmp_path, MASTER).open()
    assert first.origin("events") == second.origin("events")
    assert [str(each) for each in first.verifiers()] == [str(each) for each in second.verifiers()]
    assert [each.name for each in first.verifiers()] == [first.origin("events"), first.origin("access")]


def test_the_private_key_lies_sealed_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path, MASTER).open()
    raw = keys.signer("events").private.private_bytes_raw()
    assert raw not in (tmp_path / "signing.key").read_bytes()
    assert stat.S_IMODE((tmp_path / "signing.key").stat().st_mode) == 0o600


def test_another_master_key_does_not_open_it(tmp_path: Path) -> None:
    SigningKeys(tmp_path, MASTER).open()
    with pytest.raises(IntegrityError):
        SigningKeys(tmp_path, OTHER).open()


def test_after_a_new_master_key_the_same_key_signs_and_the_old_master_is_not_needed_again(tmp_path: Path) -> None:
    before = SigningKeys(tmp_path, MASTER).open().signer("events").verifier
    SigningKeys(tmp_path, OTHER, [MASTER]).open()
    assert SigningKeys(tmp_path, OTHER).open().signer("events").verifier == before


def test_a_start_that_was_killed_before_it_published_its_key_publishes_it_now(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path, MASTER).open()
    (tmp_path / "public.keys").unlink()
    again = SigningKeys(tmp_path, MASTER).open()
    note = keys.signer("access").sign(Checkpoint(keys.origin("access"), 1, bytes(32)))
    assert open_note(note, again.verifiers()).size == 1


def test_a_file_is_made_once_and_never_replaced(tmp_path: Path) -> None:
    assert create(tmp_path / "one", b"first", 0o444)
    assert not create(tmp_path / "one", b"second", 0o444)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert (tmp_path / "one").read_bytes() == b"first"


def test_a_witness_shown_the_same_again_is_content_and_shown_another_is_not(tmp_path: Path) -> None:
    witness = FolderWitness(tmp_path)
    witness.add("salerno/x/events", 2, "note\n", bytes(64))
    witness.add("salerno/x/events", 2, "note\n", bytes(64))
    with pytest.raises(WitnessDisagrees):
        witness.add("salerno/x/events", 2, "another note\n", bytes(64))
    newest = witness.newest("salerno/x/events")
    assert newest is not None and (newest.size, newest.note) == (2, "note\n")
    assert witness.newest("salerno/x/access") is None
