"""Which rule answers which command, and the facts that it needs first."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from salerno.contexts.organisations.commands import (
    AddLocation,
    ChangeSettings,
    CloseLocation,
    CompleteOnboarding,
    FoundOrganisation,
    LocationCommand,
    RegisterHospital,
    RegisterOrganisation,
    ReopenLocation,
    UpdateLocation,
    UpdateOrganisation,
)
from salerno.contexts.organisations.errors import NoSuchOrganisation
from salerno.contexts.organisations.rules.location import LOCATION, Asked
from salerno.contexts.organisations.rules.organisation import ORGANISATION, Change, Registration
from salerno.kernel.messages import Command, Origin, Recorded
from salerno.kernel.room import Handler
from salerno.kernel.transactions import Tx


async def on_register(
    tx: Tx, command: RegisterOrganisation | RegisterHospital, origin: Origin
) -> Sequence[Recorded[Any]]:
    """An organisation's log begins in that organisation, whoever founds it."""
    named = command.hospital_id if isinstance(command, RegisterHospital) else command.organisation_id
    organisation = named or await _own_or_new(tx)
    async with tx.founding(organisation):
        return await tx.execute(ORGANISATION, organisation, Registration(organisation, command), subject=organisation)


async def on_found(tx: Tx, command: FoundOrganisation, origin: Origin) -> Sequence[Recorded[Any]]:
    """Never another than the caller's own."""
    registration = Registration(tx.organisation, command)
    return await tx.execute(ORGANISATION, tx.organisation, registration, subject=tx.organisation)


async def _own_or_new(tx: Tx) -> UUID:
    _, version = await tx.load(ORGANISATION, tx.organisation)
    return tx.new_id() if version else tx.organisation


async def on_change(
    tx: Tx, command: UpdateOrganisation | ChangeSettings | CompleteOnboarding, origin: Origin
) -> Sequence[Recorded[Any]]:
    return await tx.execute(ORGANISATION, tx.organisation, Change(tx.organisation, command))


async def on_location(tx: Tx, command: LocationCommand, origin: Origin) -> Sequence[Recorded[Any]]:
    state, _ = await tx.load(ORGANISATION, tx.organisation)
    if state.settings is None:
        raise NoSuchOrganisation("Register the organisation first.")
    location = command.location_id or tx.new_id()
    asked = Asked(location, tx.organisation, state.settings.country, command)
    subject = tx.organisation if isinstance(command, AddLocation) else None
    return await tx.execute(LOCATION, location, asked, subject=subject)


HANDLERS: Mapping[type[Command], Handler] = {
    RegisterOrganisation: on_register,
    FoundOrganisation: on_found,
    RegisterHospital: on_register,
    UpdateOrganisation: on_change,
    ChangeSettings: on_change,
    CompleteOnboarding: on_change,
    AddLocation: on_location,
    UpdateLocation: on_location,
    CloseLocation: on_location,
    ReopenLocation: on_location,
}
