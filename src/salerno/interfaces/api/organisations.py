"""The organisation over REST (ORG-01 to ORG-10): its description, settings, locations, presets and onboarding."""

from collections.abc import Sequence
from typing import Annotated, Any, get_args
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from salerno.contexts.organisations.commands import (
    AddLocation,
    ChangeSettings,
    CloseLocation,
    CompleteOnboarding,
    GivenAddress,
    GivenOpening,
    RegisterOrganisation,
    ReopenLocation,
    UpdateLocation,
    UpdateOrganisation,
)
from salerno.contexts.organisations.events import Kind, Opening, PostalAddress, Settings
from salerno.contexts.organisations.queries import (
    Location,
    Locations,
    LocationSheet,
    OnboardingFlow,
    Organisation,
    OrganisationSheet,
    Specialties,
)
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    answer,
    ask,
    bus_of,
    caller_or_nobody,
    delete,
    get,
    no_content,
    patch,
    post,
    read_body,
    read_query,
    submit,
)
from salerno.kernel.errors import NotFound
from salerno.kernel.messages import Receipt

TAGS = ("organisations",)
ID = "{location_id:uuid}"
Text = Annotated[str, Meta(max_length=1000)]
EXAMPLE = {"name": "Poliambulatorio Salerno", "kind": "clinic", "country": "IT", "languages": ["it", "en"]}


class NewOrganisation(Body):
    name: Text
    kind: Kind
    country: Text = "IT"
    timezone: Text = ""
    languages: Annotated[tuple[Text, ...], Meta(max_length=20)] = ()
    legal_name: Text = ""
    vat_number: Text = ""
    address: GivenAddress = GivenAddress()
    phone: Text = ""
    email: Text = ""
    website: Text = ""
    specialties: Annotated[tuple[Text, ...], Meta(max_length=40)] = ()


class Description(Body):
    """What is left out stays as it is; null empties it."""

    name: Text | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    legal_name: Text | None | UnsetType = UNSET
    vat_number: Text | None | UnsetType = UNSET
    address: GivenAddress | None | UnsetType = UNSET
    phone: Text | None | UnsetType = UNSET
    email: Text | None | UnsetType = UNSET
    website: Text | None | UnsetType = UNSET


class Choices(Body):
    """Settings that are left out stay as they are."""

    timezone: Text | UnsetType = UNSET
    country: Text | UnsetType = UNSET
    languages: Annotated[tuple[Text, ...], Meta(max_length=20)] | UnsetType = UNSET
    visit_minutes: int | UnsetType = UNSET
    buffer_minutes: int | UnsetType = UNSET
    calendar_from: Text | UnsetType = UNSET
    calendar_until: Text | UnsetType = UNSET
    second_factor_roles: Annotated[tuple[Text, ...], Meta(max_length=20)] | UnsetType = UNSET
    idle_minutes_default: int | UnsetType = UNSET
    idle_minutes: dict[str, int] | UnsetType = UNSET
    duplicate_threshold: float | UnsetType = UNSET
    patients_book_online: bool | UnsetType = UNSET
    booking_days_ahead: int | UnsetType = UNSET
    cancellation_hours: int | UnsetType = UNSET
    specialties: Annotated[tuple[Text, ...], Meta(max_length=40)] | UnsetType = UNSET
    password_demanded: bool | UnsetType = UNSET


class NewLocation(Body):
    name: Text
    address: GivenAddress = GivenAddress()
    phone: Text = ""
    email: Text = ""
    opening: tuple[GivenOpening, ...] = ()


class LocationChange(Body):
    """What is left out stays as it is; null empties it."""

    name: Text | UnsetType = UNSET
    address: GivenAddress | None | UnsetType = UNSET
    phone: Text | None | UnsetType = UNSET
    email: Text | None | UnsetType = UNSET
    opening: tuple[GivenOpening, ...] | None | UnsetType = UNSET


class ClosedToo(Body):
    closed_too: bool = False


