"""The life of an organisation: registered once, described, set up the way it wants to work."""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias, assert_never
from uuid import UUID

from msgspec import UNSET

from salerno.contexts.organisations.commands import (
    ChangeSettings,
    CompleteOnboarding,
    FoundOrganisation,
    RegisterHospital,
    RegisterOrganisation,
    UpdateOrganisation,
)
from salerno.contexts.organisations.errors import AlreadyRegistered, NoSuchOrganisation
from salerno.contexts.organisations.events import (
    Kind,
    OnboardingCompleted,
    OrganisationEvent,
    OrganisationRegistered,
    OrganisationSettingsChanged,
    OrganisationUpdated,
    PostalAddress,
    Settings,
)
from salerno.contexts.organisations.rules.choices import changed_settings, first_settings
from salerno.contexts.organisations.rules.description import (
    Desk,
    clean_address,
    clean_email,
    clean_line,
    clean_name,
    clean_phone,
    clean_vat_number,
    clean_website,
)
from salerno.kernel.decider import Decider
from salerno.kernel.messages import Origin


@dataclass(frozen=True, slots=True)
class Description:
    name: str
    kind: Kind
    legal_name: str = ""
    vat_number: str = ""
    address: PostalAddress = PostalAddress()
    phone: str = ""
    email: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class Organisation:
    """`first` is what was registered: asking for the same again changes nothing."""

    described: Description | None = None
    settings: Settings | None = None
    first: Description | None = None
    onboarded: bool = False


@dataclass(frozen=True, slots=True)
class Registration:
    """The wish with the id that the handler found for it."""

    organisation: UUID
    wish: RegisterOrganisation | FoundOrganisation | RegisterHospital


@dataclass(frozen=True, slots=True)
class Change:
    """A change, with the id of the organisation that whoever asks belongs to."""

    organisation: UUID
    wish: UpdateOrganisation | ChangeSettings | CompleteOnboarding


Asked: TypeAlias = Registration | Change


def decide(state: Organisation, command: Asked, origin: Origin) -> list[OrganisationEvent]:
    match command:
        case Registration():
            return _register(state, command)
        case Change(organisation, UpdateOrganisation() as wish):
            return _update(state, organisation, wish)
        case Change(organisation, ChangeSettings() as wish):
            return _change_settings(state, organisation, wish)
        case Change(organisation, CompleteOnboarding()):
            described, _ = _known(state)
            return [] if state.onboarded else [OnboardingCompleted(organisation=organisation, kind=described.kind)]
        case _:
            assert_never(command)  # type: ignore[arg-type]  # a tuple of both fields is not narrowed


def evolve(state: Organisation, event: OrganisationEvent) -> Organisation:
    match event:
        case OrganisationRegistered():
            described = _described_by(event)
            return Organisation(described=described, settings=event.settings, first=described)
        case OrganisationUpdated():
            return replace(state, described=_described_by(event))
        case OrganisationSettingsChanged():
            return replace(state, settings=event.settings)
        case OnboardingCompleted():
            return replace(state, onboarded=True)
        case _:
            assert_never(event)


def _described_by(event: OrganisationRegistered | OrganisationUpdated) -> Description:
    return Description(**{name: getattr(event, name) for name in Description.__slots__})


def _register(state: Organisation, asked: Registration) -> list[OrganisationEvent]:
    desk = Desk()
    settings = first_settings(desk, asked.wish)
    described = _clean(desk, asked.wish, asked.wish.kind, settings.country)
    desk.done()
    if state.first is not None:
        if state.first == described:
            return []
        raise AlreadyRegistered()
    return [
        OrganisationRegistered(
            organisation=asked.organisation,
            timezone=settings.timezone,
            language=settings.languages[0],
            country=settings.country,
            settings=settings,
            **_fields(described),
        )
    ]


def _clean(
    desk: Desk, wish: RegisterOrganisation | FoundOrganisation | RegisterHospital, kind: Kind, country: str
) -> Description:
    return Description(
        name=clean_name(desk, "name", wish.name),
        kind=kind,
        legal_name=clean_line(desk, "legal_name", wish.legal_name),
        vat_number=clean_vat_number(desk, "vat_number", wish.vat_number, country),
        address=clean_address(desk, wish.address, country),
        phone=clean_phone(desk, "phone", wish.phone, country),
        email=clean_email(desk, "email", wish.email),
        website=clean_website(desk, "website", wish.website),
    )


def _update(state: Organisation, organisation: UUID, wish: UpdateOrganisation) -> list[OrganisationEvent]:
    before, settings = _known(state)
    desk = Desk()
    described = Description(
        name=clean_name(desk, "name", _over(wish.name, before.name, "")),
        kind=_over(wish.kind, before.kind, before.kind),
        legal_name=clean_line(desk, "legal_name", _over(wish.legal_name, before.legal_name, "")),
        vat_number=clean_vat_number(
            desk, "vat_number", _over(wish.vat_number, before.vat_number, ""), settings.country
        ),
        address=clean_address(desk, _over(wish.address, before.address, PostalAddress()), settings.country),
        phone=clean_phone(desk, "phone", _over(wish.phone, before.phone, ""), settings.country),
        email=clean_email(desk, "email", _over(wish.email, before.email, "")),
        website=clean_website(desk, "website", _over(wish.website, before.website, "")),
    )
    desk.done()
    if described == before:
        return []
    return [OrganisationUpdated(organisation=organisation, **_fields(described))]


def _change_settings(state: Organisation, organisation: UUID, wish: ChangeSettings) -> list[OrganisationEvent]:
    _, before = _known(state)
    settings = changed_settings(before, wish)
    return [] if settings == before else [OrganisationSettingsChanged(organisation=organisation, settings=settings)]


def _known(state: Organisation) -> tuple[Description, Settings]:
    if state.described is None or state.settings is None:
        raise NoSuchOrganisation()
    return state.described, state.settings


def _over(given: Any, before: Any, empty: Any) -> Any:
    """Left out keeps what was; null empties."""
    if given is UNSET:
        return before
    return empty if given is None else given


def _fields(described: Description) -> dict[str, Any]:
    return {name: getattr(described, name) for name in Description.__slots__}


ORGANISATION: Decider[Organisation, Asked, OrganisationEvent] = Decider(
    kind="organisations.organisation",
    initial=Organisation(),
    decide=decide,
    evolve=evolve,
    events=OrganisationEvent,
)
