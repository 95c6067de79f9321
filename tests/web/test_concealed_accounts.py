"""The pages of accounts, where one of them is a restricted patient's."""

from collections.abc import Callable
from uuid import UUID, uuid4

import httpx
import pytest
from msgspec.structs import replace
from tests.protection.conftest import Ward

from salerno.contexts.identity.commands import ClaimChart, CreateUser, IssueChartCode
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

SiteClient = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def ward(bus: Bus, caller: Callable[..., Caller]) -> Ward:
    return await Ward(bus, caller).founded()


@pytest.fixture
async def concealed(bus: Bus, ward: Ward) -> UUID:
    patient = await ward.patient("Olga Quintavalle")
    wish = CreateUser(
        email=f"olga.{uuid4().hex[:12]}@example.com", given_name="Olga", family_name="Quintavalle", role="PATIENT"
    )
    account = (await bus.handle(wish, ward.chief)).aggregate_id
    code = await bus.ask(IssueChartCode(patient_id=patient), ward.make("RECEPTIONIST"))
    await bus.ask(ClaimChart(code=code.code), replace(ward.make("PATIENT"), actor=account))
    await ward.restrict(patient)
    return account


@pytest.mark.parametrize(("language", "said"), [("en", "Name withheld"), ("it", "Nome riservato")])
async def test_t043_the_pages_of_accounts_withhold_name_and_address(
    ward: Ward, concealed: UUID, sign_in: SiteClient, admin: Caller, language: str, said: str
) -> None:
    client = sign_in(admin, language)
    one = f"/settings/accounts/{concealed}"
    for path in ("/settings/accounts", one, f"{one}/sign-ins"):
        page = await client.get(path)
        assert page.status_code == 200, path
        assert said in page.text, path
        assert "Olga" not in page.text
        assert "olga." not in page.text
    explain = await client.get("/settings/roles/explain")
    assert str(concealed) not in explain.text
