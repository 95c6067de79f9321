"""The life of a patient's record, told as examples."""

from datetime import date
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from salerno.contexts.patients.commands import (
    GiveConsent,
    GivenEmergencyContact,
    MergePatients,
    RegisterPatient,
    RemovePatient,
    RestorePatient,
    SetEmergencyContacts,
    UnmergePatients,
    UpdatePatient,
    WithdrawConsent,
)
from salerno.contexts.patients.errors import (
    AlreadyRegistered,
    CannotMerge,
    LikelyDuplicate,
    MergedAway,
    NoSuchConsent,
    NoSuchPatient,
    NotMerged,
    RemovedRecord,
)
from salerno.contexts.patients.events import (
    EVENTS,
    ConsentGiven,
    ConsentWithdrawn,
    EmergencyContact,
    PatientRegistered,
    PatientRemoved,
    PatientRestored,
    PatientsEvent,
    PatientsMerged,
    PatientsUnmerged,
    PatientUpdated,
    Person,
)
from salerno.contexts.patients.rules.patient import (
    PATIENT,
    Asked,
    Change,
    Duplicate,
    Merge,
    Patient,
    Registration,
    Status,
)
from salerno.contexts.patients.rules.person import Place
from salerno.kernel.errors import Invalid, Refused
from salerno.kernel.testing import ORIGIN, Scenario

MARIA = UUID("00000000-0000-7000-8000-000000000001")
DOUBLE = UUID("00000000-0000-7000-8000-000000000002")
SOMEBODY_ELSE = UUID("00000000-0000-7000-8000-000000000003")
HERE = Place(region="IT", today=date(2026, 3, 2))
PERSON = Person(given_name="Maria", family_name="Rossi", full_name="Maria Rossi", birth_date=date(1948, 3, 12))
REGISTERED = PatientRegistered(patient=MARIA, mrn="MRN-2026-000001", **msgspec.structs.asdict(PERSON))
REMOVED = PatientRemoved(patient=MARIA, reason="by mistake")
MERGED = PatientsMerged(patient=MARIA, into=SOMEBODY_ELSE)


def past(*events: PatientsEvent) -> Scenario[Patient, Asked, PatientsEvent]:
    return Scenario(PATIENT).given(*events)


def registration(wish: RegisterPatient, *alike: Duplicate, person: Person = PERSON) -> Registration:
    return Registration(wish, MARIA, person, wish.mrn or "MRN-2026-000001", alike)


def test_a_patient_is_registered_with_a_number() -> None:
    past().when(registration(RegisterPatient(full_name="Maria Rossi"))).then(REGISTERED)


def test_registering_the_same_again_changes_nothing_even_after_a_change() -> None:
    wish = registration(RegisterPatient(full_name="Maria Rossi", patient_id=MARIA))
    past(REGISTERED).when(wish).then_nothing()
    married = PatientUpdated(patient=MARIA, full_name="Maria Verdi", given_name="Maria", family_name="Verdi")
    past(REGISTERED, married).when(wish).then_nothing()
    other = registration(wish.wish, person=Person(full_name="Anna Verdi"))
    past(REGISTERED).when(other).then_refused(AlreadyRegistered)


def test_a_likely_duplicate_holds_the_registration_back_until_it_is_ruled_out() -> None:
    alike = Duplicate(DOUBLE, 0.99, ("given-name", "birth-date"))
    wish = RegisterPatient(full_name="Maria Rossi")
    refused = past().when(registration(wish, alike)).then_refused(LikelyDuplicate)
    assert refused.details["duplicates"] == [
        {"patient_id": str(DOUBLE), "score": 0.99, "reasons": ["given-name", "birth-date"]}
    ]
    sure = RegisterPatient(full_name="Maria Rossi", confirmed_not_duplicate=True)
    (event,) = past().when(registration(sure, alike)).events()
    assert isinstance(event, PatientRegistered)
    assert (event.confirmed_not_duplicate, event.resembles) == (True, (DOUBLE,))


def test_a_weak_likeness_holds_nobody_back() -> None:
    alike = Duplicate(DOUBLE, 0.89, ("birth-date",))
    past().when(registration(RegisterPatient(full_name="Maria Rossi"), alike)).then(REGISTERED)


