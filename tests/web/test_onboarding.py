"""From "I start a practice" to the first day, with real sign-in."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace as with_changes
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec.structs import replace
from tests.web.conftest import SiteClient

from salerno.contexts.identity.commands import ApproveUser, Opened, ResolveSession, SignIn, WaitingFounders
from salerno.contexts.identity.errors import AccountNotReady, NoSuchAccount
from salerno.contexts.identity.rules.codes import token_hash
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.organisations.commands import FoundOrganisation
from salerno.contexts.organisations.queries import Locations, Organisation
from salerno.contexts.scheduling.queries import VisitTypes
from salerno.contexts.staff.queries import StaffMembers
from salerno.kernel.bus import Bus
from salerno.kernel.errors import NotAllowed
from salerno.kernel.messages import INSTALLATION, Caller

PASSWORD = "seven green lanterns at sea"
NOBODY = Caller(actor=UUID(int=0), organisation=INSTALLATION, address="203.0.113.9")


@pytest.fixture
def relaxed(bus: Bus) -> Any:
    policy = SignInPolicy(development=True, second_factor_demanded=False, floor=timedelta(), failures_per_address=9999)
    bus.settings[SignInPolicy] = policy
    yield policy
    bus.settings.pop(SignInPolicy, None)


@pytest.fixture
async def anybody(site: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(site)
    async with httpx.AsyncClient(
        transport=transport, base_url="https://clinic.test", headers={"Accept": "text/html"}
    ) as one:
        yield one


async def who_starts(anybody: httpx.AsyncClient) -> str:
    email = f"{uuid4().hex[:12]}@example.com"
    form = {"given_name": "Ada", "family_name": "Verdi", "email": email, "password": PASSWORD}
    answer = await anybody.post("/sign-up/practice", data=form)
    assert answer.status_code == 201, answer.text
    return email


async def behind(bus: Bus, email: str) -> Caller:
    opened: Opened = await bus.ask(SignIn(email=email, password=PASSWORD), NOBODY)
    found = await bus.ask(ResolveSession(token_hash=token_hash(opened.token)), NOBODY)
    caller: Caller = found.caller
    return caller


async def test_org_04_an_independent_doctor_goes_from_sign_up_to_the_first_day(
    bus: Bus, relaxed: Any, anybody: httpx.AsyncClient, sign_in: SiteClient
) -> None:
    assert "/sign-up/practice" in (await anybody.get("/sign-up")).text
    founder = await behind(bus, await who_starts(anybody))
    client = sign_in(founder)
    assert "Independent doctor" in (await client.get("/onboarding")).text
    page = (await client.get("/onboarding?kind=independent")).text
    assert 'name="vat_number"' in page and 'name="timezone"' in page
    bad = await client.post("/onboarding", data={"kind": "independent", "name": "", "country": "IT"})
    assert bad.status_code == 422 and 'id="name-error"' in bad.text
    form = {
        "kind": "independent",
        "name": "Studio Verdi",
        "country": "IT",
        "languages": ["it", "en"],
        "address.city": "Salerno",
    }
    assert (await client.post("/onboarding", data=form)).headers["location"] == "/onboarding"
    assert (await client.get("/onboarding")).headers["location"] == "/onboarding/step/where"
    place = {"name": "Via Roma", "opening.mon.a.from": "09:00", "opening.mon.a.to": "13:00", "address.city": "Salerno"}
    assert (await client.post("/onboarding/step/where", data=place)).headers["location"] == "/onboarding/step/oneself"
    page = (await client.get("/onboarding/step/oneself")).text
    assert 'value="Ada"' in page and 'value="Verdi"' in page
    me = {"given_name": "Ada", "family_name": "Verdi", "role": "DOCTOR", "specialty": "Cardiology"}
    assert (await client.post("/onboarding/step/oneself", data=me)).headers["location"] == "/onboarding/step/specialty"
    answer = await client.post(
        "/onboarding/step/specialty", data={"specialties": ["cardiology"], "visit_minutes": "25"}
    )
    assert answer.headers["location"] == "/onboarding/step/online", answer.text
    online = {"patients_book_online": "true", "booking_days_ahead": "60"}
    assert (await client.post("/onboarding/step/online", data=online)).headers["location"] == "/onboarding/step/done"
    assert (await client.get("/onboarding/step/done")).status_code == 200
    assert (await client.post("/onboarding/step/done")).headers["location"] == "/today"
    own = (await bus.ask(Organisation(), founder)).organisation
    assert (own.id, own.name, own.kind, own.onboarded) == (founder.organisation, "Studio Verdi", "independent", True)
    assert (own.settings.visit_minutes, own.settings.patients_book_online) == (25, True)
    assert own.settings.specialties == ("cardiology",)
    (location,) = await bus.ask(Locations(), founder)
    assert [(one.day, one.opens) for one in location.opening] == [("mon", "09:00")]
    assert [one.full_name for one in (await bus.ask(StaffMembers(), founder)).items] == ["Ada Verdi"]
    assert len(await bus.ask(VisitTypes(), founder)) > 3
    assert (await client.get("/onboarding")).headers["location"] == "/today"


@pytest.mark.parametrize(
    ("kind", "code"), [("clinic", "team"), ("clinic", "visit-types"), ("hospital", "safety"), ("hospital", "rooms")]
)
async def test_org_04_every_step_of_each_kind_can_be_asked(
    bus: Bus, relaxed: Any, anybody: httpx.AsyncClient, sign_in: SiteClient, kind: str, code: str
) -> None:
    founder = await behind(bus, await who_starts(anybody))
    client = sign_in(founder, "it")
    form = {"kind": kind, "name": "Casa di cura", "legal_name": "Casa srl", "country": "IT"}
    assert (await client.post("/onboarding", data=form)).status_code == 303
    answers = {
        "team": {
            "full_name": "Eva Neri",
            "email": f"{uuid4().hex[:9]}@example.com",
            "role": "NURSE",
            "password": PASSWORD,
        },
        "visit-types": {"name_it": "Prima visita", "name_en": "First visit", "minutes": "30"},
        "safety": {"second_factor_roles": ["DOCTOR"], "idle_minutes_default": "12"},
        "rooms": {"name": "Ambulatorio 1"},
    }
    page = await client.get(f"/onboarding/step/{code}")
    assert page.status_code == 200 and 'aria-current="step"' in page.text
    again = await client.post(f"/onboarding/step/{code}", data=answers[code] | {"again": "yes"})
    assert again.status_code == 303, again.text
    assert (again.headers["location"] == f"/onboarding/step/{code}") is (code != "safety")
    assert (await client.get("/onboarding/step/no-such-step")).status_code == 404


async def test_c_11_outside_development_a_founder_waits_for_a_system_administrator(
    bus: Bus, relaxed: SignInPolicy, anybody: httpx.AsyncClient, caller: Callable[..., Caller], admin: Caller
) -> None:
    bus.settings[SignInPolicy] = with_changes(relaxed, development=False)
    email = await who_starts(anybody)
    with pytest.raises(AccountNotReady):
        await bus.ask(SignIn(email=email, password=PASSWORD), NOBODY)
    above = caller("SUPER_ADMIN")
    (waiting,) = [one for one in await bus.ask(WaitingFounders(), above) if one.email == email]
    with pytest.raises(NoSuchAccount):
        await bus.handle(ApproveUser(account_id=waiting.user_id), admin)
    with pytest.raises(NotAllowed):
        await bus.ask(WaitingFounders(), admin)
    await bus.handle(ApproveUser(account_id=waiting.user_id), above)
    founder = await behind(bus, email)
    assert (founder.role, founder.organisation) == ("ADMIN", waiting.hospital_id)


async def test_t001_a_founder_reaches_no_other_organisation_and_founds_only_one(
    bus: Bus, relaxed: Any, anybody: httpx.AsyncClient, admin: Caller
) -> None:
    above = replace(admin, permissions=admin.permissions | {"organisations.found"})
    await bus.handle(FoundOrganisation(kind="clinic", name="Elsewhere"), above)
    await bus.settled()
    founder = await behind(bus, await who_starts(anybody))
    assert founder.organisation != admin.organisation
    assert "organisations.register" not in founder.permissions
    assert (
        await bus.handle(FoundOrganisation(kind="clinic", name="Here"), founder)
    ).aggregate_id == founder.organisation
    answer = re.compile("registered")
    with pytest.raises(Exception, match=answer):
        await bus.handle(FoundOrganisation(kind="clinic", name="Twice"), founder)


async def test_what_is_said_does_not_tell_who_has_an_account(
    bus: Bus, relaxed: Any, anybody: httpx.AsyncClient
) -> None:
    email = await who_starts(anybody)
    form = {"given_name": "Ada", "family_name": "Verdi", "email": email, "password": "another eight lamps at sea"}
    answer = await anybody.post("/sign-up/practice", data=form)
    assert answer.status_code == 201 and email not in answer.text
    assert await bus.ask(SignIn(email=email, password=PASSWORD), NOBODY)
