"""Alerts as the privacy officer and the person meet them, and sign-ins as their owner and administrators do."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from playwright.async_api import Page
from tests.web.conftest import OpenPage, SiteClient

from salerno.contexts.identity.commands import CreateUser, SignIn
from salerno.contexts.identity.errors import WrongCredentials
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.organisations.commands import RegisterOrganisation
from salerno.contexts.patients.commands import RegisterPatient
from salerno.contexts.patients.queries import PatientBanner
from salerno.contexts.staff.commands import AddStaffMember
from salerno.contexts.vigilance.handlers.watching import Watchman
from salerno.contexts.vigilance.queries import AlertLine, Alerts
from salerno.contexts.vigilance.rules.networks import networks_in
from salerno.contexts.vigilance.rules.watch import Watchfulness
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

PASSWORD = "quiet lantern over Salerno bay"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
TELEPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604"


class Clinic:
    """An administrator with an account, and a receptionist who did three unusual things."""

    def __init__(self, admin: Caller, desk: Caller, patient: UUID) -> None:
        self.admin, self.desk, self.patient = admin, desk, patient


@pytest.fixture
async def clinic(bus: Bus, admin: Caller, receptionist: Caller, monkeypatch: pytest.MonkeyPatch) -> Clinic:
    policy = SignInPolicy(second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000)
    monkeypatch.setitem(bus.settings, SignInPolicy, policy)
    monkeypatch.setitem(bus.settings, Watchfulness, Watchfulness(networks=networks_in("198.51.100.0/24,FR")))
    above = replace(admin, permissions=admin.permissions | {"organisations.register"})
    wish = RegisterOrganisation(name="Studio", kind="clinic", organisation_id=admin.organisation, country="IT")
    await bus.handle(wish, above)
    member = AddStaffMember(given_name="Rosa", family_name="Marino", role="RECEPTIONIST", phone="089 555 0123")
    staff = (await bus.handle(member, admin)).aggregate_id
    email = f"{uuid4().hex[:12]}@example.com"
    made = CreateUser(
        email=email, password=PASSWORD, given_name="Rosa", family_name="Marino", role="RECEPTIONIST", staff_id=staff
    )
    desk = replace(receptionist, actor=(await bus.handle(made, admin)).aggregate_id, name="Rosa Marino")
    chief = CreateUser(account_id=admin.actor, email=f"a{email}", given_name="Ida", family_name="Neri", role="ADMIN")
    await bus.handle(chief, above_all(admin))
    patient = RegisterPatient(full_name="Ada Conti", phone="089 5550123", confirmed_not_duplicate=True)
    chart = (await bus.handle(patient, desk)).aggregate_id
    nobody = Caller(actor=UUID(int=0), organisation=UUID(int=0), address="192.0.2.4")
    await bus.ask(SignIn(email=email, password=PASSWORD, agent=FIREFOX), nobody)
    with pytest.raises(WrongCredentials):
        await bus.ask(SignIn(email=email, password="not it, but long enough"), nobody)
    abroad = replace(nobody, address="198.51.100.7")
    await bus.ask(SignIn(email=email, password=PASSWORD, agent=TELEPHONE), abroad)
    await bus.ask(PatientBanner(patient_id=chart), desk)
    await bus.settled()
    await Watchman(bus).drain()
    return Clinic(admin, desk, chart)


def above_all(admin: Caller) -> Caller:
    return replace(admin, role="SUPER_ADMIN")


async def lines(bus: Bus, who: Caller) -> list[AlertLine]:
    return list((await bus.ask(Alerts(), who)).items)


async def test_the_officer_reads_who_whose_when_and_why(clinic: Clinic, sign_in: SiteClient) -> None:
    for language, words in (
        ("en", ("Own family", "Reader and patient share: telephone.", "Signed in with Safari on iPhone, which",
                "Signed in from France, where", "Rosa Marino", "Ada Conti")),
        ("it", ("Propria famiglia", "Chi ha letto e il paziente hanno in comune: telefono.",
                "Accesso con Safari su iPhone", "Accesso da Francia", "Rosa Marino", "Ada Conti")),
    ):  # fmt: skip
        page = (await sign_in(clinic.admin, language).get("/settings/security")).text
        assert [word for word in words if word not in page] == []
    client = sign_in(clinic.admin)
    assert "Own family</a>" not in (await client.get("/settings/security?kind=new-device")).text
    assert "Nothing unusual" in (await client.get("/settings/security?status=reviewed")).text
    assert (await client.get("/settings/security?status=no")).status_code == 422
    assert (await sign_in(clinic.desk).get("/settings/security")).status_code == 403


async def test_a_review_needs_an_outcome_and_where_it_was_followed_up_a_note(
    bus: Bus, clinic: Clinic, sign_in: SiteClient
) -> None:
    client = sign_in(clinic.admin)
    alert = next(one for one in await lines(bus, clinic.admin) if one.kind == "own-family")
    path = f"/settings/security/{alert.alert_id}"
    page = (await client.get(path)).text
    assert f"/chart/{clinic.patient}/access" in page and 'name="version" value="1"' in page
    none = await client.post(path, data={"version": "1", "outcome": "", "note": "x"})
    assert none.status_code == 422 and 'id="outcome-error"' in none.text
    bare = await client.post(path, data={"version": "1", "outcome": "followed-up", "note": ""})
    assert bare.status_code == 422 and "Say in a few words what was done about it." in bare.text
    assert 'value="followed-up" selected' in bare.text
    done = await client.post(path, data={"version": "1", "outcome": "justified", "note": "Her neighbour."})
    assert (done.status_code, done.headers["location"]) == (303, "/settings/security?done=saved")
    shown = (await client.get(path)).text
    assert "Her neighbour." in shown and "Ida Neri" in shown
    late = await client.post(path, data={"version": "1", "outcome": "unfounded", "note": ""})
    assert late.status_code == 409
    assert (await client.get(f"/settings/security/{uuid4()}")).status_code == 404
    mine = (await sign_in(clinic.desk).get("/account/security")).text
    assert "justified" in mine and "Her neighbour." not in mine


async def test_what_is_about_oneself_is_reviewed_by_somebody_else(
    bus: Bus, clinic: Clinic, sign_in: SiteClient
) -> None:
    own = replace(clinic.admin, actor=clinic.desk.actor)
    alert = (await lines(bus, clinic.admin))[0]
    page = (await sign_in(own).get(f"/settings/security/{alert.alert_id}")).text
    assert "This alert is about you. Somebody else reviews it." in page and "<textarea" not in page
    answer = await sign_in(own).post(f"/settings/security/{alert.alert_id}", data={"outcome": "unfounded", "note": ""})
    assert answer.status_code == 409


async def test_everybody_sees_their_own_sign_ins_and_alerts(clinic: Clinic, sign_in: SiteClient) -> None:
    for language, words in (
        ("en", ("Firefox on Linux", "wrong password", "refused", "192.0.2.4", "New country", "198.51.100.7",
                "Ada Conti")),
        ("it", ("Firefox su Linux", "password errata", "Nuovo Paese")),
    ):  # fmt: skip
        page = (await sign_in(clinic.desk, language).get("/account/security")).text
        assert [word for word in words if word not in page] == []
    assert 'href="/account/security"' in (await sign_in(clinic.desk).get("/account")).text
    assert "Nothing unusual." in (await sign_in(clinic.admin).get("/account/security")).text


async def test_administrators_see_how_an_account_was_signed_in_to(
    clinic: Clinic, sign_in: SiteClient, doctor: Caller
) -> None:
    client, path = sign_in(clinic.admin), f"/settings/accounts/{clinic.desk.actor}"
    assert f'href="{path}/sign-ins"' in (await client.get(path)).text
    page = (await client.get(f"{path}/sign-ins?limit=2")).text
    assert "Safari on iPhone" in page and "1–2 of 3" in page and "Firefox" not in page
    assert (await sign_in(doctor).get(f"{path}/sign-ins")).status_code == 403
    assert (await client.get(f"/settings/accounts/{uuid4()}/sign-ins")).status_code == 404


PATHS = (
    "/settings/security",
    "/settings/security/{alert}",
    "/settings/accounts/{account}/sign-ins",
    "/account/security",
)
LOOKS = [("en", "light", 1280), ("it", "dark", 1280), ("it", "light", 390)]


@pytest.mark.browser
@pytest.mark.parametrize(("language", "theme", "width"), LOOKS)
async def test_the_pages_are_accessible_in_both_languages_and_themes(
    bus: Bus, clinic: Clinic, browser_page: OpenPage, axe: Callable[..., Awaitable[list[str]]],
    language: str, theme: str, width: int,
) -> None:  # fmt: skip
    alert = next(one for one in await lines(bus, clinic.admin) if one.kind == "own-family")
    for path in PATHS:
        who = clinic.desk if path.startswith("/account") else clinic.admin
        page: Page = await browser_page(
            who, path.format(alert=alert.alert_id, account=clinic.desk.actor),
            language=language, theme=theme, width=width,
        )  # fmt: skip
        assert await axe(page) == []
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, path
