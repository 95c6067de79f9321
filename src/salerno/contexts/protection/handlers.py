"""What is found out before a rule decides: whose chart it is, who is known, what is open already."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from salerno.contexts.protection.commands import (
    BreakGlass,
    ChangeRestriction,
    EndBreakGlass,
    LiftRestriction,
    RestrictChart,
    ReviewBreakGlass,
)
from salerno.contexts.protection.errors import NoSuchBreakGlass, NoSuchChart
from salerno.contexts.protection.projections import SQL, number_text
from salerno.contexts.protection.projections.people import TOKENS
from salerno.contexts.protection.rules.glass import GLASS, Break, why_not_understood
from salerno.contexts.protection.rules.restriction import RESTRICTION, Wish
from salerno.kernel.errors import Invalid, NotFound
from salerno.kernel.messages import Command, Origin, Recorded
from salerno.kernel.room import Handler
from salerno.kernel.transactions import Tx


async def on_restriction(
    tx: Tx, command: RestrictChart | ChangeRestriction | LiftRestriction, origin: Origin
) -> Sequence[Recorded[Any]]:
    """One stream for each chart, which is restricted, opened and restricted again."""
    patient = await _known_patient(tx, command.patient_id)
    named = () if isinstance(command, LiftRestriction) else command.accounts or ()
    wish = Wish(restriction_of(patient), command, await _known_accounts(tx, named))
    return await tx.execute(RESTRICTION, wish.restriction, wish, subject=patient)


def restriction_of(patient: UUID) -> UUID:
    return uuid5(patient, "restriction")


async def on_break(tx: Tx, command: BreakGlass, origin: Origin) -> Sequence[Recorded[Any]]:
    """Whether there is such a chart is looked up only once the reason is given."""
    if errors := why_not_understood(command):
        raise Invalid(errors=errors)
    patient = await _patient_meant(tx, command)
    row = await tx.fetchrow(SQL["glass_open_to"], tx.organisation, patient, origin.actor, tx.now)
    glass = command.glass_id or tx.new_id()
    wish = Break(glass, patient, command, row["until"] if row else None)
    return await tx.execute(GLASS, glass, wish, subject=patient)


async def on_glass(tx: Tx, command: EndBreakGlass | ReviewBreakGlass, origin: Origin) -> Sequence[Recorded[Any]]:
    try:
        return await tx.execute(GLASS, command.glass_id, command)
    except NotFound:
        raise NoSuchBreakGlass() from None


async def _patient_meant(tx: Tx, command: BreakGlass) -> UUID:
    if command.patient_id is not None:
        return await _known_patient(tx, command.patient_id)
    found = await _with_number(tx, command.identifier)
    if found is None:
        await tx.catch_up()
        found = await _with_number(tx, command.identifier)
    if found is None:
        raise NoSuchChart()
    return found


async def _with_number(tx: Tx, typed: str) -> UUID | None:
    """The one patient with this number; a number that two patients have names nobody."""
    text = number_text(typed)
    if not text:
        return None
    (token,) = await tx.tokens(TOKENS, text)
    rows = await tx.fetch(SQL["patients_with_number"], tx.organisation, token)
    return UUID(bytes=rows[0]["subject"].bytes) if len(rows) == 1 else None


async def _known_patient(tx: Tx, patient: UUID) -> UUID:
    if await tx.fetchval(SQL["known_patient"], tx.organisation, patient) is None:
        await tx.catch_up()
        if await tx.fetchval(SQL["known_patient"], tx.organisation, patient) is None:
            raise NoSuchChart()
    return patient


async def _known_accounts(tx: Tx, accounts: Sequence[UUID]) -> frozenset[UUID]:
    wanted = set(accounts)
    known = await _accounts(tx, wanted)
    if known != wanted:
        await tx.catch_up()
        known = await _accounts(tx, wanted)
    return frozenset(known)


async def _accounts(tx: Tx, wanted: set[UUID]) -> set[UUID]:
    if not wanted:
        return set()
    return {UUID(bytes=row["id"].bytes) for row in await tx.fetch(SQL["known_accounts"], tx.organisation, list(wanted))}


HANDLERS: dict[type[Command], Handler] = {
    RestrictChart: on_restriction,
    ChangeRestriction: on_restriction,
    LiftRestriction: on_restriction,
    BreakGlass: on_break,
    EndBreakGlass: on_glass,
    ReviewBreakGlass: on_glass,
}
