"""The life of a note, told as examples and as any history of saves."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
from hypothesis import given as for_all
from hypothesis import strategies as some

from salerno.contexts.encounters.commands import AddAddendum, SaveDraft, SignNote, VoidNote
from salerno.contexts.encounters.errors import (
    DraftMovedOn,
    NoSuchNote,
    NoteExists,
    NoteIsNotSigned,
    NoteIsSigned,
    NoteIsVoid,
    NothingToSign,
    NotWhatYouSaw,
    NotYourNote,
)
from salerno.contexts.encounters.events import DraftSaved, NoteSigned, NoteStarted, NoteVoided, Sections
from salerno.contexts.encounters.rules.note import NOTE, Adding, Drafting, content_hash, signature
from salerno.kernel.errors import Refused
from salerno.kernel.testing import ORIGIN, SOMEBODY, THEN, Scenario

ID, VISIT_ID, ADA, OTHER = uuid4(), uuid4(), uuid4(), uuid4()
STARTED = NoteStarted(note=ID, visit=VISIT_ID, patient=ADA, author=SOMEBODY)
SOMEBODY_ELSE = msgspec.structs.replace(ORIGIN, actor=OTHER)


def given(*events: Any) -> Scenario[Any, Any, Any]:
    return Scenario(NOTE).given(*events)


def save(**parts: Any) -> Drafting:
    return Drafting(SaveDraft(visit_id=VISIT_ID, **parts), ID, ADA)


def saved(revision: int, whole: Sections, text_format: Any = "plain", **parts: str) -> DraftSaved:
    hashed = content_hash(STARTED, text_format, whole)
    return DraftSaved(
        note=ID, visit=VISIT_ID, patient=ADA, revision=revision, text_format=text_format, content_hash=hashed, **parts
    )


COUGH = saved(1, Sections(subjective="Cough"), subjective="Cough")
SHOWN = COUGH.content_hash
SIGNED = NoteSigned(
    note=ID, visit=VISIT_ID, patient=ADA, signer=SOMEBODY, signed_at=THEN, text_format="plain",
    content=Sections(subjective="Cough"), content_hash=SHOWN, signature=signature(SHOWN, SOMEBODY, THEN),
)  # fmt: skip


def test_the_first_save_starts_the_note_and_keeps_what_was_typed() -> None:
    given().when(save(subjective="Cough")).then(STARTED, COUGH)


def test_a_save_holds_only_what_changed() -> None:
    whole = Sections(subjective="Cough", plan="Rest")
    given(STARTED, COUGH).when(save(subjective="Cough", plan="Rest")).then(saved(2, whole, plan="Rest"))


def test_saving_the_same_again_changes_nothing() -> None:
    given(STARTED, COUGH).when(save(subjective="Cough")).then_nothing()


def test_two_windows_that_write_different_parts_both_keep_theirs() -> None:
    whole = Sections(subjective="Cough", plan="Rest")
    given(STARTED, COUGH).when(save(plan="Rest", base_revision=0)).then(saved(2, whole, plan="Rest"))


def test_a_stale_window_does_not_overwrite_what_another_one_wrote() -> None:
    refused = given(STARTED, COUGH).when(save(subjective="Fever", base_revision=0)).then_refused(DraftMovedOn)
    assert refused.details == {"parts": ["subjective"], "revision": 1}


def test_changing_the_form_of_the_text_is_a_change() -> None:
    changed = saved(2, Sections(subjective="Cough"), "html")
    given(STARTED, COUGH).when(save(text_format="html")).then(changed)


def test_a_draft_belongs_to_its_author() -> None:
    given(STARTED, COUGH).by(SOMEBODY_ELSE).when(save(plan="Rest")).then_refused(NotYourNote)
    given(STARTED, COUGH).by(SOMEBODY_ELSE).when(SignNote(note_id=ID, content_hash=SHOWN)).then_refused(NotYourNote)
    void = VoidNote(note_id=ID, reason="mine")
    given(STARTED, COUGH).by(SOMEBODY_ELSE).when(void).then_refused(NotYourNote)


def test_a_note_stays_with_its_visit() -> None:
    stray = Drafting(SaveDraft(visit_id=uuid4(), plan="Rest"), ID, ADA)
    given(STARTED, COUGH).when(stray).then_refused(NoteExists)


def test_signing_names_exactly_what_was_shown() -> None:
    given(STARTED, COUGH).when(SignNote(note_id=ID, content_hash=SHOWN)).then(SIGNED)


def test_t128_signing_what_one_did_not_see_is_refused() -> None:
    changed = saved(2, Sections(subjective="Cough", plan="Rest"), plan="Rest")
    refused = given(STARTED, COUGH, changed).when(SignNote(note_id=ID, content_hash=SHOWN)).then_refused(NotWhatYouSaw)
    assert refused.details == {"content_hash": changed.content_hash}


def test_an_empty_note_is_not_signed() -> None:
    blank = saved(1, Sections(subjective="  \n"), subjective="  \n")
    given(STARTED, blank).when(SignNote(note_id=ID, content_hash=blank.content_hash)).then_refused(NothingToSign)
    given().when(SignNote(note_id=ID, content_hash=SHOWN)).then_refused(NoSuchNote)


def test_a_signed_note_never_changes() -> None:
    signed = given(STARTED, COUGH, SIGNED)
    signed.when(save(subjective="Fever")).then_refused(NoteIsSigned)
    signed.when(SignNote(note_id=ID, content_hash=SHOWN)).then_nothing()
    signed.when(SignNote(note_id=ID, content_hash="0" * 64)).then_refused(NoteIsSigned)


def test_the_signature_can_be_checked_from_its_event_alone() -> None:
    order = [ID, VISIT_ID, ADA, "", "plain", "Cough", "", "", ""]
    content = hashlib.sha256(msgspec.json.encode(order)).hexdigest()
    expected = hashlib.sha256(msgspec.json.encode([content, SOMEBODY, THEN])).hexdigest()
    assert (SIGNED.content_hash, SIGNED.signature) == (content, expected)


def test_only_a_signed_note_takes_an_addendum_and_anyone_may_add_one() -> None:
    adding = Adding(AddAddendum(note_id=ID, text="X-ray clear", reason="result came"), OTHER)
    given(STARTED, COUGH).when(adding).then_refused(NoteIsNotSigned)
    (added,) = given(STARTED, COUGH, SIGNED).by(SOMEBODY_ELSE).when(adding).events()
    assert (added.author, added.text, added.reason, len(added.signature)) == (OTHER, "X-ray clear", "result came", 64)
    given(STARTED, COUGH, SIGNED, added).by(SOMEBODY_ELSE).when(adding).then_nothing()


def test_a_void_note_takes_nothing_more() -> None:
    void = NoteVoided(note=ID, visit=VISIT_ID, patient=ADA, reason="wrong patient")
    given(STARTED, COUGH, SIGNED).when(VoidNote(note_id=ID, reason="wrong patient")).then(void)
    over = given(STARTED, COUGH, SIGNED, void)
    over.when(VoidNote(note_id=ID, reason="wrong patient")).then_nothing()
    over.when(Adding(AddAddendum(note_id=ID, text="x", reason="because"), OTHER)).then_refused(NoteIsVoid)
    given(STARTED, COUGH, void).when(save(plan="Rest")).then_refused(NoteIsVoid)


PART = some.sampled_from(["subjective", "objective", "assessment", "plan"])
EDIT = some.tuples(PART, some.text(max_size=5), some.none() | some.integers(0, 12))


@for_all(some.lists(EDIT, max_size=12))
def test_t126_every_accepted_edit_is_in_the_history_and_no_stale_one_overwrites(edits: list[Any]) -> None:
    history: list[Any] = []
    accepted: list[tuple[str, str]] = []
    for part, text, base in edits:
        before = NOTE.fold(history)
        try:
            events = NOTE.decide(before, save(**{part: text}, base_revision=base), ORIGIN)
        except DraftMovedOn:
            touched = dict(zip(Sections.__struct_fields__, before.touched, strict=True))
            assert base is not None
            assert touched[part] > base
            continue
        history += events
        if any(isinstance(event, DraftSaved) for event in events):
            accepted.append((part, text))
    kept = [(p, t) for e in history if isinstance(e, DraftSaved) for p in accepted_parts(e) if (t := getattr(e, p))
            is not None]  # fmt: skip
    assert kept == accepted
    final = dict(accepted)
    assert all(getattr(NOTE.fold(history).content, part) == text for part, text in final.items())


def accepted_parts(event: DraftSaved) -> list[str]:
    return [part for part in Sections.__struct_fields__ if getattr(event, part) is not None]


@for_all(some.lists(some.sampled_from(["save", "sign", "add", "void"]), max_size=10), some.text(max_size=3))
def test_whatever_is_asked_a_note_is_signed_at_most_once_and_then_keeps_its_text(walk: list[str], text: str) -> None:
    history: list[Any] = []
    for step, what in enumerate(walk):
        note = NOTE.fold(history)
        shown = next((e.content_hash for e in reversed(history) if isinstance(e, DraftSaved)), "0" * 64)
        wishes: dict[str, Any] = {
            "save": save(subjective=f"{text}{step}"),
            "sign": SignNote(note_id=ID, content_hash=shown),
            "add": Adding(AddAddendum(note_id=ID, text="more", reason="because"), uuid4()),
            "void": VoidNote(note_id=ID, reason="because"),
        }
        origin = msgspec.structs.replace(ORIGIN, recorded_at=THEN + timedelta(minutes=step))
        try:
            history += NOTE.decide(note, wishes[what], origin)
        except Refused:
            continue
    signed = [event for event in history if isinstance(event, NoteSigned)]
    assert len(signed) <= 1
    if signed:
        after = history[history.index(signed[0]) :]
        assert not any(isinstance(event, DraftSaved) for event in after)
        assert NOTE.fold(history).content == signed[0].content