def test_an_update_carries_the_whole_person_and_none_where_nothing_changes() -> None:
    change = Change(UpdatePatient(patient_id=MARIA, phone="333 1234567"), HERE)
    (event,) = past(REGISTERED).when(change).events()
    assert event == PatientUpdated(
        patient=MARIA, given_name="Maria", family_name="Rossi", full_name="Maria Rossi",
        birth_date=date(1948, 3, 12), phone="+393331234567",
    )  # fmt: skip
    past(REGISTERED, event).when(change).then_nothing()


def test_a_complete_update_empties_what_it_leaves_out() -> None:
    change = Change(UpdatePatient(patient_id=MARIA, full_name="Maria Rossi", complete=True), HERE)
    (event,) = past(REGISTERED).when(change).events()
    assert isinstance(event, PatientUpdated)
    assert event.birth_date is None


def test_emergency_contacts_are_set_as_a_whole() -> None:
    wish = SetEmergencyContacts(
        patient_id=MARIA, emergency_contacts=(GivenEmergencyContact(name="Anna", phone="333 7654321"),)
    )
    (event,) = past(REGISTERED).when(Change(wish, HERE)).events()
    assert isinstance(event, PatientUpdated)
    assert event.emergency_contacts == (EmergencyContact(name="Anna", phone="+393337654321"),)
    assert event.birth_date == date(1948, 3, 12)


def test_removing_is_undone_by_restoring() -> None:
    past(REGISTERED).when(RemovePatient(patient_id=MARIA, reason="by mistake")).then(REMOVED)
    past(REGISTERED, REMOVED).when(RemovePatient(patient_id=MARIA)).then_nothing()
    past(REGISTERED, REMOVED).when(Change(UpdatePatient(patient_id=MARIA), HERE)).then_refused(RemovedRecord)
    past(REGISTERED, REMOVED).when(RestorePatient(patient_id=MARIA)).then(PatientRestored(patient=MARIA))
    past(REGISTERED).when(RestorePatient(patient_id=MARIA)).then_nothing()


def test_a_duplicate_is_merged_into_a_record_in_use() -> None:
    wish = MergePatients(patient_id=SOMEBODY_ELSE, duplicate_id=MARIA)
    past(REGISTERED).when(Merge(wish, Status.ACTIVE)).then(MERGED)
    past(REGISTERED, MERGED).when(Merge(wish, Status.ACTIVE)).then_nothing()
    past(REGISTERED).when(Merge(wish, Status.REMOVED)).then_refused(CannotMerge)
    past(REGISTERED).when(Merge(wish, Status.MERGED)).then_refused(CannotMerge)
    past(REGISTERED).when(Merge(wish, Status.UNREGISTERED)).then_refused(NoSuchPatient)
    itself = MergePatients(patient_id=MARIA, duplicate_id=MARIA)
    past(REGISTERED).when(Merge(itself, Status.ACTIVE)).then_refused(CannotMerge)


def test_a_merged_record_says_where_it_went_until_it_is_unmerged() -> None:
    change = Change(UpdatePatient(patient_id=MARIA), HERE)
    refused = past(REGISTERED, MERGED).when(change).then_refused(MergedAway)
    assert refused.details == {"merged_into": str(SOMEBODY_ELSE)}
    undo = UnmergePatients(patient_id=SOMEBODY_ELSE, duplicate_id=MARIA)
    undone = PatientsUnmerged(patient=MARIA, from_=SOMEBODY_ELSE)
    past(REGISTERED, MERGED).when(undo).then(undone)
    past(REGISTERED).when(undo).then_refused(NotMerged)
    wrong = UnmergePatients(patient_id=DOUBLE, duplicate_id=MARIA)
    past(REGISTERED, MERGED).when(wrong).then_refused(NotMerged)
    assert past(REGISTERED, MERGED, undone).state() == past(REGISTERED).state()


