"""One note: drafted by its author, signed once as it was seen, added to, never changed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, assert_never
from uuid import UUID

import msgspec

from salerno.contexts.encounters.commands import (
    AddAddendum,
    SaveDraft,
    SignNote,
    VoidNote,
)
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
from salerno.contexts.encounters.events import (
    DraftSaved,
    NoteAddended,
    NoteEvent,
    NoteSigned,
    NoteStarted,
    NoteVoided,
    Sections,
    TextFormat,
)
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin

PARTS = Sections.__struct_fields__


class Status(StrEnum):
    UNKNOWN = "unknown"
    DRAFT = "draft"
    SIGNED = "signed"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Note:
    """`touched` says for each part in which revision it last changed."""

    status: Status = Status.UNKNOWN
    started: NoteStarted | None = None
    revision: int = 0
    text_format: TextFormat = "plain"
    content: Sections = Sections()
    touched: tuple[int, int, int, int] = (0, 0, 0, 0)
    signed: NoteSigned | None = None
    addenda: tuple[NoteAddended, ...] = ()


@dataclass(frozen=True, slots=True)
class Drafting:
    """The wish, cleaned of anything that could run in a browser, with the visit's patient."""

    command: SaveDraft
    note: UUID
    patient: UUID


@dataclass(frozen=True, slots=True)
class Adding:
    """The wish with the addendum's id."""

    command: AddAddendum
    addendum: UUID


Wish: TypeAlias = Drafting | SignNote | Adding | VoidNote


def content_hash(note: NoteStarted, text_format: TextFormat, content: Sections) -> str:
    """SHA-256 of the canonical text: which note, of whom, in which form, and its four parts in order."""
    parts = (getattr(content, part) for part in PARTS)
    return _hash([note.note, note.visit, note.patient, note.title, text_format, *parts])


def signature(content: str, signer: UUID, moment: datetime) -> str:
    """Binds a content hash to who signed it and when."""
    return _hash([content, signer, moment])


def decide(note: Note, wish: Wish, origin: Origin) -> Sequence[NoteEvent]:
    match wish:
        case Drafting():
            return _draft(note, wish, origin)
        case SignNote():
            return _sign(note, wish, origin)
        case Adding():
            return _add(note, wish, origin)
        case VoidNote():
            return _void(note, wish, origin)
        case _:
            assert_never(wish)


def evolve(note: Note, event: NoteEvent) -> Note:
    match event:
        case NoteStarted():
            return replace(note, status=Status.DRAFT, started=event)
        case DraftSaved():
            return _written(note, event)
        case NoteSigned():
            return replace(note, status=Status.SIGNED, signed=event)
        case NoteAddended():
            return replace(note, addenda=(*note.addenda, event))
        case NoteVoided():
            return replace(note, status=Status.VOID)
        case _:
            assert_never(event)


def _draft(note: Note, wish: Drafting, origin: Origin) -> list[NoteEvent]:
    asked = wish.command
    started = note.started or NoteStarted(
        note=wish.note,
        visit=asked.visit_id,
        patient=wish.patient,
        author=origin.actor,
        title=asked.title,
        template=asked.template,
    )
    if started.visit != asked.visit_id:
        raise NoteExists()
    _refuse_unless_draft(note, started, origin)
    changes = _changes(note, asked)
    _refuse_stale(note, asked, changes)
    opening: list[NoteEvent] = [] if note.started else [started]
    if not changes and asked.text_format == note.text_format:
        return opening
    content = msgspec.structs.replace(note.content, **changes)
    saved = DraftSaved(
        note=wish.note,
        visit=started.visit,
        patient=started.patient,
        revision=note.revision + 1,
        text_format=asked.text_format,
        content_hash=content_hash(started, asked.text_format, content),
        **changes,
    )
    return [*opening, saved]


def _refuse_unless_draft(note: Note, started: NoteStarted, origin: Origin) -> None:
    if started.author != origin.actor:
        raise NotYourNote()
    if note.status is Status.SIGNED:
        raise NoteIsSigned()
    if note.status is Status.VOID:
        raise NoteIsVoid()


def _changes(note: Note, asked: SaveDraft) -> dict[str, str]:
    wanted = {part: getattr(asked, part) for part in PARTS}
    return {part: text for part, text in wanted.items() if text is not None and text != getattr(note.content, part)}


def _refuse_stale(note: Note, asked: SaveDraft, changes: dict[str, str]) -> None:
    if asked.base_revision is None:
        return
    touched = dict(zip(PARTS, note.touched, strict=True))
    stale = [part for part in changes if touched[part] > asked.base_revision]
    if stale:
        raise DraftMovedOn(parts=stale, revision=note.revision)


def _written(note: Note, event: DraftSaved) -> Note:
    changes = {part: text for part in PARTS if (text := getattr(event, part)) is not None}
    first, second, third, fourth = (
        event.revision if part in changes else before for part, before in zip(PARTS, note.touched, strict=True)
    )
    return replace(
        note,
        revision=event.revision,
        text_format=event.text_format,
        content=msgspec.structs.replace(note.content, **changes),
        touched=(first, second, third, fourth),
    )


def _sign(note: Note, wish: SignNote, origin: Origin) -> list[NoteEvent]:
    started = _known(note)
    if note.signed and (note.signed.signer, note.signed.content_hash) == (
        origin.actor,
        wish.content_hash,
    ):
        return []
    _refuse_unless_draft(note, started, origin)
    now = content_hash(started, note.text_format, note.content)
    if not any(getattr(note.content, part).strip() for part in PARTS):
        raise NothingToSign()
    if wish.content_hash != now:
        raise NotWhatYouSaw(content_hash=now)
    return [
        NoteSigned(
            note=started.note,
            visit=started.visit,
            patient=started.patient,
            signer=origin.actor,
            signed_at=origin.recorded_at,
            text_format=note.text_format,
            content=note.content,
            content_hash=now,
            signature=signature(now, origin.actor, origin.recorded_at),
        )
    ]


def _add(note: Note, wish: Adding, origin: Origin) -> list[NoteEvent]:
    started, asked = _known(note), wish.command
    if note.status is Status.VOID:
        raise NoteIsVoid()
    if note.signed is None:
        raise NoteIsNotSigned()
    for known in note.addenda:
        if known.addendum == wish.addendum and known.text == asked.text:
            return []
    text_hash = _hash([note.signed.signature, wish.addendum, asked.text, asked.reason])
    return [
        NoteAddended(
            note=started.note,
            visit=started.visit,
            patient=started.patient,
            addendum=wish.addendum,
            author=origin.actor,
            text=asked.text,
            reason=asked.reason,
            signed_at=origin.recorded_at,
            signature=signature(text_hash, origin.actor, origin.recorded_at),
        )
    ]


def _void(note: Note, wish: VoidNote, origin: Origin) -> list[NoteEvent]:
    started = _known(note)
    if note.status is Status.VOID:
        return []
    if started.author != origin.actor:
        raise NotYourNote()
    return [
        NoteVoided(
            note=started.note,
            visit=started.visit,
            patient=started.patient,
            reason=wish.reason,
        )
    ]


def _known(note: Note) -> NoteStarted:
    if note.started is None:
        raise NoSuchNote()
    return note.started


def _hash(parts: list[object]) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


NOTE = Decider(
    kind="encounters.note",
    initial=Note(),
    decide=decide,
    evolve=evolve,
    events=NoteEvent,
)
