"""Allergies recorded, changed, withdrawn, and the statement that there are none."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from salerno.contexts.records.commands import (
    ChangeAllergy,
    RecordAllergy,
    RemoveAllergy,
    StateNoKnownAllergies,
)
from salerno.contexts.records.events import (
    AllergyCategory,
    AllergyType,
    Certainty,
    Coded,
    Criticality,
    PartialDate,
    Reaction,
    Severity,
)
from salerno.contexts.records.queries import Allergies
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    ask,
    bus_of,
    caller_of,
    from_form,
    get,
    post,
    read_form,
)
from salerno.interfaces.web.chart.entry import (
    CHART,
    ENTRY,
    HTML,
    Said,
    Withdrawal,
    form,
    one_of,
    patient_of,
    write,
)
from salerno.interfaces.web.pages import go_to
from salerno.interfaces.web.rights import require

REACTIONS = 3


class AllergyForm(Body):
    """An allergy as typed."""

    substance: Annotated[str, Meta(min_length=1, max_length=1_000)]
    category: AllergyCategory = ""
    allergy_type: AllergyType = ""
    certainty: Certainty = "confirmed"
    criticality: Criticality = ""
    clinical_status: Literal["active", "inactive", "resolved"] = "active"
    onset: PartialDate = ""
    comment: Said = ""
    reason: Said = ""
    code: Annotated[str, Meta(max_length=100)] = ""
    system: Said = ""
    class_: Said = ""
    reaction_0: Said = ""
    severity_0: Severity = ""
    reaction_1: Said = ""
    severity_1: Severity = ""
    reaction_2: Said = ""
    severity_2: Severity = ""
    version: int | None = None


@get(f"{CHART}/allergies/new", of=RecordAllergy, media=HTML)
async def new_allergy(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty form for an allergy."""
    return await form(request, RecordAllergy, "allergy_form", {}, [], status=200)


@post(f"{CHART}/allergies/new", of=RecordAllergy, media=HTML)
async def add_allergy(request: Request[Any, Any, Any]) -> Response[Any]:
    """Record an allergy."""
    filled = await read_form(request)
    typed, mistakes = from_form(AllergyForm, filled)
    if typed is None:
        return await form(request, RecordAllergy, "allergy_form", filled, mistakes)
    wish = RecordAllergy(patient_id=patient_of(request), **_content(typed))
    return await write(request, wish, "allergies", "allergy_form", filled)


@post(f"{CHART}/allergies/none", of=StateNoKnownAllergies, media=HTML)
async def no_allergies(request: Request[Any, Any, Any]) -> Response[Any]:
    """The patient was asked and knows of none."""
    await bus_of(request).handle(StateNoKnownAllergies(patient_id=patient_of(request)), caller_of(request))
    return go_to(request, f"/chart/{patient_of(request)}/allergies")


@get(f"{CHART}/allergies/{ENTRY}", of=ChangeAllergy, media=HTML)
async def one_allergy(request: Request[Any, Any, Any]) -> Response[Any]:
    """What is known of an allergy, to be changed or withdrawn."""
    require(request, ChangeAllergy)
    entry = await _allergy(request)
    values = {name: getattr(entry.content, name, "") for name in AllergyForm.__struct_fields__}
    for n, reaction in enumerate(entry.content.reactions[:REACTIONS]):
        values |= {f"reaction_{n}": reaction.manifestation.display, f"severity_{n}": reaction.severity}
    return await form(request, ChangeAllergy, "allergy_form", values, [], status=200, entry=entry)


@post(f"{CHART}/allergies/{ENTRY}", of=ChangeAllergy, media=HTML)
async def change_allergy(request: Request[Any, Any, Any]) -> Response[Any]:
    """Replace an allergy by what is known now."""
    filled, entry = await read_form(request), await _allergy(request)
    typed, mistakes = from_form(AllergyForm, filled)
    if typed is None:
        return await form(request, ChangeAllergy, "allergy_form", filled, mistakes, entry=entry)
    wish = ChangeAllergy(allergy_id=entry.id, reason=typed.reason, **_content(typed, entry))
    return await write(request, wish, "allergies", "allergy_form", filled, entry=entry)


@post(f"{CHART}/allergies/{ENTRY}/withdraw", of=RemoveAllergy, media=HTML)
async def withdraw_allergy(request: Request[Any, Any, Any]) -> Response[Any]:
    """It was entered in error; it stays in the history."""
    filled, entry = await read_form(request), await _allergy(request)
    typed, mistakes = from_form(Withdrawal, filled)
    if typed is None:
        return await form(request, RemoveAllergy, "allergy_withdraw", filled, mistakes, entry=entry)
    wish = RemoveAllergy(allergy_id=entry.id, reason=typed.reason)
    return await write(request, wish, "allergies", "allergy_withdraw", filled, entry=entry)


@get(f"{CHART}/allergies/{ENTRY}/withdraw", of=RemoveAllergy, media=HTML)
async def ask_withdraw_allergy(request: Request[Any, Any, Any]) -> Response[Any]:
    """Why it was an error."""
    require(request, RemoveAllergy)
    entry = await _allergy(request)
    return await form(request, RemoveAllergy, "allergy_withdraw", {}, [], status=200, entry=entry)


async def _allergy(request: Request[Any, Any, Any]) -> Any:
    found = await ask(request, Allergies(patient_id=patient_of(request)))
    return one_of(request, found.allergies)


def _content(typed: AllergyForm, before: Any = None) -> dict[str, Any]:
    """What both commands say. Reactions beyond the form's lines, and their codes, stay as they were."""
    known = {one.manifestation.display: one for one in before.content.reactions} if before else {}
    told = [(getattr(typed, f"reaction_{n}"), getattr(typed, f"severity_{n}")) for n in range(REACTIONS)]
    reactions = [_reaction(known.get(text), text, severity) for text, severity in told if text]
    reactions += before.content.reactions[REACTIONS:] if before else ()
    same = before is not None and before.content.substance == typed.substance
    shared = {name: getattr(typed, name) for name in SHARED}
    coded = {name: getattr(typed, name) if same or before is None else "" for name in ("code", "system", "class_")}
    return {**shared, **coded, "reactions": tuple(reactions)}


SHARED = (
    "substance", "category", "allergy_type", "certainty", "criticality", "clinical_status", "onset", "comment",
)  # fmt: skip


def _reaction(known: Reaction | None, text: str, severity: Severity) -> Reaction:
    manifestation = known.manifestation if known else Coded(display=text)
    return Reaction(manifestation=manifestation, severity=severity, onset=known.onset if known else "")


PAGES = [new_allergy, add_allergy, no_allergies, one_allergy, change_allergy, ask_withdraw_allergy, withdraw_allergy]