def test_a_consent_holds_from_the_day_it_was_given_until_it_is_withdrawn() -> None:
    give = GiveConsent(patient_id=MARIA, scope="data-sharing", version="2026-01")
    given_ = ConsentGiven(patient=MARIA, scope="data-sharing", version="2026-01", given_on=date(2026, 3, 2))
    past(REGISTERED).when(give).then(given_)
    past(REGISTERED, given_).when(give).then_nothing()
    withdraw = WithdrawConsent(patient_id=MARIA, scope="data-sharing", reason="changed her mind")
    withdrawn = ConsentWithdrawn(
        patient=MARIA, scope="data-sharing", version="2026-01", withdrawn_on=date(2026, 3, 2), reason="changed her mind"
    )
    past(REGISTERED, given_).when(withdraw).then(withdrawn)
    past(REGISTERED, given_, withdrawn).when(withdraw).then_refused(NoSuchConsent)
    past(REGISTERED, given_, withdrawn).when(give).then(given_)


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        (GiveConsent(patient_id=MARIA, scope="Data Sharing!"), "scope"),
        (GiveConsent(patient_id=MARIA, scope="research", version=" "), "version"),
        (GiveConsent(patient_id=MARIA, scope="research", given_on=date(2026, 3, 4)), "given_on"),
        (GiveConsent(patient_id=MARIA, scope="research", expires_on=date(2026, 3, 1)), "expires_on"),
        (GiveConsent(patient_id=MARIA, scope="research", note="x" * 501), "note"),
    ],
)
def test_a_consent_that_makes_no_sense_is_refused(wish: GiveConsent, path: str) -> None:
    refused = past(REGISTERED).when(wish).then_refused(Invalid)
    assert isinstance(refused, Invalid)
    assert [error["path"] for error in refused.errors] == [path]


def test_nothing_can_be_asked_of_somebody_who_is_not_registered() -> None:
    for wish in (
        RemovePatient(patient_id=MARIA),
        RestorePatient(patient_id=MARIA),
        GiveConsent(patient_id=MARIA, scope="research"),
        UnmergePatients(patient_id=DOUBLE, duplicate_id=MARIA),
        Change(UpdatePatient(patient_id=MARIA), HERE),
    ):
        past().when(wish).then_refused(NoSuchPatient)


COMMANDS: some.SearchStrategy[Asked] = some.sampled_from(
    [
        registration(RegisterPatient(full_name="Maria Rossi")),
        Change(UpdatePatient(patient_id=MARIA, phone="333 1234567"), HERE),
        Change(UpdatePatient(patient_id=MARIA, phone=None), HERE),
        RemovePatient(patient_id=MARIA),
        RestorePatient(patient_id=MARIA),
        Merge(MergePatients(patient_id=SOMEBODY_ELSE, duplicate_id=MARIA), Status.ACTIVE),
        UnmergePatients(patient_id=SOMEBODY_ELSE, duplicate_id=MARIA),
        GiveConsent(patient_id=MARIA, scope="research"),
        WithdrawConsent(patient_id=MARIA, scope="research"),
    ]
)


@given(some.lists(COMMANDS, max_size=14))
def test_no_walk_of_commands_breaks_the_rules(commands: list[Asked]) -> None:
    history: list[PatientsEvent] = []
    for command in commands:
        try:
            history += PATIENT.decide(PATIENT.fold(history), command, ORIGIN)
        except Refused:
            continue
    states = [PATIENT.fold(history[:upto]) for upto in range(len(history) + 1)]
    assert sum(isinstance(event, PatientRegistered) for event in history) <= 1
    assert all((state.into is not None) == (state.status is Status.MERGED) for state in states)
    for before, event in zip(states, history, strict=False):
        if isinstance(event, PatientUpdated | ConsentGiven | ConsentWithdrawn | PatientsMerged | PatientRemoved):
            assert before.status is Status.ACTIVE


@given(some.one_of(*(some.builds(event) for event in EVENTS)))
def test_every_event_survives_the_log(event: PatientsEvent) -> None:
    assert msgspec.json.decode(msgspec.json.encode(event), type=PatientsEvent) == event


@pytest.mark.parametrize("command", [RegisterPatient, UpdatePatient, MergePatients, GiveConsent])
@pytest.mark.parametrize(
    "extra", ["status", "merged_into", "organisation", "hospital_id", "created_by", "recorded_at", "version_", "role"]
)
def test_t048_a_field_that_no_command_declares_is_refused(command: type, extra: str) -> None:
    body = {"patient_id": str(MARIA), "duplicate_id": str(DOUBLE), "scope": "research", "full_name": "Maria Rossi"}
    known = {name: value for name, value in body.items() if name in command.__struct_fields__}
    msgspec.convert(known, command)
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({**known, extra: "x"}, command)


def test_t048_a_field_that_an_address_does_not_declare_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"full_name": "Maria Rossi", "address": {"line1": "Via Roma", "owner": "x"}}, RegisterPatient)
