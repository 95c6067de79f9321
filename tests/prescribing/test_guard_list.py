"""Pairs that must stop a prescriber, pairs that must not, and allergies: each by the names that people write."""

import pytest

from salerno.contexts.prescribing.events import Alert, Medication
from salerno.contexts.prescribing.rules.facts import Allergy, Facts
from salerno.contexts.prescribing.rules.screening import screen

MUST_ALERT = """
warfarin+ibuprofen; warfarin+fluconazole; warfarin+co-trimoxazole; warfarin+amiodarone; warfarin+rifampicin;
acenocoumarol+miconazole oral gel; apixaban+ketorolac; rivaroxaban+carbamazepine; dabigatran+dronedarone;
apixaban+warfarin; ibuprofen+diclofenac; aspirin+naproxen; ketoprofen+lithium; ibuprofen+sertraline;
ramipril+spironolactone; losartan+potassium chloride; spironolactone+amiloride; enalapril+sacubitril/valsartan;
ramipril+candesartan; lisinopril+lithium; hydrochlorothiazide+lithium; spironolactone+co-trimoxazole;
bisoprolol+verapamil; propranolol+salbutamol; digoxin+amiodarone; digoxin+clarithromycin; ivabradine+diltiazem;
simvastatin+clarithromycin; simvastatin+itraconazole; atorvastatin+itraconazole; rosuvastatin+gemfibrozil;
simvastatin+fusidic acid; rosuvastatin+ciclosporin; colchicine+clarithromycin; sildenafil+isosorbide mononitrate;
tadalafil+nitroglycerin; doxazosin+sildenafil; fluoxetine+selegiline; sertraline+linezolid; venlafaxine+tramadol;
citalopram+amiodarone; escitalopram+domperidone; paroxetine+tamoxifen; amitriptyline+tranylcypromine;
tramadol+phenelzine; morphine+diazepam; oxycodone+pregabalin; donepezil+oxybutynin; haloperidol+levodopa;
metoclopramide+ropinirole; clozapine+carbamazepine; clarithromycin+carbamazepine; methotrexate+trimethoprim;
methotrexate+ibuprofen; azathioprine+allopurinol; mercaptopurine+febuxostat; tacrolimus+clarithromycin;
tizanidine+ciprofloxacin; ergotamine+clarithromycin; valproate+meropenem
"""
MUST_NOT_INTERRUPT = """
amlodipine+ramipril; amlodipine+bisoprolol; amlodipine+atorvastatin; amlodipine+rosuvastatin;
hydrochlorothiazide+ramipril; furosemide+bisoprolol; losartan+hydrochlorothiazide; bisoprolol+sertraline;
bisoprolol+levothyroxine; metformin+sitagliptin; metformin+ramipril; metformin+atorvastatin;
insulin glargine+metformin; empagliflozin+metformin; apixaban+bisoprolol; apixaban+atorvastatin;
apixaban+paracetamol; warfarin+bisoprolol; warfarin+pantoprazole; warfarin+furosemide; warfarin+vitamin D;
levothyroxine+simvastatin; aspirin 100 mg+ramipril; aspirin 100 mg+pantoprazole; clopidogrel+pantoprazole;
folic acid+methotrexate; allopurinol+amlodipine; paracetamol+amoxicillin; paracetamol+morphine; morphine+macrogol;
amoxicillin+omeprazole; azithromycin+pravastatin; tamsulosin+finasteride; donepezil+memantine;
sertraline+omeprazole; prednisone+pantoprazole; diclofenac skin gel+ramipril; ketoconazole shampoo+simvastatin;
ciprofloxacin eye drops+tizanidine; inactivated influenza vaccine+methotrexate
"""
ADULT = Facts(age=50, sex="male", weight=75, creatinine=0.9, pregnant=False)
FAILING_KIDNEY = Facts(age=50, sex="male", weight=75, creatinine=1.6, pregnant=False)


def pairs(text: str) -> list[tuple[str, str]]:
    found = [tuple(pair.strip().split("+")) for pair in text.replace("\n", " ").split(";")]
    return [(one, other) for one, other in found]


def screened(ordered: str, current: str, facts: Facts = ADULT) -> list[Alert]:
    return screen([Medication(name=ordered)], with_medicines(facts, current))


def with_medicines(facts: Facts, *names: str) -> Facts:
    return Facts(
        age=facts.age, sex=facts.sex, weight=facts.weight, creatinine=facts.creatinine, pregnant=facts.pregnant,
        medicines=tuple(Medication(name=name) for name in names),
    )  # fmt: skip


def between(alerts: list[Alert]) -> list[Alert]:
    return [one for one in alerts if one.code in ("interaction", "duplicate-class", "combination")]


def test_the_guard_list_is_whole() -> None:
    assert len(set(pairs(MUST_ALERT))) == 60
    assert len(set(pairs(MUST_NOT_INTERRUPT))) == 40


@pytest.mark.parametrize(("one", "other"), pairs(MUST_ALERT), ids="+".join)
def test_this_pair_stops_the_prescriber_in_either_order(one: str, other: str) -> None:
    facts = FAILING_KIDNEY if (one, other) == ("methotrexate", "ibuprofen") else ADULT
    for ordered, current in ((one, other), (other, one)):
        stopping = [alert for alert in between(screened(ordered, current, facts)) if alert.interrupts]
        assert stopping, f"{ordered} on top of {current}"
        assert all(alert.source and alert.title.en and alert.title.it for alert in stopping)


@pytest.mark.parametrize(("one", "other"), pairs(MUST_NOT_INTERRUPT), ids="+".join)
def test_this_pair_never_interrupts(one: str, other: str) -> None:
    for ordered, current in ((one, other), (other, one)):
        assert [alert.key for alert in screened(ordered, current) if alert.interrupts] == []


@pytest.mark.parametrize(
    ("substance", "reaction", "ordered", "severity"),
    [
        ("penicillin", "anaphylaxis", "amoxicillin", "contraindicated"),
        ("amoxicillin", "rash", "cefadroxil", "major"),
        ("amoxicillin", "", "ceftriaxone", "info"),
        ("penicillin", "anaphylaxis", "cefazolin", "info"),
        ("cotrimoxazole", "rash", "furosemide", None),
        ("aspirin", "asthma", "ketoprofen", "contraindicated"),
        ("ibuprofen", "urticaria", "celecoxib", "info"),
        ("shellfish", "anaphylaxis", "iohexol", None),
        ("enalapril", "angioedema", "sacubitril/valsartan", "contraindicated"),
        ("carbamazepine", "Stevens-Johnson syndrome", "phenytoin", "contraindicated"),
        ("egg", "urticaria", "inactivated influenza vaccine", None),
        ("codeine", "nausea", "morphine", None),
    ],
)
def test_an_allergy_is_answered_as_the_guard_list_says(
    substance: str, reaction: str, ordered: str, severity: str | None
) -> None:
    facts = Facts(age=50, sex="male", allergies=(Allergy(substance, reaction=reaction),))
    found = [alert.severity for alert in screen([Medication(name=ordered)], facts) if alert.code == "allergy"]
    assert found[:1] == ([severity] if severity else [])
