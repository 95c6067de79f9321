"""What the tables say beyond pairs: doses, kidneys, pregnancy, diseases, age; and that nothing stays silent."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from salerno.contexts.prescribing.data.tables import tables
from salerno.contexts.prescribing.events import Alert, Dose, Medication
from salerno.contexts.prescribing.rules.facts import Allergy, Facts, Problem
from salerno.contexts.prescribing.rules.screening import screen

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
ADULT = Facts(age=50, sex="male", weight=80, creatinine=0.9, pregnant=False, asked_about_allergies=True)
OLD = replace(ADULT, age=82, weight=58, creatinine=1.0)
WOMAN = replace(ADULT, age=30, sex="female", weight=60, creatinine=0.7)


def line(name: str, dosage: str = "", frequency: str = "", duration: str = "") -> Medication:
    return Medication(name=name, dosage=dosage, frequency=frequency, duration=duration)


def screened(order: Medication, facts: Facts = ADULT, *current: str) -> list[Alert]:
    taken = tuple(Medication(name=name) for name in current)
    return screen([order], replace(facts, medicines=taken))


def found(alerts: list[Alert], code: str) -> list[tuple[str, str]]:
    return [(alert.severity, alert.title.en) for alert in alerts if alert.code == code]


# ------------------------------------------------------------------ doses
@pytest.mark.parametrize(
    ("order", "facts", "severity"),
    [
        (line("paracetamol 1000 mg", "1 cp", "4 volte al giorno"), ADULT, None),
        (line("paracetamol 1000 mg", "1 cp", "5 volte al giorno"), ADULT, "major"),
        (line("paracetamol", "1 g", "every 6 hours"), replace(ADULT, weight=45), "major"),
        (line("ibuprofen", "600 mg", "tid"), ADULT, None),
        (line("ibuprofen", "600 mg", "tid"), OLD, "major"),
        (line("apixaban", "5 mg", "twice a day"), replace(OLD, problems=(Problem("I48.0", ICD),)), "major"),
        (line("apixaban", "2.5 mg", "twice a day"), replace(OLD, problems=(Problem("I48.0", ICD),)), None),
        (line("citalopram 40 mg", "1", "daily"), ADULT, None),
        (line("citalopram 40 mg", "1", "daily"), OLD, "major"),
        (line("digoxin", "250 mcg", "once daily"), OLD, "major"),
        (line("methotrexate", "10 mg", "once weekly"), ADULT, None),
        (line("methotrexate", "10 mg", "once daily"), ADULT, "contraindicated"),
        (line("methotrexate", "2.5 mg", "daily"), ADULT, "contraindicated"),
        (line("alendronic acid 70 mg", "1 tablet", "once weekly"), ADULT, None),
        (line("alendronic acid 70 mg", "1 tablet", "daily"), ADULT, "major"),
        (line("enoxaparin", "8000 IU", "twice a day"), ADULT, None),
        (line("enoxaparin", "10000 IU", "twice a day"), ADULT, "major"),
    ],
)
def test_a_ceiling_holds_for_this_patient(order: Medication, facts: Facts, severity: str | None) -> None:
    ceilings = [severity for severity, _ in found(screened(order, facts), "dose-ceiling")]
    assert ceilings == ([severity] if severity else [])


def test_the_ceiling_is_told_in_numbers_and_in_both_languages() -> None:
    (alert,) = (a for a in screened(line("paracetamol", "1 g", "5 times a day")) if a.code == "dose-ceiling")
    assert alert.title.en == "Paracetamol: 5 g a day, ceiling 4 g"
    assert alert.title.it == "Paracetamolo: 5 g al giorno, massimo 4 g"


def test_a_structured_dose_is_checked_like_a_written_one() -> None:
    order = Medication(name="ramipril", dose=Dose(amount=10, unit="mg", times_per_day=2))
    assert found(screened(order), "dose-ceiling") == [("major", "Ramipril: 20 mg a day, ceiling 10 mg")]


def test_another_product_with_the_same_ingredient_adds_to_the_dose() -> None:
    current = Medication(name="Co-codamol 500 mg/30 mg", dosage="2 tablets", frequency="4 times a day")
    order = line("paracetamol 500 mg", "1 tablet", "twice a day")
    alerts = screen([order], replace(ADULT, medicines=(current,)))
    assert found(alerts, "dose-ceiling") == [("major", "Paracetamol: 5 g a day, ceiling 4 g")]


def test_a_renewal_is_not_added_to_what_it_renews() -> None:
    order = line("paracetamol 1000 mg", "1 tablet", "3 times a day")
    alerts = screen([order], replace(ADULT, medicines=(order,)))
    assert found(alerts, "dose-ceiling") == []
    assert found(alerts, "duplicate-ingredient") == [("moderate", "Paracetamol: is there twice")]


@pytest.mark.parametrize(
    ("name", "creatinine", "severity"),
    [("metformin", 2.6, "contraindicated"), ("dabigatran", 3.5, "contraindicated"), ("nitrofurantoin", 1.9, "major")],
)
def test_a_failing_kidney_forbids(name: str, creatinine: float, severity: str) -> None:
    alerts = screened(line(name, "50 mg", "daily"), replace(ADULT, creatinine=creatinine))
    assert [one for one, _ in found(alerts, "dose-avoid")] == [severity]


def test_gabapentin_follows_the_clearance_step_by_step() -> None:
    ceilings = {}
    for creatinine in (0.9, 1.5, 2.5, 4.5, 9.0):
        facts = replace(ADULT, creatinine=creatinine)
        (alert,) = (
            a for a in screened(line("gabapentin", "1200 mg", "4 times a day"), facts) if a.code == "dose-ceiling"
        )
        ceilings[creatinine] = alert.title.en.rsplit(" ", 2)[-2:]
    assert ceilings == {
        0.9: ["3.6", "g"], 1.5: ["1.8", "g"], 2.5: ["900", "mg"], 4.5: ["600", "mg"], 9.0: ["300", "mg"],
    }  # fmt: skip


def test_an_unreadable_dose_is_said() -> None:
    assert found(screened(line("ramipril", "as discussed")), "dose-not-checked") == [
        ("info", "Ramipril: dose not read, not checked")
    ]


def test_an_ingredient_without_a_ceiling_is_said() -> None:
    assert found(screened(line("betahistine", "8 mg", "tid")), "dose-no-rule") == [
        ("info", "Betahistine: no dose ceiling in the tables, dose not checked")
    ]


def test_unknown_kidneys_are_said_when_a_rule_asks_for_them() -> None:
    alerts = screened(line("metformin", "1 g", "bid"), replace(ADULT, creatinine=None))
    assert found(alerts, "fact-missing") == [
        ("info", "Metformin: dose not checked against kidney function, which is not known")
    ]


def test_a_child_is_measured_by_weight() -> None:
    child = Facts(age=6, sex="male", weight=20, asked_about_allergies=True)
    assert found(screened(line("paracetamol", "300 mg", "every 6 hours"), child), "dose-ceiling") == []
    assert found(screened(line("paracetamol", "500 mg", "every 6 hours"), child), "dose-ceiling") == [
        ("major", "Paracetamol: 2 g a day, ceiling 1.5 g")
    ]
    assert found(screened(line("codeine", "15 mg", "tid"), child), "dose-avoid") == [
        ("contraindicated", "Codeine: avoid, under 12 years")
    ]
    assert found(screened(line("ramipril", "2.5 mg", "daily"), child), "dose-adult-only") != []


def test_a_short_course_that_is_long_is_told() -> None:
    assert found(screened(line("ketorolac", "10 mg", "bid", "10 days")), "dose-duration") == [
        ("major", "Ketorolac: at most 5 days")
    ]
    assert found(screened(line("ketorolac", "10 mg", "bid", "3 days")), "dose-duration") == []
    assert found(screened(line("ketorolac", "10 mg", "bid")), "dose-duration") == [
        ("info", "Ketorolac: at most 5 days")
    ]


# ------------------------------------------------------------------ the patient
@pytest.mark.parametrize(
    ("name", "severity"),
    [("ramipril", "contraindicated"), ("warfarin", "contraindicated"), ("valproate", "contraindicated"),
     ("isotretinoin", "contraindicated"), ("methotrexate", "contraindicated"), ("atorvastatin", "major"),
     ("doxycycline", "major"), ("ibuprofen", "contraindicated"), ("paracetamol", None), ("amoxicillin", None)],
)  # fmt: skip
def test_a_pregnancy_is_answered(name: str, severity: str | None) -> None:
    pregnant = replace(WOMAN, pregnant=None, problems=(Problem("Z34.9", ICD, "Pregnancy"),))
    severities = [one for one, _ in found(screened(line(name), pregnant), "pregnancy")]
    assert severities == ([severity] if severity else [])


def test_an_early_pregnancy_only_advises_against_ibuprofen() -> None:
    early = replace(WOMAN, pregnant=True, weeks=10)
    assert [one for one, _ in found(screened(line("ibuprofen"), early), "pregnancy")] == ["moderate"]


def test_a_pregnancy_nobody_asked_about_is_said() -> None:
    alerts = screened(line("ramipril"), replace(WOMAN, pregnant=None))
    assert "Ramipril: not checked against pregnancy, which is not known" in [
        title for _, title in found(alerts, "fact-missing")
    ]
    assert found(screened(line("ramipril"), ADULT), "pregnancy") == []


@pytest.mark.parametrize(
    ("name", "code", "severity"),
    [
        ("propranolol", "J45.9", "contraindicated"), ("timolol eye drops", "J45.9", "contraindicated"),
        ("naproxen", "I50.9", "major"), ("verapamil", "I50.2", "major"), ("pioglitazone", "I50.9", "contraindicated"),
        ("naproxen", "N18.3", "major"), ("metoclopramide", "G20", "contraindicated"),
        ("haloperidol", "G20", "contraindicated"), ("ibuprofen", "K25.9", "contraindicated"),
        ("oxybutynin", "F03.90", "major"), ("oxybutynin", "H40.20", "major"), ("tolterodine", "R33.9", "major"),
        ("hydrochlorothiazide", "M10.9", "moderate"), ("tramadol", "G40.909", "major"),
        ("bupropion", "G40.909", "contraindicated"), ("citalopram", "I45.81", "contraindicated"),
        ("amlodipine", "I50.9", None), ("bisoprolol", "I50.9", None), ("domperidone", "G20", None),
    ],
)  # fmt: skip
def test_a_disease_is_answered(name: str, code: str, severity: str | None) -> None:
    facts = replace(ADULT, problems=(Problem(code, ICD),))
    assert [one for one, _ in found(screened(line(name), facts), "condition")] == ([severity] if severity else [])


def test_a_problem_in_another_coding_is_known_by_its_words() -> None:
    facts = replace(ADULT, problems=(Problem("195967001", "http://snomed.info/sct", "Asthma (disorder)"),))
    assert [one for one, _ in found(screened(line("propranolol"), facts), "condition")] == ["contraindicated"]


def test_old_age_is_answered() -> None:
    assert [one for one, _ in found(screened(line("diazepam"), OLD), "geriatric")] == ["moderate"]
    assert found(screened(line("diazepam"), ADULT), "geriatric") == []


def test_the_triple_whammy_takes_three() -> None:
    assert found(screened(line("ibuprofen"), ADULT, "ramipril", "furosemide"), "combination") == [
        ("moderate", "triple whammy: acute kidney injury")
    ]
    assert found(screened(line("ibuprofen"), ADULT, "ramipril", "amlodipine"), "combination") == []
    assert found(screened(line("amlodipine"), ADULT, "ramipril", "furosemide", "ibuprofen"), "combination") == []


def test_three_sedatives_interrupt() -> None:
    alerts = screened(line("mirtazapine"), ADULT, "quetiapine", "gabapentin")
    assert found(alerts, "combination") == [("major", "three medicines that depress the brain")]


def test_the_anticholinergic_burden_is_summed() -> None:
    assert found(screened(line("solifenacin"), OLD, "digoxin", "furosemide"), "anticholinergic-burden") == [
        ("moderate", "Anticholinergic burden 5")
    ]


# ------------------------------------------------------------------ never silent
def test_a_medicine_that_no_table_knows_is_said() -> None:
    assert found(screened(line("xyzumab 10 mg")), "unknown-medicine") == [
        ("moderate", "xyzumab 10 mg: not in the tables, not checked")
    ]
    assert found(screened(line("ramipril"), ADULT, "xyzumab"), "unknown-medicine") == [
        ("info", "xyzumab: not in the tables, not checked")
    ]


def test_half_a_combination_that_no_table_knows_is_said() -> None:
    assert found(screened(line("ramipril + xyzumab")), "unknown-medicine") == [
        ("moderate", "xyzumab: not in the tables, not checked")
    ]


def test_a_slip_of_the_pen_is_read_and_said() -> None:
    alerts = screened(line("warfarine"), ADULT, "ibuprofen")
    assert found(alerts, "read-as") == [("moderate", "“warfarine” was read as warfarin")]
    assert [one for one, _ in found(alerts, "interaction")] == ["major"]


def test_an_allergy_that_no_table_knows_is_said() -> None:
    facts = replace(ADULT, allergies=(Allergy("Zorblaxin"),))
    assert found(screened(line("ramipril"), facts), "allergy-not-checked") == [
        ("info", "Allergy to Zorblaxin: not in the tables, not checked")
    ]


def test_a_refuted_allergy_is_silent_and_an_intolerance_never_interrupts() -> None:
    refuted = replace(ADULT, allergies=(Allergy("amoxicillin", reaction="anaphylaxis", certainty="refuted"),))
    assert found(screened(line("amoxicillin"), refuted), "allergy") == []
    nausea = replace(ADULT, allergies=(Allergy("codeine", reaction="nausea and vomiting"),))
    assert [one for one, _ in found(screened(line("codeine"), nausea), "allergy")] == ["info"]


def test_no_allergy_recorded_is_said_until_somebody_asked() -> None:
    unasked = replace(ADULT, asked_about_allergies=False)
    assert found(screened(line("ramipril"), unasked), "allergies-not-recorded") != []
    assert found(screened(line("ramipril"), ADULT), "allergies-not-recorded") == []


def test_every_alert_has_its_words_in_both_languages_and_its_source() -> None:
    order = [line(name) for name in ("warfarin", "ibuprofen", "simvastatin", "clarithromycin", "xyzumab", "digoxin")]
    for alert in screen(order, Facts()):
        assert alert.title.en and alert.title.it and alert.source, alert
        assert bool(alert.mechanism.en) == bool(alert.mechanism.it)
        assert bool(alert.management.en) == bool(alert.management.it)


# ------------------------------------------------------------------ whatever is asked
NAMES = sorted(
    name
    for name, one in tables().ingredients.items()
    if one.classes
    & {"NSAID", "SSRI", "VKA", "DOAC", "STATIN", "ACEI", "BENZODIAZEPINE", "OPIOID", "MACROLIDE", "QT_KNOWN"}
)
some_names = some.lists(some.sampled_from(NAMES), min_size=2, max_size=5, unique=True)


def keys(alerts: list[Alert]) -> set[tuple[str, tuple[str, ...], str]]:
    return {(a.code, a.ingredients, a.severity) for a in alerts if a.code in ("interaction", "duplicate-class")}


@given(some_names)
@settings(max_examples=60, deadline=None)
def test_a_pair_says_the_same_whichever_was_there_first(names: list[str]) -> None:
    one, other = names[:2]
    assert keys(screened(line(one), ADULT, other)) == keys(screened(line(other), ADULT, one))


@given(some_names, some.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_lines_changes_nothing(names: list[str], chance: object) -> None:
    lines = [line(name) for name in names]
    shuffled = sorted(lines, key=lambda one: hash((one.name, str(chance))))
    assert screen(lines, OLD) == screen(shuffled, OLD)


@given(some_names, some.sampled_from(NAMES))
@settings(max_examples=60, deadline=None)
def test_more_medicines_never_mean_fewer_interruptions(names: list[str], more: str) -> None:
    before = {a.key for a in screened(line(names[0]), OLD, *names[1:]) if a.interrupts and a.code != "combination"}
    after = {a.key for a in screened(line(names[0]), OLD, *names[1:], more) if a.interrupts}
    assert before <= after


@given(some_names)
@settings(max_examples=40, deadline=None)
def test_only_grave_alerts_interrupt_and_the_gravest_come_first(names: list[str]) -> None:
    alerts = screen([line(name) for name in names], OLD)
    ranks = ["contraindicated", "major", "moderate", "info"]
    assert [alert.interrupts for alert in alerts] == [ranks.index(alert.severity) < 2 for alert in alerts]
    assert [ranks.index(alert.severity) for alert in alerts] == sorted(ranks.index(a.severity) for a in alerts)
