"""Whose chart a page is about: what its banner shows, and who the staff on it are."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from salerno.contexts.audit.queries import NamesOfActors
from salerno.contexts.identity.queries import Me
from salerno.contexts.patients.queries import Banner, PatientBanner, PatientNames
from salerno.contexts.records.queries import Allergies, AllergyList
from salerno.contexts.scheduling.queries import Practitioners
from salerno.interfaces.http import Request, ask, caller_of
from salerno.interfaces.web.glass import show_glass
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.rights import may
from salerno.kernel.errors import Refused

NONE_READ = AllergyList(allergies=(), none_known=None)


class Whose(Struct, frozen=True, kw_only=True):
    """A patient with the allergies that stand beside the name.

    `asked` is False while nobody has asked for any; `told` where they are not for the reader.
    """

    banner: Banner
    allergies: AllergyList
    told: bool = True

    @property
    def asked(self) -> bool:
        return bool(self.allergies.allergies or self.allergies.none_known)


async def whose(request: Request[Any, Any, Any], patient_id: UUID) -> Whose:
    await show_glass(request, patient_id)
    banner, allergies = await asyncio.gather(
        ask(request, PatientBanner(patient_id=patient_id)),
        if_allowed(request, Allergies(patient_id=patient_id), NONE_READ),
    )
    return Whose(banner=banner, allergies=allergies, told=allergies is not NONE_READ)


def now_of(request: Request[Any, Any, Any]) -> datetime:
    """Now, by the clocks of the clinic."""
    now: datetime = request.app.state["setup"].clock.now()
    return now.astimezone(ZoneInfo(look_of(request).zone))


async def if_allowed(request: Request[Any, Any, Any], query: Any, otherwise: Any) -> Any:
    """The answer, or what stands in its place for those whom it is not for: they are spared a refusal in the log."""
    if not may(request, type(query), getattr(query, "patient_id", None)):
        return otherwise
    return await ask(request, query)


async def own_staff(request: Request[Any, Any, Any]) -> UUID | None:
    """The staff record of whoever asks; None where the account has none."""
    try:
        profile = await ask(request, Me())
    except Refused:
        return None
    staff: UUID | None = profile.staff_id
    return staff


async def names_of(request: Request[Any, Any, Any], ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Names by id, of accounts and of practitioners alike."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    actors, practitioners = await asyncio.gather(
        ask(request, NamesOfActors(ids=tuple(wanted)[:1000])), if_allowed(request, Practitioners(everybody=True), ())
    )
    own = caller_of(request)
    known: dict[UUID, str] = {own.actor: own.name} | {one.id: one.name for one in practitioners if one.id in wanted}
    return {**known, **actors}


async def patients_of(request: Request[Any, Any, Any], ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Names of patients by id, as far as the reader may know them."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    named = await if_allowed(request, PatientNames(patient_ids=tuple(wanted)), ())
    return {one.id: one.full_name for one in named}
