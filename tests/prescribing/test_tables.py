"""The shipped tables: whole, cited, and refusing to load when they are not."""

from importlib import resources
from itertools import product
from time import perf_counter

import pytest

from salerno.contexts.prescribing.data.conditions import BadExpression, parse
from salerno.contexts.prescribing.data.tables import FILES, BrokenTable, load, tables
from salerno.contexts.prescribing.rules.catalogue import find
from salerno.contexts.prescribing.rules.naming import resolve

DATA = resources.files("salerno.contexts.prescribing.data")


def texts() -> dict[str, str]:
    return {name: (DATA / f"{name}.csv").read_text("utf-8") for name in FILES}


def members(token: str) -> frozenset[str]:
    known = tables()
    return frozenset({token}) if token in known.ingredients else known.members[token]


def test_there_are_more_than_three_hundred_interaction_rules_and_they_reach_far() -> None:
    rules = tables().interactions
    assert len(rules) >= 300
    pairs = {frozenset(pair) for rule in rules for pair in product(members(rule.a), members(rule.b))}
    assert sum(len(pair) == 2 for pair in pairs) >= 15_000


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("INDIRECT_SYMPATHOMIMETIC", "ONC_MAOI"), ("atazanavir", "PPI"), ("febuxostat", "THIOPURINE"),
        ("SSRI", "ONC_MAOI"), ("SNRI", "ONC_MAOI"), ("irinotecan", "ONC_3A4_INH_IRINOTECAN"),
        ("OPIOID_SEROTONERGIC", "ONC_MAOI"), ("TCA", "ONC_MAOI"), ("QT_KNOWN", "QT_KNOWN"),
        ("ramelteon", "ONC_1A2_INH_STRONG"), ("HIV_PI", "ONC_3A4_INDUCER"), ("simvastatin", "STRONG_3A4_INH"),
        ("ERGOT", "HIV_PI"), ("tizanidine", "ONC_1A2_INH"), ("tranylcypromine", "procarbazine"), ("TRIPTAN", "MAOI"),
    ],
)  # fmt: skip
def test_every_pair_of_the_high_priority_list_is_contraindicated(a: str, b: str) -> None:
    assert {rule.severity for rule in tables().by_pair[a, b]} == {"contraindicated"}


def test_every_class_that_a_rule_names_has_members() -> None:
    assert all(members(rule.a) and members(rule.b) for rule in tables().interactions)


def test_every_row_is_marked_as_verified_or_to_be_confirmed() -> None:
    marks = {rule.verified for rule in tables().interactions} | {rule.verified for rule in tables().combinations}
    marks |= {rule.verified for rules in tables().doses.values() for rule in rules}
    marks |= {rule.verified for rules in tables().cautions.values() for rule in rules}
    assert marks == {"V", "K"}


def test_the_version_changes_with_a_single_letter() -> None:
    changed = texts() | {"sentences": texts()["sentences"].replace("bleeding", "Bleeding", 1)}
    assert load(changed).version != load(texts()).version == tables().version


@pytest.mark.parametrize(
    ("file", "found", "put"),
    [
        ("interactions", "ddi-0001,INDIRECT_SYMPATHOMIMETIC", "ddi-0001,NO_SUCH_CLASS"),
        ("interactions", ",contraindicated,", ",deadly,"),
        ("interactions", "effect.htcrisis", "effect.unheard_of"),
        ("interactions", ",V,ONC12", ",V,"),
        ("interactions", ",V,ONC12", ",V,HEARSAY"),
        ("doses", "age>65", "age>>65"),
        ("doses", ",4000,", ",plenty,"),
        ("doses", ",max,", ",perhaps,"),
        ("cautions", "has ASTHMA", "has ASTMA"),
        ("names", "warfarin,brand", "warfrin,brand"),
        ("cross_reactivity", "PENICILLINS,PENICILLINS", "PENICILLINS,PENCILS"),
        ("ingredients", "warfarin,warfarin", "warfarinn,warfarin"),
    ],
)
def test_a_table_with_a_mistake_does_not_load(file: str, found: str, put: str) -> None:
    assert found in texts()[file]
    with pytest.raises(BrokenTable):
        load(texts() | {file: texts()[file].replace(found, put, 1)})


def test_an_empty_or_truncated_table_does_not_load() -> None:
    with pytest.raises(BrokenTable):
        load(texts() | {"doses": texts()["doses"].splitlines()[0] + "\n"})
    with pytest.raises(BrokenTable):
        load(texts() | {"doses": texts()["doses"].rstrip().rsplit(",", 3)[0] + "\n"})


@pytest.mark.parametrize("text", ["age", "age >", "has", "3 of (age>1", "tall", "age>=65 or", "age>=65 age>=70"])
def test_an_expression_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(BadExpression):
        parse(text)


@pytest.mark.parametrize(
    ("written", "ingredients", "route"),
    [
        ("paracetamolo", ("paracetamol",), "oral"),
        ("Acetaminophen 325 MG Oral Tablet", ("paracetamol",), "oral"),
        ("COUMADIN 5 mg cpr", ("warfarin",), "oral"),
        ("Bactrim Forte", ("sulfamethoxazole", "trimethoprim"), "oral"),
        ("Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet", ("amoxicillin", "clavulanic acid"), "oral"),
        ("Penicillin V Potassium 500 MG Oral Tablet", ("phenoxymethylpenicillin",), "oral"),
        ("Meperidine Hydrochloride 50 MG Oral Tablet", ("pethidine",), "oral"),
        ("Liletta 52 MG Intrauterine System", ("levonorgestrel",), "intrauterine"),
        ("esomeprazole magnesium 20 mg", ("esomeprazole",), "oral"),
        ("diclofenac gel", ("diclofenac",), "cutaneous"),
        ("miconazole oral gel", ("miconazole",), "oromucosal"),
        ("Levotiroxina sodica", ("levothyroxine",), "oral"),
        ("àcido acetilsalicìlico", ("acetylsalicylic acid",), "oral"),
        ("latanoprost", ("latanoprost",), "ophthalmic"),
        ("warfarine", ("warfarin",), "oral"),
        ("xyzumab", (), ""),
    ],
)
def test_a_name_as_people_write_it_is_resolved(written: str, ingredients: tuple[str, ...], route: str) -> None:
    found = resolve(written)
    assert (found.ingredients, found.route) == (ingredients, route)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("tachip", "tachipirina"), ("couma", "coumadin"), ("parac", "paracetamol"), ("warfar", "warfarin"),
        ("acetam", "acetamol"), ("amoxi", "amoxil"), ("ramip", "ramipril"), ("warfrin", "warfarin"),
        ("atorvastatyn", "atorvastatin"), ("glargine", "insulin glargine"), ("ácido fol", "acido folico"),
    ],
)  # fmt: skip
def test_a_medicine_is_found_while_typing(typed: str, first: str) -> None:
    assert first in [one.name.text for one in find(typed, 3)]


def test_nonsense_finds_nothing() -> None:
    assert find("", 10) == find("   ", 10) == find("qqqqzzzz", 10) == []


def test_finding_takes_less_than_ten_milliseconds() -> None:
    find("warm", 10)
    for typed in ("a", "par", "paracetamol", "warfrin", "atorvastatyn", "zzzzzzzzz"):
        times = []
        for _ in range(5):
            start = perf_counter()
            find(typed, 10)
            times.append(perf_counter() - start)
        assert min(times) < 0.010, typed
