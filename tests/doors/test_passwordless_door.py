"""Doing without a password by pages and by REST."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.identity.authenticator import Authenticator

from salerno.contexts.identity.commands import CreateUser, SignIn
from salerno.contexts.identity.commands.passkeys import EnterByPasskey, OfferPasskey
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.interfaces import api, web
from salerno.interfaces.http.application import Setup, build
from salerno.interfaces.http.sessions import NOBODY, sessions_of
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

PASSWORD = "quiet lantern over Salerno bay"


@pytest.fixture(autouse=True)
def policy(bus: Bus) -> Iterator[None]:
    bus.settings[SignInPolicy] = SignInPolicy(
        second_factor_demanded=False, floor=timedelta(), failures_per_address=100_000, mails=True,
        issuer="https://clinic.test",
    )  # fmt: skip
    yield
    bus.settings.pop(SignInPolicy, None)


@pytest.fixture
async def http(bus: Bus) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = build(bus, [web.door(bus), api.door(bus)], Setup(sessions=sessions_of(bus), stop=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://clinic.test") as client:
        yield client


async def account(bus: Bus, admin: Caller) -> str:
    email = f"{uuid4().hex[:12]}@example.com"
    await bus.handle(CreateUser(email=email, password=PASSWORD, full_name="Ada Verdi", role="NURSE"), admin)
    return email


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Drop my password", "Your password is gone", "has no password: only", "only way in")),
        ("it", ("Togli la mia password", "La tua password non c", "non ha password: lo aprono", "unico accesso")),
    ],
)
async def test_the_pages_lead_to_an_account_without_a_password_and_back(
    bus: Bus, admin: Caller, http: httpx.AsyncClient, language: str, words: tuple[str, ...]
) -> None:
    http.headers.update({"Accept-Language": language, "Accept": "text/html"})
    email, device = await account(bus, admin), Authenticator(origin="https://clinic.test")
    await http.post("/sign-in", data={"email": email, "password": PASSWORD})
    form = {"csrf": await csrf(http)}
    assert words[0] not in (await http.get("/account/passkeys")).text
    early = await http.post("/account/password/drop", data=form)
    assert early.status_code == 409
    options = (await http.post("/account/passkeys/options", headers={"X-CSRF-Token": form["csrf"]})).json()
    credential = json.dumps(device.create(options))
    await http.post("/account/passkeys", data=form | {"name": "Telephone", "credential": credential})
    form = {"csrf": await csrf(http)}
    page = (await http.get("/account/passkeys")).text
    assert words[0] in page
    done = await http.post("/account/password/drop", data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/account/passkeys?done=dropped")
    form = {"csrf": await csrf(http)}
    page = (await http.get("/account/passkeys?done=dropped")).text
    assert words[1] in page
    found = re.search(r"/account/passkeys/([0-9a-f-]{36})/remove", page)
    assert found is not None
    kept = await http.post(found[0], data=form)
    assert kept.status_code == 409
    assert words[3] in kept.text
    account_page = (await http.get("/account")).text
    assert words[2] in account_page
    assert 'name="current"' not in account_page
    chosen = await http.post("/account/password", data=form | {"password": "seven herons cross the marsh at dusk"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/account?done=password")
    assert 'name="current"' in (await http.get("/account")).text


async def csrf(http: httpx.AsyncClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await http.get("/account")).text)
    assert found is not None
    return found[1]


async def test_by_rest_a_password_is_dropped_where_a_passkey_stands(
    bus: Bus, admin: Caller, http: httpx.AsyncClient
) -> None:
    email, device = await account(bus, admin), Authenticator(origin="https://clinic.test")
    opened = await bus.ask(SignIn(email=email, password=PASSWORD, kind="api"), NOBODY)
    token = {"Authorization": f"Bearer {opened.access_token}"}
    early = await http.request("DELETE", "/api/v1/users/me/password", headers=token)
    assert (early.status_code, early.json()["code"]) == (409, "passkey-needed")
    options = (await http.post("/api/v1/users/me/passkeys/options", headers=token)).json()
    kept = await http.post(
        "/api/v1/users/me/passkeys", json={"name": "Key", "credential": device.create(options)}, headers=token
    )
    assert kept.status_code == 201, kept.text
    assert (await http.request("DELETE", "/api/v1/users/me/password", headers=token)).status_code == 204
    last = await http.delete(f"/api/v1/users/me/passkeys/{kept.json()['passkey_id']}", headers=token)
    assert (last.status_code, last.json()["code"]) == (409, "password-needed")
    bodies = [
        (await http.post("/api/v1/auth/login", json={"email": one, "password": PASSWORD})).json()
        for one in (email, "nobody@example.com")
    ]
    assert len({(body["status"], body["code"], body.get("detail")) for body in bodies}) == 1
    again = await bus.ask(OfferPasskey(), NOBODY)
    entered = await bus.ask(EnterByPasskey(credential=device.get(again), kind="api"), NOBODY)
    assert entered.access_token
