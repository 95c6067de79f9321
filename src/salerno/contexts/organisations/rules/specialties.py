"""Presets by specialty, and the guided questions of onboarding: data that ships with the product."""

from functools import cache
from importlib import resources
from typing import Literal

import msgspec
from msgspec import Struct

from salerno.contexts.organisations.events import Kind


class Label(Struct, frozen=True):
    """The same words in both languages."""

    it: str
    en: str


class VisitTypePreset(Struct, frozen=True, kw_only=True):
    """A kind of visit that practices of this specialty usually offer. `colour` is a hue of the calendar, 0 to 11."""

    code: str
    name: Label
    minutes: int
    kind: str = "other"
    buffer_after: int = 0
    colour: int = 0


class NoteTemplate(Struct, frozen=True, kw_only=True):
    """Prompts for the four parts of a note."""

    code: str
    name: Label
    subjective: Label
    objective: Label
    assessment: Label
    plan: Label


class Specialty(Struct, frozen=True, kw_only=True):
    code: str
    name: Label
    visit_types: tuple[VisitTypePreset, ...]
    note_templates: tuple[NoteTemplate, ...]


class Question(Struct, frozen=True, kw_only=True):
    """One thing asked. `field` is the field of `command` that the answer fills."""

    field: str
    label: Label
    kind: Literal["text", "email", "phone", "choice", "choices", "address", "opening", "number", "yes-no", "staff"]
    required: bool = False
    help: Label | None = None
    choices: str = ""  # the list that is chosen from: specialties, timezones, languages, countries, roles


class Step(Struct, frozen=True, kw_only=True):
    """A page of questions. `command` is what its answers ask for; `creates` says so in words.

    `repeats` allows several answers, such as more than one location; `optional` may be left for later.
    """

    code: str
    title: Label
    command: str
    creates: Label
    questions: tuple[Question, ...]
    repeats: bool = False
    optional: bool = False


class Flow(Struct, frozen=True, kw_only=True):
    kind: Kind
    name: Label
    promise: Label
    steps: tuple[Step, ...]


@cache
def specialties() -> tuple[Specialty, ...]:
    return msgspec.json.decode(_data("specialties.json"), type=tuple[Specialty, ...])


@cache
def specialty_codes() -> frozenset[str]:
    return frozenset(one.code for one in specialties())


class _Flows(Struct, frozen=True):
    steps: dict[str, Step]
    flows: tuple["_FlowOfNames", ...]


class _FlowOfNames(Struct, frozen=True, kw_only=True):
    kind: Kind
    name: Label
    promise: Label
    steps: tuple[str, ...]


@cache
def flows() -> dict[Kind, Flow]:
    found = msgspec.json.decode(_data("onboarding.json"), type=_Flows)
    return {
        flow.kind: Flow(
            kind=flow.kind,
            name=flow.name,
            promise=flow.promise,
            steps=tuple(found.steps[code] for code in flow.steps),
        )
        for flow in found.flows
    }


def _data(name: str) -> bytes:
    return (resources.files("salerno.contexts.organisations") / "data" / name).read_bytes()
