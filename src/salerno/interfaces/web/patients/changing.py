"""Changing a record. Who was overtaken by somebody else sees both versions and says which holds, field by field."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from salerno.contexts.audit.queries import NamesOfActors, WritesOfPatient
from salerno.contexts.patients.commands import UpdatePatient
from salerno.contexts.patients.queries import PatientById, PatientSheet
from salerno.interfaces.http import (
    FieldError,
    Filled,
    Problem,
    Request,
    Response,
    ask,
    bus_of,
    caller_of,
    get,
    post,
    read_form,
)
from salerno.interfaces.web.pages import go_to, render, wants_part
from salerno.interfaces.web.patients.forms import (
    BLANK_ROWS,
    FIELDS,
    NAMELESS,
    PLAIN,
    ROWS,
    blank,
    differing,
    errors_of,
    person_in,
    person_of,
    version_in,
    wish_of,
)
from salerno.interfaces.web.patients.registering import likely_in
from salerno.interfaces.web.rights import may, require
from salerno.kernel.errors import Conflict, Invalid, VersionConflict

HTML = "text/html"
NAMES = ("given_name", "family_name")


class Difference(Struct, frozen=True, kw_only=True):
    """One field that reads otherwise in both versions. `mine` is chosen unless only the others changed it."""

    name: str
    mine: Any
    theirs: Any
    choose_mine: bool
    both_changed: bool


@get("/people/{patient_id:uuid}/edit", of=UpdatePatient, media=HTML)
async def edit(request: Request[Any, Any, Any]) -> Response[Any]:
    """The record in the form, as it stands."""
    require(request, UpdatePatient)
    sheet = await _sheet(request)
    return _form(request, sheet, person_of(sheet.patient), [], version=sheet.version, status=200)


@post("/people/{patient_id:uuid}/edit", of=UpdatePatient, media=HTML)
async def change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Save the form, or say what needs a look; a lost race becomes a choice between both versions."""
    filled = await read_form(request)
    sheet = await _sheet(request)
    base = _kept(filled, "base")
    typed = _chosen(filled, sheet) if "mine" in filled else _with_full_name(person_in(filled), base)
    version = version_in(filled)
    if version is None:
        raise Problem(428, "precondition-required", "This form does not say which version it was made from.")
    wish, mistakes = wish_of(UpdatePatient, NAMELESS | typed, patient_id=str(sheet.patient.id), complete=True)
    if wish is None:
        return _form(request, sheet, typed, mistakes, version=version, base=base)
    try:
        await bus_of(request).handle(wish, caller_of(request), expected_version=version)
    except VersionConflict:
        return await _both(request, typed, base)
    except (Invalid, Conflict) as refused:
        return _form(request, sheet, typed, errors_of(refused), version=version, base=base)
    return go_to(request, f"/chart/{sheet.patient.id}/person")


@post("/people/{patient_id:uuid}/likely", of=UpdatePatient, media=HTML)
async def likely(request: Request[Any, Any, Any]) -> Response[Any]:
    """Who else on file may be the person as now typed."""
    require(request, UpdatePatient)
    found = await likely_in(request, await read_form(request), request.path_params["patient_id"])
    return render(request, "patients/likely.html", likely=found, held_back=False, confirmed=False)


async def _sheet(request: Request[Any, Any, Any]) -> PatientSheet:
    sheet: PatientSheet = await ask(request, PatientById(patient_id=request.path_params["patient_id"]))
    return sheet


def _with_full_name(typed: dict[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """The name in the order in which people write it stays, unless the name itself was changed."""
    if base.get("full_name") and not differing(typed, base, NAMES):
        return {**typed, "full_name": base["full_name"]}
    return typed


# ------------------------------------------------------------------ two versions
async def _both(request: Request[Any, Any, Any], mine: dict[str, Any], base: Mapping[str, Any]) -> Response[Any]:
    sheet = await _sheet(request)
    theirs = person_of(sheet.patient)
    who, at = await _last_change(request, sheet)
    return render(
        request,
        "patients/versions_part.html" if wants_part(request) else "patients/versions.html",
        status=412,
        patient=sheet.patient,
        version=sheet.version,
        mine=msgspec.json.encode(mine).decode(),
        base=msgspec.json.encode(theirs).decode(),
        differences=[_difference(name, mine, theirs, base) for name in _told(differing(mine, theirs))],
        who=who,
        at=at,
    )


def _told(names: list[str]) -> list[str]:
    """The full name follows from the others where they differ as well."""
    return [name for name in names if name != "full_name" or not set(NAMES) & set(names)]


def _difference(name: str, mine: Mapping[str, Any], theirs: Mapping[str, Any], base: Mapping[str, Any]) -> Difference:
    i_changed = bool(differing(mine, base, [name]))
    they_changed = bool(differing(theirs, base, [name]))
    return Difference(
        name=name,
        mine=mine.get(name),
        theirs=theirs.get(name),
        choose_mine=i_changed and not they_changed,
        both_changed=i_changed and they_changed,
    )


async def _last_change(request: Request[Any, Any, Any], sheet: PatientSheet) -> tuple[str, datetime]:
    """Who wrote last, where the reader may know it."""
    if not may(request, WritesOfPatient):
        return "", sheet.recorded_at
    written = await ask(request, WritesOfPatient(patient_id=sheet.patient.id, limit=20))
    about = [one for one in written if any(kind.startswith("patients.") for kind in one.kinds)]
    names = await ask(request, NamesOfActors(ids=tuple(about[0].actors))) if about else {}
    return ", ".join(names.values()), sheet.recorded_at


def _chosen(filled: Filled, sheet: PatientSheet) -> dict[str, Any]:
    """Both versions put together as chosen; what did not differ is as it stands."""
    mine, theirs = _kept(filled, "mine"), person_of(sheet.patient)
    result = dict(theirs)
    for name in _told(differing(mine, theirs)):
        if filled.get(f"pick.{name}") == "mine":
            result = {**result, name: mine.get(name)}
    if differing(result, theirs, NAMES):
        result.pop("full_name", None)
    return {name: value for name, value in result.items() if value}


def _kept(filled: Filled, name: str) -> dict[str, Any]:
    """What the form carries of an earlier state; whoever tampers with it changes only what the form suggests."""
    try:
        kept = msgspec.json.decode(filled.get(name, "{}"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {key: value for key, value in kept.items() if key in FIELDS and _shaped(key, value)}


def _shaped(name: str, value: Any) -> bool:
    if name in PLAIN:
        return isinstance(value, str)
    rows = value if name in ROWS and isinstance(value, list) else [value]
    return all(isinstance(row, dict) and all(isinstance(text, str) for text in row.values()) for row in rows)


def _form(
    request: Request[Any, Any, Any],
    sheet: PatientSheet,
    values: dict[str, Any],
    errors: list[FieldError],
    *,
    version: int,
    status: int = 422,
    base: Mapping[str, Any] | None = None,
) -> Response[Any]:
    id: UUID = sheet.patient.id
    return render(
        request,
        "patients/person_form.html" if wants_part(request) else "patients/edit.html",
        status=status,
        patient=sheet.patient,
        values=blank(values),
        base=msgspec.json.encode(base if base is not None else values).decode(),
        mrn=sheet.patient.mrn,
        new_id="",
        errors=errors,
        **BLANK_ROWS,
        version=version,
        withheld=sheet.withheld,
        action=f"/people/{id}/edit",
        likely=None,
        held_back=False,
        confirmed=False,
    )


PAGES = [edit, change, likely]
