"""The applications that may ask for tokens: who registers them, what they must say, and how their secret is kept."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from salerno.app import declared_clients
from salerno.contexts.identity.commands import ChangeClient, IssueClientSecret, RegisterClient, RetireClient
from salerno.contexts.identity.errors import ClientRefused, NoSuchClient
from salerno.contexts.identity.events import ClientTerms
from salerno.contexts.identity.queries import ClientById, ClientLine, Clients
from salerno.contexts.identity.rules.client import (
    BadClients,
    declared_in,
    is_registered,
    is_return_address,
    keys_of,
    shipped,
)
from salerno.kernel.bus import Bus
from salerno.kernel.errors import Invalid, NotAllowed
from salerno.kernel.messages import INSTALLATION, Caller
from salerno.kernel.settings import SettingsError, read_settings

HEADER = (
    "client_id,name,kind,redirect_uris,logout_uris,scopes,device,trusted,backchannel_uri,launch_uri,secret_sha256\n"
)


def wish(**changes: Any) -> RegisterClient:
    said: dict[str, Any] = {
        "name": "Cardio", "kind": "web", "redirect_uris": ("https://cardio.example/cb",), "scopes": ("openid",),
    }  # fmt: skip
    return RegisterClient(**said | changes)


async def line(bus: Bus, client: UUID, caller: Caller) -> ClientLine:
    found: ClientLine = await bus.ask(ClientById(client_id=client), caller)
    return found


def test_iam06_meditrack_web_is_declared_in_the_configuration() -> None:
    terms = shipped().by_id["meditrack-web"].terms
    assert "http://localhost:3000/callback" in terms.redirect_uris
    assert {"openid", "profile", "patient-api", "appointment-api", "records-api", "offline_access"} <= set(terms.scopes)
    assert terms.kind == "browser"


def test_an_installation_declares_clients_of_its_own() -> None:
    found = declared_in(HEADER + "lab-bridge,Lab,service,,,records-api system/*.rs,,,,," + "ab" * 32 + "\n")
    assert set(found.by_id) == {"meditrack-web", "lab-bridge"}
    assert found.by_id["lab-bridge"].secret == bytes.fromhex("ab" * 32)


@pytest.mark.parametrize(
    "row",
    [
        "bad id,Lab,service,,,records-api,,,,,", "lab,Lab,robot,,,records-api,,,,,", "lab,Lab,web,,,openid,,,,,",
        "lab,Lab,web,http://evil.example/cb,,openid,,,,,", "lab,Lab,service,,,openid,,,,,",
        "lab,Lab,service,,,records-api,,,,,zz", "lab,Lab", "lab,Lab,service,,,no-such-api,,,,,",
    ],
)  # fmt: skip
def test_a_file_of_clients_that_cannot_be_followed_does_not_start(row: str) -> None:
    with pytest.raises(BadClients, match="line 2"):
        declared_in(HEADER + row + "\n")


def test_a_bad_file_of_clients_is_named_by_its_setting(tmp_path: Path) -> None:
    (tmp_path / "clients.csv").write_text(HEADER + "lab,Lab,robot,,,records-api,,,,,\n")
    for path, said in ((tmp_path / "clients.csv", "line 2"), (tmp_path / "none.csv", "names no file")):
        with pytest.raises(SettingsError, match=f"SALERNO_CLIENTS.*{said}"):
            declared_clients(read_settings({"SALERNO_CLIENTS": str(path)}, Path("/nowhere")))


async def test_an_administrator_registers_changes_and_retires_an_application(bus: Bus, admin: Caller) -> None:
    client = (await bus.handle(wish(), admin)).aggregate_id
    found = await line(bus, client, admin)
    assert (found.terms.name, found.status, found.fixed) == ("Cardio", "active", False)
    await bus.handle(ChangeClient(client_id=client, name="Cardio 2", kind="web",
                                  redirect_uris=("https://cardio.example/2",), scopes=("openid",)), admin)  # fmt: skip
    assert (await line(bus, client, admin)).terms.redirect_uris == ("https://cardio.example/2",)
    await bus.handle(RetireClient(client_id=client), admin)
    assert (await line(bus, client, admin)).status == "retired"
    with pytest.raises(NoSuchClient):
        await bus.handle(ChangeClient(client_id=client, name="x", kind="web",
                                      redirect_uris=("https://cardio.example/2",)), admin)  # fmt: skip
    with pytest.raises(NoSuchClient):
        await bus.ask(IssueClientSecret(client_id=client), admin)


async def test_the_list_shows_ones_own_and_the_configured_ones(bus: Bus, admin: Caller) -> None:
    client = (await bus.handle(wish(), admin)).aggregate_id
    listed: list[ClientLine] = await bus.ask(Clients(), admin)
    assert [(one.client_id, one.fixed) for one in listed] == [(str(client), False), ("meditrack-web", True)]


async def test_another_organisation_knows_nothing_of_it(bus: Bus, admin: Caller, caller: Any) -> None:
    client = (await bus.handle(wish(), admin)).aggregate_id
    stranger = caller("ADMIN", organisation_id=UUID(int=77))
    for attempt in (RetireClient(client_id=client),):
        with pytest.raises(NoSuchClient):
            await bus.handle(attempt, stranger)
    with pytest.raises(NoSuchClient):
        await bus.ask(ClientById(client_id=client), stranger)
    with pytest.raises(NoSuchClient):
        await bus.ask(IssueClientSecret(client_id=client), stranger)
    with pytest.raises(ClientRefused):
        await bus.handle(wish(client_id=client), stranger)


async def test_only_administrators_register(bus: Bus, doctor: Caller, nurse: Caller) -> None:
    for who in (doctor, nurse):
        with pytest.raises(NotAllowed):
            await bus.handle(wish(), who)


async def test_the_secret_is_shown_once_and_kept_as_a_hash(bus: Bus, admin: Caller) -> None:
    client = (await bus.handle(wish(), admin)).aggregate_id
    first = (await bus.ask(IssueClientSecret(client_id=client), admin)).secret
    second = (await bus.ask(IssueClientSecret(client_id=client), admin)).secret
    assert first != second and len(second) == 43
    async with bus.reading("identity", INSTALLATION) as tx:
        rows = await tx.fetch("SELECT client, hash FROM client_secrets WHERE client = $1", str(client))
    assert len(rows) == 1 and len(rows[0]["hash"]) == 32
    assert second.encode() not in rows[0]["hash"]
    assert second not in repr(await line(bus, client, admin))


@pytest.mark.parametrize("kind", ["browser", "native"])
async def test_what_cannot_keep_a_secret_gets_none(bus: Bus, admin: Caller, kind: str) -> None:
    client = (await bus.handle(wish(kind=kind), admin)).aggregate_id
    with pytest.raises(ClientRefused):
        await bus.ask(IssueClientSecret(client_id=client), admin)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"redirect_uris": ()}, "required"),
        ({"redirect_uris": ("javascript:alert(1)",)}, "bad-address"),
        ({"redirect_uris": ("http://clinic.example/cb",)}, "bad-address"),
        ({"redirect_uris": ("https://a.example/cb#x",)}, "bad-address"),
        ({"redirect_uris": ("https://*.example/cb",)}, "bad-address"),
        ({"redirect_uris": ("https://u:p@a.example/",)}, "bad-address"),
        ({"backchannel_uri": "ftp://a.example/"}, "bad-address"),
        ({"name": "Sal\u202eonre"}, "malformed"),
        ({"name": "<b>Salerno</b>"}, "malformed"),
        ({"scopes": ("everything",)}, "unknown-scope"),
        ({"scopes": ("system/*.rs",)}, "for-services"),
        ({"kind": "service", "redirect_uris": (), "scopes": ("openid",)}, "not-for-services"),
        ({"kind": "service", "scopes": ("records-api",)}, "not-for-services"),
        ({"jwks": "{}"}, "malformed"),
        ({"kind": "browser", "jwks": '{"keys": []}'}, "not-for-public"),
    ],
)
async def test_terms_that_make_no_sense_are_refused(bus: Bus, admin: Caller, changes: Any, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        await bus.handle(wish(**changes), admin)
    assert [error["code"] for error in refused.value.errors] == [code]


def key_set(*keys: Any, private: bool = False) -> str:
    return json.dumps({"keys": [key.as_dict(private=private) for key in keys]})


def test_keys_are_public_strong_and_named() -> None:
    good = ECKey.generate_key("P-256", {"kid": "one"})
    assert keys_of(key_set(good)) is not None
    assert keys_of(key_set(good, private=True)) is None
    assert keys_of(key_set(ECKey.generate_key("P-256"))) is None
    assert keys_of(key_set(RSAKey.generate_key(2048, {"kid": "r"}))) is not None
    with pytest.warns(SecurityWarning):
        weak = RSAKey.generate_key(1024, {"kid": "r"})
    assert keys_of(key_set(weak)) is None
    assert keys_of('{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "o"}]}') is None
    assert keys_of("[]") is None and keys_of("") is None and keys_of('{"keys": [1]}') is None


NATIVE = ClientTerms(
    name="n", kind="native", redirect_uris=("http://127.0.0.1/cb", "com.example.app:/cb"), scopes=("openid",)
)
WEB = ClientTerms(name="w", kind="web", redirect_uris=("http://127.0.0.1/cb", "https://a.example/cb"))


def test_t023_only_a_native_program_may_choose_its_loopback_port() -> None:
    assert is_registered("http://127.0.0.1:51234/cb", NATIVE)
    assert is_registered("com.example.app:/cb", NATIVE)
    assert not is_registered("http://127.0.0.1:51234/cb", WEB)
    assert not is_registered("http://127.0.0.1:51234/other", NATIVE)
    assert not is_registered("http://127.0.0.1:99999/cb", NATIVE)
    assert not is_registered("http://127.0.0.1:80@evil.example/cb", NATIVE)
    assert not is_registered("http://localhost:51234/cb", NATIVE)
    assert is_return_address("com.example.app:/cb", "native") and not is_return_address("com.example.app:/cb", "web")


@given(st.text(max_size=12), st.integers(0, 20))
def test_t023_no_other_string_is_a_registered_one(more: str, at: int) -> None:
    uri = WEB.redirect_uris[1]
    changed = uri[:at] + more + uri[at:]
    assert is_registered(changed, WEB) == (changed in WEB.redirect_uris)
