"""T085: the acts that must leave a record, one by one, and the record that each leaves."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
import pyotp
import pytest
from msgspec.structs import replace
from tests.identity.conftest import NOBODY, PASSWORD, Person

from salerno.app import ROOMS
from salerno.contexts.audit.queries import AccessEvents
from salerno.contexts.identity.commands import (
    ChallengePosed,
    ChangePassword,
    ChangeUserRole,
    ConfirmTotp,
    DeactivateUser,
    EndUserSessions,
    EnrolTotp,
    FoundCaller,
    Opened,
    ReactivateUser,
    RecoveryCodes,
    RegenerateRecoveryCodes,
    RemoveTotp,
    SignIn,
    SignOut,
    TotpSecret,
    UnlockUser,
    VerifySecondFactor,
)
from salerno.contexts.identity.commands.made_roles import DefineRole, RetireRole
from salerno.contexts.identity.errors import WrongCode, WrongCredentials
from salerno.contexts.organisations import events as chosen
from salerno.contexts.organisations.commands import ChangeSettings, RegisterOrganisation
from salerno.contexts.patients.commands import GiveConsent, RegisterPatient, WithdrawConsent
from salerno.contexts.patients.queries import PatientById
from salerno.contexts.prescribing.commands import IssuePrescription
from salerno.contexts.prescribing.events import Medication
from salerno.contexts.prescribing.queries import PrescriptionById
from salerno.contexts.protection.commands import BreakGlass, EndBreakGlass, RestrictChart, ReviewBreakGlass
from salerno.contexts.records.queries import Problems
from salerno.kernel.bus import Bus
from salerno.kernel.erasure import erase
from salerno.kernel.errors import NotAllowed
from salerno.kernel.export import export
from salerno.kernel.messages import Caller
from salerno.kernel.settings import Settings
from salerno.kernel.testing import MovableClock

Make: TypeAlias = Callable[..., Awaitable[Person]]
Enter: TypeAlias = Callable[..., Awaitable[Opened]]
Behind: TypeAlias = Callable[..., Awaitable[FoundCaller | None]]
NEW = "seven herons cross the marsh at dusk"
WHY = "She collapsed in the corridor."
SINCE = """
    SELECT position, event_type, aggregate_type, aggregate_id, user_id, "timestamp" AS at, metadata, event_data
    FROM kernel.event_store WHERE hospital_id = $1 AND position > $2 ORDER BY position"""
LOOKS = """
    SELECT position, user_id, role, action, category, outcome, purpose, address, request, at, subjects
    FROM kernel.access_log WHERE organisation = $1 AND position > $2 ORDER BY position"""


class Book:
    """What the logs of one organisation have gained since it was last looked at."""

    def __init__(self, bus: Bus, organisation: UUID) -> None:
        self.bus, self.organisation = bus, organisation
        self.events, self.looks = 0, 0

    async def read(self) -> tuple[list[Any], list[Any]]:
        async with self.bus.database.context("salerno_reader", None, "kernel") as connection:
            events = await connection.fetch(SINCE, self.organisation, self.events)
            looks = await connection.fetch(LOOKS, self.organisation, self.looks)
        self.events = max([self.events, *(row["position"] for row in events)])
        self.looks = max([self.looks, *(row["position"] for row in looks)])
        return events, looks

    async def has(self, *kinds: str, by: UUID, without: Sequence[str] = ()) -> None:
        """Each of these events was recorded by that account, with everything that ASTM E2147 wants, and sealed."""
        events, _ = await self.read()
        for kind in kinds:
            found = [row for row in events if row["event_type"] == kind]
            assert found, f"{kind} is not on record, but {[row['event_type'] for row in events]}"
            for row in found:
                self._is_whole(row, by)
        written = b"".join(bytes(row["event_data"]) + str(row["metadata"]).encode() for row in events)
        for secret in without:
            assert secret.encode() not in written

    def _is_whole(self, row: Any, by: UUID) -> None:
        said = msgspec.json.decode(row["metadata"])
        assert row["user_id"] == by, row["event_type"]
        assert row["at"].utcoffset() == timedelta() and said["happened_at"] and said["correlation"]
        assert row["event_data"][:1] in (b"\x01", b"\x02")

    async def was_looked(self, who: Caller, action: str, outcome: str, *subjects: UUID) -> None:
        _, looks = await self.read()
        (found,) = [row for row in looks if row["action"] == action]
        assert (found["user_id"], found["role"], found["outcome"]) == (who.actor, who.role, outcome)
        assert (found["purpose"], found["address"], found["request"]) == (who.purpose, who.address, who.request)
        assert tuple(found["subjects"]) == subjects
        assert found["at"].utcoffset() == timedelta()


@pytest.fixture
async def chief(bus: Bus, caller: Callable[..., Caller]) -> Caller:
    chief = caller("SUPER_ADMIN")
    wish = RegisterOrganisation(organisation_id=chief.organisation, kind="clinic", name="Poliambulatorio")
    await bus.handle(wish, chief)
    await bus.settled()
    return chief


@pytest.fixture
async def book(bus: Bus, chief: Caller) -> Book:
    book = Book(bus, chief.organisation)
    await book.read()
    return book


async def _signed_in(enter: Enter, behind: Behind, who: Person, **more: str) -> Caller:
    found = await behind((await enter(who, **more)).token)
    assert found is not None
    return found.caller


async def test_t085_coming_in_failing_to_and_going_out_are_on_record(
    bus: Bus, person: Make, enter: Enter, behind: Behind, book: Book, chief: Caller
) -> None:
    nurse = await person("NURSE", by=chief)
    await book.has("identity.account_created.v1", by=chief.actor, without=(PASSWORD, nurse.email))
    with pytest.raises(WrongCredentials):
        await bus.ask(SignIn(email=nurse.email, password="wrong horse"), NOBODY)
    events, _ = await book.read()
    assert [row["event_type"] for row in events] == ["identity.sign_in_failed.v1"]
    assert b"wrong horse" not in events[0]["event_data"]
    caller = await _signed_in(enter, behind, nurse)
    await book.has("identity.signed_in.v1", by=nurse.account, without=(PASSWORD,))
    await bus.ask(SignOut(), caller)
    await book.has("identity.signed_out.v1", by=nurse.account)


async def test_t085_passwords_and_factors_are_on_record_without_any_secret(
    bus: Bus, person: Make, enter: Enter, behind: Behind, book: Book, chief: Caller, clock: MovableClock, noon: datetime
) -> None:
    clock.set(noon)
    nurse = await person("NURSE", by=chief)
    caller = await _signed_in(enter, behind, nurse)
    await bus.ask(ChangePassword(current=PASSWORD, new=NEW), caller)
    await book.has("identity.password_changed.v1", by=nurse.account, without=(PASSWORD, NEW))
    made: TotpSecret = await bus.ask(EnrolTotp(password=NEW), caller)
    totp = pyotp.TOTP(made.secret)
    codes: RecoveryCodes = await bus.ask(ConfirmTotp(code=totp.at(noon)), caller)
    await book.has(
        "identity.second_factor_added.v1", "identity.recovery_codes_issued.v1", by=nurse.account,
        without=(made.secret, *codes.codes),
    )  # fmt: skip
    clock.set(noon + timedelta(minutes=1))
    posed = await bus.ask(SignIn(email=nurse.email, password=NEW), NOBODY)
    assert isinstance(posed, ChallengePosed)
    with pytest.raises(WrongCode):
        await bus.ask(VerifySecondFactor(challenge=posed.challenge, code="AAAA-AAAA-AAAA-AAAA"), NOBODY)
    events, _ = await book.read()
    assert "identity.sign_in_failed.v1" in {row["event_type"] for row in events}
    await bus.ask(VerifySecondFactor(challenge=posed.challenge, code=codes.codes[0]), NOBODY)
    await book.has("identity.recovery_code_used.v1", "identity.signed_in.v1", by=nurse.account)
    fresh: RecoveryCodes = await bus.ask(RegenerateRecoveryCodes(password=NEW), caller)
    await book.has("identity.recovery_codes_issued.v1", by=nurse.account, without=fresh.codes)
    await bus.ask(RemoveTotp(password=NEW, code=totp.at(noon + timedelta(minutes=1))), caller)
    await book.has("identity.second_factor_removed.v1", by=nurse.account)


async def test_t085_rights_given_changed_and_taken_are_on_record(
    bus: Bus, person: Make, enter: Enter, book: Book, chief: Caller
) -> None:
    nurse = await person("NURSE", by=chief)
    await enter(nurse)
    await book.read()
    role = (await bus.handle(DefineRole(title="Triage", permissions={"patients.read": "yes"}), chief)).aggregate_id
    acts: list[tuple[Any, str]] = [
        (ChangeUserRole(account_id=nurse.account, role="RECEPTIONIST"), "identity.account_role_changed.v1"),
        (EndUserSessions(account_id=nurse.account), ""),
        (DeactivateUser(account_id=nurse.account), "identity.account_deactivated.v1"),
        (ReactivateUser(account_id=nurse.account), "identity.account_reactivated.v1"),
        (RetireRole(role_id=role), "identity.role_retired.v1"),
    ]
    await book.has("identity.role_defined.v1", by=chief.actor)
    for wish, kind in acts:
        await bus.handle(wish, chief)
        if kind:
            await book.has(kind, by=chief.actor)
    for _ in range(10):
        with pytest.raises(WrongCredentials):
            await bus.ask(SignIn(email=nurse.email, password="wrong horse"), NOBODY)
    await book.read()
    await bus.handle(UnlockUser(account_id=nurse.account), chief)
    await book.has("identity.account_unlocked.v1", by=chief.actor)


async def test_t085_settings_consents_and_restrictions_are_on_record(bus: Bus, book: Book, chief: Caller) -> None:
    await bus.handle(ChangeSettings(idle_minutes_default=20), chief)
    await book.has("organisations.organisation_settings_changed.v1", by=chief.actor)
    ada = await _ada(bus, chief)
    await book.has("patients.patient_registered.v1", by=chief.actor, without=("Rossi",))
    await bus.handle(GiveConsent(patient_id=ada, scope="treatment", given_on=date(2026, 1, 5)), chief)
    await book.has("patients.consent_given.v1", by=chief.actor)
    await bus.handle(WithdrawConsent(patient_id=ada, scope="treatment"), chief)
    await book.has("patients.consent_withdrawn.v1", by=chief.actor)
    await bus.handle(RestrictChart(patient_id=ada, reason="vip"), chief)
    await book.has("protection.chart_restricted.v1", by=chief.actor)


async def test_t085_broken_glass_its_end_and_its_review_are_on_record(
    bus: Bus, book: Book, chief: Caller, person: Make, caller: Callable[..., Caller]
) -> None:
    ada = await _ada(bus, chief)
    doctor = replace(caller("DOCTOR"), actor=(await person("DOCTOR", by=chief)).account)
    await bus.handle(RestrictChart(patient_id=ada, reason="vip"), chief)
    await bus.settled()
    await book.read()
    glass = (await bus.handle(BreakGlass(patient_id=ada, reason="emergency", explanation=WHY), doctor)).aggregate_id
    await book.has("protection.glass_broken.v1", by=doctor.actor, without=(WHY,))
    await bus.ask(PatientById(patient_id=ada), doctor)
    _, looks = await book.read()
    assert [(row["user_id"], row["outcome"], row["purpose"]) for row in looks] == [
        (doctor.actor, "disclosed", "break-glass:emergency")
    ]
    await bus.handle(EndBreakGlass(glass_id=glass), doctor)
    await book.has("protection.glass_ended.v1", by=doctor.actor)
    await bus.handle(ReviewBreakGlass(glass_id=glass, outcome="justified"), chief)
    await book.has("protection.glass_reviewed.v1", by=chief.actor)


async def _ada(bus: Bus, who: Caller) -> UUID:
    wish = RegisterPatient(full_name="Ada Rossi", date_of_birth=date(1950, 12, 10), confirmed_not_duplicate=True)
    return (await bus.handle(wish, who)).aggregate_id


async def test_t085_looks_refusals_reports_prints_and_exports_are_on_record(
    bus: Bus, book: Book, chief: Caller, caller: Callable[..., Caller], tmp_path: Path
) -> None:
    doctor, receptionist = caller("DOCTOR"), caller("RECEPTIONIST")
    ada = await _ada(bus, chief)
    await book.read()
    await bus.ask(PatientById(patient_id=ada), doctor)
    await book.was_looked(doctor, "PatientById", "disclosed", ada)
    with pytest.raises(NotAllowed):
        await bus.ask(Problems(patient_id=ada), receptionist)
    await book.was_looked(receptionist, "Problems", "denied")
    await bus.ask(AccessEvents(patient_id=ada), chief)
    await book.was_looked(chief, "AccessEvents", "disclosed", ada)
    tablet = Medication(name="Paracetamol 500 mg", dosage="500 mg", frequency="once daily")
    sheet = (await bus.handle(IssuePrescription(patient_id=ada, medications=(tablet,)), doctor)).aggregate_id
    await bus.ask(PrescriptionById(prescription_id=sheet), doctor)  # what the printed page asks
    await book.was_looked(doctor, "PrescriptionById", "disclosed", ada)
    await export(bus, chief, tmp_path / "out", lambda *_: None)
    _, looks = await book.read()
    (taken,) = [row for row in looks if row["action"] == "Export"]
    assert (taken["user_id"], taken["outcome"]) == (chief.actor, "disclosed") and ada in taken["subjects"]


async def test_t085_an_erasure_is_on_record_and_says_nothing_of_who_it_was(bus: Bus, book: Book, chief: Caller) -> None:
    ada = await _ada(bus, chief)
    await book.read()
    await erase(bus, ROOMS, chief, ada, "asked by Ada Rossi herself")
    await book.has("kernel.subject_erased.v1", by=chief.actor, without=("Rossi", "asked"))


def test_t085_no_setting_of_the_product_switches_the_logs_off() -> None:
    names = {*Settings.__struct_fields__, *chosen.Settings.__struct_fields__}
    assert not [name for name in names if "audit" in name or "access_log" in name]
