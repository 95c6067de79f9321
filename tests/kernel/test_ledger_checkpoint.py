"""Checkpoints as anybody with the public key reads them."""

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from salerno.kernel.ledger.checkpoint import BadNote, Checkpoint, Signer, Verifier, open_note, signers_of

# The key and the signed note of the format's own specification (C2SP signed-note, Go's x/mod/sumdb/note).
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ROOT = bytes(range(32))
SIGNER = Signer("salerno.test/events", Ed25519PrivateKey.from_private_bytes(bytes(32)))
CHECKPOINT = Checkpoint("salerno.test/events", 7, ROOT, ("time 2026-03-02T09:00:00Z",))


def test_t088_a_signature_made_by_another_program_is_accepted() -> None:
    verifier = Verifier.parse(PETER)
    text, _, line = NOTE.rpartition("\n\n")
    blob = b64decode(line.split(" ")[2])
    assert str(verifier) == PETER
    assert blob[:4] == verifier.key_id
    assert verifier.accepts(blob[4:], text + "\n")
    assert not verifier.accepts(blob[4:], text)


def test_a_checkpoint_reads_as_the_format_says() -> None:
    note = SIGNER.sign(CHECKPOINT)
    assert note.splitlines()[:4] == [
        "salerno.test/events",
        "7",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "time 2026-03-02T09:00:00Z",
    ]
    assert note.splitlines()[4] == "" and note.splitlines()[5].startswith("— salerno.test/events ")
    assert signers_of(note) == [f"salerno.test/events+{SIGNER.verifier.key_id.hex()}"]


def test_what_was_signed_is_read_back() -> None:
    assert open_note(SIGNER.sign(CHECKPOINT), [SIGNER.verifier]) == CHECKPOINT


def test_a_key_travels_as_text() -> None:
    assert Verifier.parse(str(SIGNER.verifier)) == SIGNER.verifier


def test_every_single_flipped_bit_of_a_note_is_noticed() -> None:
    note = SIGNER.sign(CHECKPOINT).encode()
    for bit in range(len(note) * 8):
        flipped = bytearray(note)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((BadNote, UnicodeDecodeError)):
            open_note(flipped.decode(), [SIGNER.verifier])


def test_a_note_by_a_stranger_is_not_believed() -> None:
    stranger = Signer(SIGNER.name, Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
    with pytest.raises(BadNote, match="no signature is by a known key"):
        open_note(stranger.sign(CHECKPOINT), [SIGNER.verifier])


def test_a_cosignature_by_a_stranger_does_no_harm() -> None:
    stranger = Signer("elsewhere", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
    both = SIGNER.sign(CHECKPOINT) + stranger.sign(CHECKPOINT).rpartition("\n\n")[2]
    assert open_note(both, [SIGNER.verifier]) == CHECKPOINT


def test_a_false_signature_under_a_known_key_spoils_the_note() -> None:
    forged = b64encode(SIGNER.verifier.key_id + bytes(64)).decode()
    both = SIGNER.sign(CHECKPOINT) + f"— {SIGNER.name} {forged}\n"
    with pytest.raises(BadNote, match="is false"):
        open_note(both, [SIGNER.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n",
        "origin\n1\n",
        f"origin\n01\n{b64encode(ROOT).decode()}\n",
        f"origin\n-1\n{b64encode(ROOT).decode()}\n",
        f"origin\n٣\n{b64encode(ROOT).decode()}\n",
        f"origin\n1\n{b64encode(ROOT[1:]).decode()}\n",
        "origin\n1\n!!!!\n",
        f"origin\n1\n{b64encode(ROOT).decode()}",
        f"\n1\n{b64encode(ROOT).decode()}\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(text)


@pytest.mark.parametrize("vkey", ["", "name", "name+00000000+AA==", PETER.replace("c74f", "c74e"), "a+b+!"])
def test_what_is_no_key_is_refused(vkey: str) -> None:
    with pytest.raises(BadNote):
        Verifier.parse(vkey)
