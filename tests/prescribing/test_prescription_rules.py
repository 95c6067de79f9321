"""The life of a prescription and of a medicine, told as examples."""

from uuid import UUID

from salerno.contexts.prescribing.commands import (
    CancelPrescription,
    ChangePrescription,
    IssuePrescription,
    RecordMedication,
    SignPrescription,
    StopMedication,
    StopRecordedMedication,
)
from salerno.contexts.prescribing.errors import (
    NoSuchLine,
    NoSuchMedicine,
    NoSuchPrescription,
    NotADraft,
    NotSigned,
    NotWhatYouSaw,
    PrescriptionExists,
    PrescriptionIsCancelled,
    UnansweredAlerts,
)
from salerno.contexts.prescribing.events import (
    Alert,
    AlertOverridden,
    Medication,
    MedicationRecorded,
    MedicationStopped,
    Override,
    PrescriptionCancelled,
    PrescriptionDrafted,
    PrescriptionSigned,
    RecordedMedicationStopped,
    Wording,
)
from salerno.contexts.prescribing.rules.medicine import MEDICINE, Recording
from salerno.contexts.prescribing.rules.prescription import (
    PRESCRIPTION,
    Issuing,
    Screening,
    Signing,
    content_hash,
    signature,
)
from salerno.kernel.testing import ORIGIN, SOMEBODY, THEN, Scenario

ID, ADA, VISIT = (UUID(int=nth) for nth in (1, 2, 3))
LINES = (Medication(name="warfarin 5 mg"), Medication(name="ibuprofen 400 mg"))
HASH = content_hash(ID, ADA, VISIT, LINES, "I48")
WISH = IssuePrescription(patient_id=ADA, visit_id=VISIT, medications=LINES, diagnosis="I48")
DRAFTED = PrescriptionDrafted(
    prescription=ID,
    patient=ADA,
    prescriber=SOMEBODY,
    visit=VISIT,
    medications=LINES,
    diagnosis="I48",
    content_hash=HASH,
)
GRAVE = Alert(
    key="ddi-1:ibuprofen+warfarin", code="interaction", rule="ddi-1", severity="major", interrupts=True,
    title=Wording(en="Bleeding", it="Sanguinamento"),
)  # fmt: skip
MILD = Alert(
    key="ddi-2", code="interaction", rule="ddi-2", severity="moderate", interrupts=False, title=Wording(en="m", it="m")
)
CLEAR, AGAINST = Screening((), "v1"), Screening((GRAVE, MILD), "v1")
SIGNED = PrescriptionSigned(
    prescription=ID, patient=ADA, signer=SOMEBODY, signed_at=THEN, content_hash=HASH,
    signature=signature(HASH, SOMEBODY, THEN), tables="v1",
)  # fmt: skip
CANCELLED = PrescriptionCancelled(prescription=ID, patient=ADA, reason="mistake")
SIGN = SignPrescription(prescription_id=ID)


def given(*events: object) -> Scenario:  # type: ignore[type-arg]
    return Scenario(PRESCRIPTION).given(*events)


def test_a_prescription_begins_as_a_draft() -> None:
    given().when(Issuing(WISH, ID)).then(DRAFTED)


def test_the_same_wish_again_changes_nothing_and_another_is_refused() -> None:
    given(DRAFTED).when(Issuing(WISH, ID)).then_nothing()
    given(DRAFTED, SIGNED).when(Issuing(WISH, ID, CLEAR)).then_nothing()
    other = IssuePrescription(patient_id=ADA, medications=LINES[:1])
    given(DRAFTED).when(Issuing(other, ID)).then_refused(PrescriptionExists)


def test_issuing_with_signature_finishes_a_draft_that_was_left() -> None:
    given().when(Issuing(WISH, ID, CLEAR)).then(DRAFTED, SIGNED)
    given(DRAFTED).when(Issuing(WISH, ID, CLEAR)).then(SIGNED)


def test_an_alert_that_interrupts_is_answered_or_nothing_is_signed() -> None:
    refusal = given(DRAFTED).when(Signing(SIGN, AGAINST)).then_refused(UnansweredAlerts)
    assert [alert["key"] for alert in refusal.details["alerts"]] == [GRAVE.key]
    answered = SignPrescription(
        prescription_id=ID, overrides=(Override(alert=GRAVE.key, reason=" known, INR weekly "),)
    )
    overridden = AlertOverridden(
        prescription=ID, patient=ADA, prescriber=SOMEBODY, alert=GRAVE, reason="known, INR weekly"
    )
    signed = PrescriptionSigned(
        prescription=ID, patient=ADA, signer=SOMEBODY, signed_at=THEN, content_hash=HASH,
        signature=signature(HASH, SOMEBODY, THEN), tables="v1", alerts=(GRAVE, MILD),
    )  # fmt: skip
    given(DRAFTED).when(Signing(answered, AGAINST)).then(overridden, signed)