class OrganisationAnswer(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    kind: Kind
    legal_name: str
    vat_number: str
    address: PostalAddress
    phone: str
    email: str
    website: str
    settings: Settings
    onboarded: bool
    version: int


class LocationAnswer(Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    address: PostalAddress
    phone: str
    email: str
    opening: Sequence[Opening]
    closed: bool


class LocationList(Struct, frozen=True, kw_only=True):
    locations: Sequence[LocationAnswer]
    total: int


class Words(Struct, frozen=True, kw_only=True):
    it: str
    en: str


class FlowAnswer(Struct, frozen=True, kw_only=True):
    """The steps of an onboarding, in order; each says which command its answers fill."""

    kind: Kind
    name: Words
    promise: Words
    steps: Sequence[dict[str, Any]]


class SpecialtyList(Struct, frozen=True, kw_only=True):
    specialties: Sequence[dict[str, Any]]


def _location(request: Request[Any, Any, Any]) -> UUID:
    location: UUID = request.path_params["location_id"]
    return location


def _given(body: Body) -> dict[str, Any]:
    return {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}


async def _shown(request: Request[Any, Any, Any]) -> Response[Any]:
    sheet: OrganisationSheet = await ask(request, Organisation())
    told = OrganisationAnswer(**structs.asdict(sheet.organisation), version=sheet.version)
    return answer(request, told, etag=sheet.version)


@post("/organisations", of=RegisterOrganisation, takes=NewOrganisation, status=201, example=EXAMPLE, tags=TAGS)
async def register_organisation(request: Request[Any, Any, Any]) -> Response[Any]:
    """Register an organisation: the caller's own where that is new, another tenant otherwise."""
    body = await read_body(request, NewOrganisation)
    receipt: Receipt = await submit(request, RegisterOrganisation(**structs.asdict(body)))
    return answer(request, {"id": receipt.aggregate_id, "version": receipt.version}, 201, etag=receipt.version)


@get("/organisation", of=Organisation, gives=OrganisationAnswer, tags=TAGS)
async def organisation(request: Request[Any, Any, Any]) -> Response[Any]:
    """The caller's organisation with its settings."""
    return await _shown(request)


@patch("/organisation", of=UpdateOrganisation, takes=Description, gives=OrganisationAnswer, tags=TAGS)
async def update_organisation(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change the description."""
    await submit(request, UpdateOrganisation(**_given(await read_body(request, Description))))
    return await _shown(request)


@get("/organisation/settings", of=Organisation, gives=Settings, tags=TAGS)
async def settings(request: Request[Any, Any, Any]) -> Response[Any]:
    """What the administrator has chosen."""
    sheet: OrganisationSheet = await ask(request, Organisation())
    return answer(request, sheet.organisation.settings, etag=sheet.version)


@patch("/organisation/settings", of=ChangeSettings, takes=Choices, gives=Settings, tags=TAGS)
async def change_settings(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change settings; those left out stay as they are."""
    await submit(request, ChangeSettings(**_given(await read_body(request, Choices))))
    sheet: OrganisationSheet = await ask(request, Organisation())
    return answer(request, sheet.organisation.settings, etag=sheet.version)


@post("/organisation/onboarding", of=CompleteOnboarding, gives=OrganisationAnswer, tags=TAGS)
async def complete_onboarding(request: Request[Any, Any, Any]) -> Response[Any]:
    """The guided questions were answered, or put aside for good."""
    await submit(request, CompleteOnboarding())
    return await _shown(request)


@get("/locations", of=Locations, query=ClosedToo, gives=LocationList, tags=TAGS)
async def locations(request: Request[Any, Any, Any]) -> Response[Any]:
    """Where the organisation sees people."""
    held = await ask(request, Locations(closed_too=read_query(request, ClosedToo).closed_too))
    lines = [LocationAnswer(**structs.asdict(one)) for one in held]
    return answer(request, LocationList(locations=lines, total=len(lines)))


@post("/locations", of=AddLocation, takes=NewLocation, gives=LocationAnswer, status=201, tags=TAGS)
async def add_location(request: Request[Any, Any, Any]) -> Response[Any]:
    """Add a location."""
    body = await read_body(request, NewLocation)
    receipt: Receipt = await submit(request, AddLocation(**structs.asdict(body)))
    return await _place(request, receipt.aggregate_id, 201)


@get(f"/locations/{ID}", of=Location, gives=LocationAnswer, tags=TAGS)
async def location(request: Request[Any, Any, Any]) -> Response[Any]:
    """One location."""
    return await _place(request, _location(request))


@patch(f"/locations/{ID}", of=UpdateLocation, takes=LocationChange, gives=LocationAnswer, tags=TAGS)
async def update_location(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change a location."""
    given = _given(await read_body(request, LocationChange))
    await submit(request, UpdateLocation(location_id=_location(request), **given))
    return await _place(request, _location(request))


@delete(f"/locations/{ID}", of=CloseLocation, status=204, tags=TAGS)
async def close_location(request: Request[Any, Any, Any]) -> Response[Any]:
    """Close a location; what happened there stays."""
    await submit(request, CloseLocation(location_id=_location(request)))
    return no_content()


@post(f"/locations/{ID}/reopen", of=ReopenLocation, gives=LocationAnswer, tags=TAGS)
async def reopen_location(request: Request[Any, Any, Any]) -> Response[Any]:
    """Open a closed location again."""
    await submit(request, ReopenLocation(location_id=_location(request)))
    return await _place(request, _location(request))


async def _place(request: Request[Any, Any, Any], location: UUID, status: int = 200) -> Response[Any]:
    sheet: LocationSheet = await ask(request, Location(location_id=location))
    path = f"/api/v1/locations/{location}" if status == 201 else None
    told = LocationAnswer(**structs.asdict(sheet.location))
    return answer(request, told, status, etag=sheet.version, location=path)


@get("/onboarding/{kind:str}", of=OnboardingFlow, public="asked before sign-up", gives=FlowAnswer, tags=TAGS)
async def onboarding_flow(request: Request[Any, Any, Any]) -> Response[Any]:
    """Which questions lead a newcomer of this kind (independent, clinic, hospital) to a working practice."""
    kind = request.path_params["kind"]
    if kind not in get_args(Kind):
        raise NotFound
    return answer(request, await bus_of(request).ask(OnboardingFlow(kind=kind), caller_or_nobody(request)))


@get("/specialties", of=Specialties, public="asked before sign-up", gives=SpecialtyList, tags=TAGS)
async def specialties(request: Request[Any, Any, Any]) -> Response[Any]:
    """Presets by specialty: visit types and note templates to suggest."""
    held = await bus_of(request).ask(Specialties(), caller_or_nobody(request))
    return answer(request, {"specialties": held})


ROUTES = [
    register_organisation,
    organisation,
    update_organisation,
    settings,
    change_settings,
    complete_onboarding,
    locations,
    add_location,
    location,
    update_location,
    close_location,
    reopen_location,
    onboarding_flow,
    specialties,
]
