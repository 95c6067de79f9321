"""What a scope says, what it covers, and what it leaves of a person's permissions."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import permissions_of

from salerno.contexts.identity.rules.roles import named_permissions
from salerno.contexts.identity.rules.scopes import (
    LETTERS,
    PLAIN,
    SmartScope,
    allowed,
    api_scopes,
    categorised,
    for_a_service,
    is_known,
    narrowed,
    smart,
)

VITALS = "patient/Observation.rs?category=vital-signs"
SYSTEM_OF_CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"


def test_iam05_the_named_scopes_are_there_and_every_room_has_one() -> None:
    assert {"openid", "profile", "offline_access"} <= set(PLAIN)
    assert {"patient-api", "appointment-api", "records-api"} <= set(api_scopes())
    assert set(api_scopes().values()) == {name.partition(".")[0] for name in named_permissions()}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("patient/Observation.rs", SmartScope("patient", "Observation", "rs")),
        ("user/*.cruds", SmartScope("user", "*", "cruds")),
        ("system/Patient.r", SmartScope("system", "Patient", "r")),
        ("patient/Condition.read", SmartScope("patient", "Condition", "rs")),
        ("patient/Condition.write", SmartScope("patient", "Condition", "cud")),
        ("user/*.*", SmartScope("user", "*", "cruds")),
        (VITALS, SmartScope("patient", "Observation", "rs", "vital-signs")),
        (
            f"patient/Observation.rs?category={SYSTEM_OF_CATEGORIES}",
            SmartScope("patient", "Observation", "rs", SYSTEM_OF_CATEGORIES),
        ),
    ],
)
def test_smart_scopes_of_both_versions_are_read(text: str, parts: SmartScope) -> None:
    assert smart(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "patient/Observation", "patient/Observation.", "patient/Observation.sr", "patient/Observation.rr",
        "patient/Observation.rx", "patient/observation.rs", "Patient/Observation.rs", "group/Observation.rs",
        "patient//Observation.rs", "patient/Observation.rs?", "patient/Observation.rs?category=",
        "patient/Observation.rs?code=1234-5", "patient/Observation.rs?category=a&category=b",
        "patient/Observation.rs?category=a&status=final", "patient/Patient.rs?category=laboratory",
        "patient/*.rs?category=laboratory", "patient/Observation.rs?category=a b", "patient/Observation.rs ", "", "*",
    ],
)  # fmt: skip
def test_what_nobody_would_enforce_is_no_scope(text: str) -> None:
    assert smart(text) is None
    assert not is_known(text)


letters = st.sets(st.sampled_from(LETTERS), min_size=1).map(lambda one: "".join(c for c in LETTERS if c in one))
resources = st.sampled_from(["*", "Patient", "Observation", "Condition", "Encounter", "Slot"])
contexts = st.sampled_from(["patient", "user", "system"])
categories = st.sampled_from(["", "vital-signs", "laboratory"])


@st.composite
def smart_scopes(draw: st.DrawFn) -> SmartScope:
    resource = draw(resources)
    category = draw(categories) if resource in categorised() else ""
    return SmartScope(draw(contexts), resource, draw(letters), category)


@given(smart_scopes())
def test_what_is_written_is_read_again(scope: SmartScope) -> None:
    assert smart(str(scope)) == scope


@given(smart_scopes(), smart_scopes())
def test_to_cover_is_to_allow_at_least_as_much(wide: SmartScope, narrow: SmartScope) -> None:
    everything = named_permissions()
    if wide.covers(narrow):
        assert narrowed(everything, [str(narrow)], with_patient=True) <= (
            narrowed(everything, [str(wide)], with_patient=True)
        )
    assert wide.covers(wide)
    if wide.covers(narrow) and narrow.covers(wide):
        assert wide == narrow


@given(st.lists(smart_scopes().map(str) | st.sampled_from([*PLAIN, *api_scopes()]), max_size=6), st.booleans())
def test_a_scope_never_adds_a_permission(held: list[str], with_patient: bool) -> None:
    for role in ("DOCTOR", "RECEPTIONIST", "PATIENT"):
        of_role = permissions_of(role)
        left = narrowed(of_role, held, with_patient=with_patient)
        assert {name.removesuffix(":own") for name in left} <= {name.removesuffix(":own") for name in of_role}
        assert {name for name in left if not name.endswith(":own")} <= of_role


@given(st.text(alphabet=string.printable, max_size=60))
def test_any_text_is_answered(text: str) -> None:
    found = smart(text)
    assert found is None or smart(str(found)) == found


def test_the_scope_of_a_room_leaves_the_permissions_of_that_room() -> None:
    of_doctor = permissions_of("DOCTOR")
    left = narrowed(of_doctor, ["openid", "patient-api"], with_patient=False)
    assert left == {name for name in of_doctor if name.startswith("patients.")} | {"identity.read_self"}
    assert narrowed(of_doctor, [], with_patient=True) == frozenset()


def test_a_launch_reaches_one_chart_and_a_category_one_kind_of_observation() -> None:
    of_doctor = permissions_of("DOCTOR")
    assert narrowed(of_doctor, [VITALS], with_patient=True) == {"records.read_vitals:own"}
    assert narrowed(of_doctor, [VITALS], with_patient=False) == frozenset()
    both = narrowed(of_doctor, ["patient/Observation.rs"], with_patient=True)
    assert both == {"records.read_vitals:own", "records.read_results:own"}


def test_a_launch_under_a_condition_reaches_the_chart_only_where_it_meets_it() -> None:
    held = {"records.read_vitals:care", "records.read_results:location", "records.read:own"}
    scopes = ["patient/Observation.rs"]
    assert narrowed(held, scopes, with_patient=True, met=[]) == frozenset()
    assert narrowed(held, scopes, with_patient=True, met=["care"]) == {"records.read_vitals:own"}
    assert narrowed(held, ["user/Observation.rs"], with_patient=True, met=[]) == {
        "records.read_vitals:care", "records.read_results:location",
    }  # fmt: skip


def test_a_permission_that_opens_several_resources_needs_the_scope_of_each() -> None:
    of_doctor = permissions_of("DOCTOR")
    assert "records.read" not in narrowed(of_doctor, ["user/Procedure.rs"], with_patient=False)
    assert "records.read" in narrowed(of_doctor, ["user/*.rs"], with_patient=False)


def test_reading_is_not_writing() -> None:
    left = narrowed(permissions_of("DOCTOR"), ["user/*.rs"], with_patient=False)
    assert "records.read_vitals" in left
    assert not left & {"records.record_vitals", "prescribing.prescribe", "patients.update", "scheduling.book"}


def test_what_only_a_person_answers_for_no_service_does() -> None:
    granted = for_a_service([*api_scopes(), "system/*.cruds"])
    assert "records.read_vitals" in granted
    assert not granted & {"prescribing.prescribe", "encounters.write", "identity.manage_users", "audit.read"}
    assert for_a_service(["user/*.cruds", "patient/*.cruds"]) == frozenset()


def test_t029_what_may_be_had_is_what_is_registered_or_narrower() -> None:
    registered = ("openid", "patient/*.rs", "patient-api")
    asked = ("openid", VITALS, "patient/Observation.cruds", "user/Patient.r", "records-api", "patient-api")
    assert allowed(asked, registered) == ("openid", VITALS, "patient-api")