def test_a_reason_for_another_alert_answers_nothing() -> None:
    elsewhere = SignPrescription(prescription_id=ID, overrides=(Override(alert="ddi-9", reason="whatever"),))
    given(DRAFTED).when(Signing(elsewhere, AGAINST)).then_refused(UnansweredAlerts)


def test_only_what_was_seen_is_signed() -> None:
    seen = SignPrescription(prescription_id=ID, content_hash="0" * 64)
    refusal = given(DRAFTED).when(Signing(seen, CLEAR)).then_refused(NotWhatYouSaw)
    assert refusal.details["content_hash"] == HASH


def test_a_changed_draft_is_signed_as_changed() -> None:
    change = ChangePrescription(prescription_id=ID, medications=LINES[:1], diagnosis="I48")
    changed = given(DRAFTED).when(change).events()
    (signed,) = given(DRAFTED, *changed).when(Signing(SIGN, CLEAR)).events()
    assert isinstance(signed, PrescriptionSigned)
    assert signed.content_hash == content_hash(ID, ADA, VISIT, LINES[:1], "I48") != HASH
    same = ChangePrescription(prescription_id=ID, medications=LINES, diagnosis="I48")
    given(DRAFTED).when(same).then_nothing()


def test_once_signed_it_never_changes() -> None:
    change = ChangePrescription(prescription_id=ID, medications=LINES[:1])
    given(DRAFTED, SIGNED).when(change).then_refused(NotADraft)
    given(DRAFTED, SIGNED).when(Signing(SIGN, CLEAR)).then_refused(NotADraft)
    given(DRAFTED, CANCELLED).when(Signing(SIGN, CLEAR)).then_refused(NotADraft)


def test_the_signature_covers_every_word_and_who_and_when() -> None:
    hashes = {
        HASH,
        content_hash(ID, ADA, VISIT, LINES[::-1], "I48"),
        content_hash(ID, ADA, VISIT, LINES, "I49"),
        content_hash(ID, ADA, None, LINES, "I48"),
        content_hash(ID, VISIT, VISIT, LINES, "I48"),
        content_hash(VISIT, ADA, VISIT, LINES, "I48"),
        content_hash(ID, ADA, VISIT, (LINES[0], Medication(name="ibuprofen 600 mg")), "I48"),
    }
    assert len(hashes) == 7
    assert signature(HASH, SOMEBODY, THEN) != signature(HASH, ADA, THEN)


def test_it_can_be_cancelled_once_with_a_reason() -> None:
    wish = CancelPrescription(prescription_id=ID, reason=" mistake ")
    given(DRAFTED).when(wish).then(CANCELLED)
    given(DRAFTED, SIGNED).when(wish).then(CANCELLED)
    given(DRAFTED, CANCELLED).when(wish).then_nothing()
    given().when(wish).then_refused(NoSuchPrescription)


def test_a_line_of_a_signed_prescription_can_be_stopped_once() -> None:
    wish = StopMedication(prescription_id=ID, line=1, reason="bleeding")
    stopped = MedicationStopped(prescription=ID, patient=ADA, line=1, stopped_at=THEN, reason="bleeding")
    given(DRAFTED, SIGNED).when(wish).then(stopped)
    given(DRAFTED, SIGNED, stopped).when(wish).then_nothing()
    given(DRAFTED).when(wish).then_refused(NotSigned)
    given(DRAFTED, SIGNED, CANCELLED).when(wish).then_refused(PrescriptionIsCancelled)
    beyond = StopMedication(prescription_id=ID, line=2, reason="bleeding")
    given(DRAFTED, SIGNED).when(beyond).then_refused(NoSuchLine)


def test_a_medicine_from_elsewhere_is_recorded_once_and_stopped_once() -> None:
    wish = Recording(RecordMedication(patient_id=ADA, medication=LINES[0], started_at=THEN), ID)
    recorded = MedicationRecorded(medicine=ID, patient=ADA, medication=LINES[0], started_at=THEN)
    stop = StopRecordedMedication(medicine_id=ID, reason="allergic")
    stopped = RecordedMedicationStopped(medicine=ID, patient=ADA, stopped_at=THEN, reason="allergic")
    Scenario(MEDICINE).when(wish).then(recorded)
    Scenario(MEDICINE).given(recorded).when(wish).then_nothing()
    Scenario(MEDICINE).given(recorded, stopped).when(wish).then_nothing()
    Scenario(MEDICINE).given(recorded).when(stop).then(stopped)
    Scenario(MEDICINE).given(recorded, stopped).when(stop).then_nothing()
    Scenario(MEDICINE).when(stop).then_refused(NoSuchMedicine)
    assert ORIGIN.happened_at == THEN
