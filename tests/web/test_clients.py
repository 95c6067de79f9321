"""Applications in the settings, as an administrator registers, changes and retires them."""

import re

import httpx
import pytest
from tests.web.conftest import SiteClient

from salerno.contexts.identity.commands.registration import AskToRegister, SaidOfItself
from salerno.contexts.identity.projections import SQL
from salerno.contexts.identity.queries import ClientById, ClientLine
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.kernel.bus import Bus
from salerno.kernel.messages import INSTALLATION, Caller

NEW = {
    "name": "Cardio", "kind": "web", "redirect_uris": "https://cardio.example/cb\nhttps://cardio.example/two",
    "logout_uris": "", "scopes": "openid\npatient/Observation.rs?category=laboratory", "jwks": "",
    "backchannel_uri": "", "launch_uri": "",
}  # fmt: skip


@pytest.fixture
def desk(admin: Caller, sign_in: SiteClient) -> httpx.AsyncClient:
    return sign_in(admin)


async def registered(desk: httpx.AsyncClient) -> str:
    made = await desk.post("/settings/clients/new", data=NEW)
    assert made.status_code == 303, made.text[:600]
    return made.headers["location"].removesuffix("?done=added")


async def test_an_application_is_registered_with_a_secret_that_is_shown_once(
    desk: httpx.AsyncClient, bus: Bus, admin: Caller
) -> None:
    path = await registered(desk)
    made = await desk.post(f"{path}/secret", data={})
    found = re.search(r"<code data-secret>([\w-]{43})</code>", made.text)
    assert found is not None
    assert found[1] not in (await desk.get(path)).text
    line: ClientLine = await bus.ask(ClientById(client_id=path.rpartition("/")[2]), admin)  # type: ignore[arg-type]
    assert line.terms.redirect_uris == ("https://cardio.example/cb", "https://cardio.example/two")
    assert line.terms.scopes == ("openid", "patient/Observation.rs?category=laboratory")


async def test_mistakes_stand_beside_their_field_and_nothing_typed_is_lost(desk: httpx.AsyncClient) -> None:
    wrong = await desk.post(
        "/settings/clients/new", data=NEW | {"redirect_uris": "http://evil.example/", "scopes": "everything"}
    )
    assert wrong.status_code == 422
    assert "There is no such scope." in wrong.text and "http://evil.example/" in wrong.text
    assert wrong.text.count('aria-invalid="true"') == 2


async def test_somebody_elses_change_is_not_overwritten(desk: httpx.AsyncClient) -> None:
    path = await registered(desk)
    assert (await desk.post(path, data=NEW | {"version": "1", "name": "Cardio 2"})).status_code == 303
    late = await desk.post(path, data=NEW | {"version": "1", "name": "Cardio 3"})
    assert late.status_code == 409


async def test_a_retired_application_is_only_looked_at(desk: httpx.AsyncClient) -> None:
    path = await registered(desk)
    assert (await desk.post(f"{path}/retire", data={})).headers["location"] == "/settings/clients?done=removed"
    page = (await desk.get(path)).text
    assert "This application was retired." in page
    assert f'action="{path}/secret"' not in page
    assert (await desk.post(path, data=NEW | {"version": "2"})).status_code == 404


async def test_the_pages_speak_italian_and_only_to_administrators(
    admin: Caller, doctor: Caller, sign_in: SiteClient
) -> None:
    italian = sign_in(admin, "it")
    page = (await italian.get("/settings/clients")).text
    assert "Applicazioni" in page and "dalla configurazione" in page and "meditrack-web" in page
    assert "Indirizzi a cui tornare" in (await italian.get("/settings/clients/new")).text
    for path in ("/settings/clients", "/settings/clients/new"):
        assert (await sign_in(doctor).get(path)).status_code == 403


async def test_t027_whoever_approves_sees_hosts_scopes_when_and_from_where_not_only_a_name(
    desk: httpx.AsyncClient, bus: Bus, admin: Caller, sign_in: SiteClient
) -> None:
    await registered(desk)
    bus.settings[SignInPolicy] = SignInPolicy(registration=True)
    async with bus.reading("identity", INSTALLATION) as tx:
        await tx.run(SQL["keep_home"], admin.organisation, bus.clock.now(), "clinic", None, None)
    said = SaidOfItself(
        client_name="Card1o", redirect_uris=("https://elsewhere.example/cb",), scope="openid patient-api",
        client_uri="http://192.168.0.1/", contacts=("dev@elsewhere.example",),
    )  # fmt: skip
    stranger = Caller(actor=INSTALLATION, organisation=INSTALLATION, address="203.0.113.7")
    wish = AskToRegister(said=said, organisation=admin.organisation)
    client = (await bus.ask(wish, stranger)).body["client_id"]
    bus.settings.pop(SignInPolicy)
    path = f"/settings/clients/{client}"
    assert "One application has asked to be registered" in (await desk.get("/settings/clients")).text
    page = (await desk.get(path)).text
    for shown in ("elsewhere.example", "patient-api", "203.0.113.7", "dev@elsewhere.example", "may be taken for"):
        assert shown in page, shown
    assert 'href="http://192.168.0.1/"' not in page and "http://192.168.0.1/" in page
    assert "Dove verrebbero mandate le persone" in (await sign_in(admin, "it").get(path)).text
    assert (await desk.post(f"{path}/approve", data={"version": "7"})).status_code == 409
    done = await desk.post(f"{path}/approve", data={"version": "1"})
    assert (done.status_code, done.headers["location"]) == (303, f"{path}?done=approved")
    assert "Make a new secret" in (await desk.get(path)).text
