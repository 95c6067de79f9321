"""What each command and query of this room needs of its caller."""

from salerno.contexts.organisations.commands import (
    AddLocation,
    ChangeSettings,
    CloseLocation,
    CompleteOnboarding,
    FoundOrganisation,
    RegisterHospital,
    RegisterOrganisation,
    ReopenLocation,
    UpdateLocation,
    UpdateOrganisation,
)
from salerno.contexts.organisations.queries import Location, Locations, OnboardingFlow, Organisation, Specialties
from salerno.kernel.messages import Command, Query
from salerno.kernel.room import Needs

NEEDS: dict[type[Command] | type[Query], Needs] = {
    RegisterOrganisation: Needs("organisations.register"),
    FoundOrganisation: Needs("organisations.found"),
    RegisterHospital: Needs("organisations.register"),
    UpdateOrganisation: Needs("organisations.manage"),
    ChangeSettings: Needs("organisations.manage"),
    CompleteOnboarding: Needs("organisations.manage"),
    AddLocation: Needs("organisations.manage"),
    UpdateLocation: Needs("organisations.manage"),
    CloseLocation: Needs("organisations.manage"),
    ReopenLocation: Needs("organisations.manage"),
    Organisation: Needs("organisations.read"),
    Locations: Needs("organisations.read"),
    Location: Needs("organisations.read"),
    OnboardingFlow: Needs(""),  # asked before anybody can sign in; it is the same for everybody
    Specialties: Needs(""),
}
