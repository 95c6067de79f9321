"""When a chart may be restricted, the glass broken, ended and reviewed: by example and for any history."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from salerno.contexts.protection.commands import (
    BreakGlass,
    ChangeRestriction,
    EndBreakGlass,
    LiftRestriction,
    RestrictChart,
    ReviewBreakGlass,
)
from salerno.contexts.protection.errors import (
    AlreadyOpen,
    AlreadyRestricted,
    AlreadyReviewed,
    NoSuchBreakGlass,
    NotRestricted,
    OwnReview,
)
from salerno.contexts.protection.events import (
    ChartRestricted,
    GlassBroken,
    GlassEnded,
    GlassReviewed,
    RestrictionChanged,
    RestrictionLifted,
)
from salerno.contexts.protection.rules.glass import GLASS, Break
from salerno.contexts.protection.rules.restriction import RESTRICTION, Wish
from salerno.kernel.errors import Invalid, Refused
from salerno.kernel.testing import ORIGIN, SOMEBODY, THEN, Scenario

PATIENT, GLASS_ID, STREAM, NAMED = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
WHY = "Unconscious on arrival, allergies needed"
ASKED = BreakGlass(patient_id=PATIENT, reason="emergency", explanation=f"  {WHY}  ")
BROKEN = GlassBroken(
    glass=GLASS_ID, patient=PATIENT, account=SOMEBODY, role="DOCTOR", reason="emergency", explanation=WHY,
    from_=THEN, until=THEN + timedelta(minutes=60),
)  # fmt: skip
ENDED = GlassEnded(glass=GLASS_ID, patient=PATIENT, account=SOMEBODY)
OFFICER = replace(ORIGIN, actor=UUID(int=9), role="ADMIN")
RESTRICTED = ChartRestricted(restriction=STREAM, patient=PATIENT, reason="staff", note="works here", accounts=(NAMED,))


def restrict(**more: object) -> Wish:
    said = {"patient_id": PATIENT, "reason": "staff", "note": " works here ", **more}
    return Wish(STREAM, msgspec.convert(said, RestrictChart), frozenset({NAMED}))


def test_a_chart_is_restricted_once_and_each_named_account_stands_once() -> None:
    Scenario(RESTRICTION).when(restrict(accounts=(NAMED, NAMED))).then(RESTRICTED)
    Scenario(RESTRICTION).given(RESTRICTED).when(restrict()).then_refused(AlreadyRestricted)
    lifted = RestrictionLifted(restriction=STREAM, patient=PATIENT)
    Scenario(RESTRICTION).given(RESTRICTED, lifted).when(restrict(accounts=(NAMED,))).then(RESTRICTED)


def test_an_account_that_nobody_knows_is_named_in_the_refusal_by_its_place() -> None:
    refused = Scenario(RESTRICTION).when(restrict(accounts=(NAMED, UUID(int=8)))).then_refused(Invalid)
    assert isinstance(refused, Invalid)
    assert [(one["path"], one["code"]) for one in refused.errors] == [("accounts.1", "unknown")]


def test_a_patients_own_wish_is_for_the_named_only_whatever_was_said() -> None:
    (event,) = Scenario(RESTRICTION).when(restrict(reason="own-wish")).events()
    assert isinstance(event, ChartRestricted)
    assert event.named_only
    wish = Wish(STREAM, ChangeRestriction(patient_id=PATIENT, named_only=False))
    Scenario(RESTRICTION).given(event).when(wish).then_nothing()


def test_what_a_change_does_not_name_stays_and_no_change_is_no_event() -> None:
    changed = Wish(STREAM, ChangeRestriction(patient_id=PATIENT, reason="sensitive"))
    after = RestrictionChanged(
        restriction=STREAM, patient=PATIENT, reason="sensitive", note="works here", accounts=(NAMED,)
    )
    Scenario(RESTRICTION).given(RESTRICTED).when(changed).then(after)
    Scenario(RESTRICTION).given(RESTRICTED, after).when(changed).then_nothing()
    Scenario(RESTRICTION).when(changed).then_refused(NotRestricted)


def test_only_what_is_restricted_is_lifted() -> None:
    lift = Wish(STREAM, LiftRestriction(patient_id=PATIENT, note=" moved away "))
    lifted = RestrictionLifted(restriction=STREAM, patient=PATIENT, note="moved away")
    Scenario(RESTRICTION).given(RESTRICTED).when(lift).then(lifted)
    Scenario(RESTRICTION).given(RESTRICTED, lifted).when(lift).then_refused(NotRestricted)


def test_breaking_the_glass_says_who_why_and_until_when() -> None:
    Scenario(GLASS).when(Break(GLASS_ID, PATIENT, ASKED)).then(BROKEN)


@pytest.mark.parametrize(
    ("asked", "paths"),
    [
        (replace(ASKED, explanation="  short   "), ["explanation"]),
        (replace(ASKED, patient_id=None), ["identifier"]),
        (replace(ASKED, identifier="MRN-2026-000001"), ["identifier"]),
        (replace(ASKED, patient_id=None, explanation=""), ["explanation", "identifier"]),
    ],
)
def test_what_is_missing_is_named_field_by_field(asked: BreakGlass, paths: list[str]) -> None:
    refused = Scenario(GLASS).when(Break(GLASS_ID, PATIENT, asked)).then_refused(Invalid)
    assert isinstance(refused, Invalid)
    assert [one["path"] for one in refused.errors] == paths


def test_what_is_open_is_not_opened_again_until_it_has_ended() -> None:
    until = THEN + timedelta(minutes=5)
    refused = Scenario(GLASS).when(Break(GLASS_ID, PATIENT, ASKED, until)).then_refused(AlreadyOpen)
    assert refused.details == {"until": until}
    at_the_end = replace(ORIGIN, recorded_at=until)
    assert len(Scenario(GLASS).by(at_the_end).when(Break(GLASS_ID, PATIENT, ASKED, until)).events()) == 1


def test_only_whoever_broke_it_ends_it_and_twice_is_once() -> None:
    end = EndBreakGlass(glass_id=GLASS_ID)
    Scenario(GLASS).given(BROKEN).when(end).then(ENDED)
    Scenario(GLASS).given(BROKEN, ENDED).when(end).then_nothing()
    Scenario(GLASS).given(BROKEN).by(replace(ORIGIN, recorded_at=BROKEN.until)).when(end).then_nothing()
    Scenario(GLASS).given(BROKEN).by(OFFICER).when(end).then_refused(NoSuchBreakGlass)
    Scenario(GLASS).when(end).then_refused(NoSuchBreakGlass)


def test_a_review_is_by_somebody_else_once_and_closes_what_it_finds_wanting() -> None:
    fine = ReviewBreakGlass(glass_id=GLASS_ID, outcome="justified")
    wanting = ReviewBreakGlass(glass_id=GLASS_ID, outcome="unjustified", note=" Curiosity ")
    reviewed = GlassReviewed(glass=GLASS_ID, patient=PATIENT, outcome="justified")
    Scenario(GLASS).given(BROKEN).by(OFFICER).when(fine).then(reviewed)
    Scenario(GLASS).given(BROKEN).when(fine).then_refused(OwnReview)
    Scenario(GLASS).given(BROKEN, reviewed).by(OFFICER).when(wanting).then_refused(AlreadyReviewed)
    found_wanting = GlassReviewed(glass=GLASS_ID, patient=PATIENT, outcome="unjustified", note="Curiosity")
    Scenario(GLASS).given(BROKEN).by(OFFICER).when(wanting).then(found_wanting, ENDED)
    late = replace(OFFICER, recorded_at=BROKEN.until)
    Scenario(GLASS).given(BROKEN).by(late).when(wanting).then(found_wanting)
    without = Scenario(GLASS).given(BROKEN).by(OFFICER).when(replace(wanting, note=" ")).then_refused(Invalid)
    assert isinstance(without, Invalid)
    assert without.errors[0]["path"] == "note"


def reviewed(glass: UUID, outcome: str) -> ReviewBreakGlass:
    return msgspec.convert({"glass_id": glass, "outcome": outcome, "note": "seen"}, ReviewBreakGlass)


moments = st.integers(min_value=0, max_value=300)
wishes = st.tuples(st.sampled_from(["end", "justified", "unjustified"]), st.booleans(), moments)


@given(st.integers(min_value=5, max_value=240), st.lists(wishes, max_size=6))
def test_whatever_is_asked_and_when_a_glass_is_open_only_within_its_time_and_never_again_once_shut(
    minutes: int, asked: list[tuple[str, bool, int]]
) -> None:
    glass = uuid4()
    history = list(Scenario(GLASS).when(Break(glass, PATIENT, replace(ASKED, minutes=minutes))).events())
    shut = False
    for what, officer, after in sorted(asked, key=lambda one: one[2]):
        origin = replace(OFFICER if officer else ORIGIN, recorded_at=THEN + timedelta(minutes=after))
        wish = EndBreakGlass(glass_id=glass) if what == "end" else reviewed(glass, what)
        with suppress(Refused):
            history += Scenario(GLASS, tuple(history)).by(origin).when(wish).events()
        is_open = GLASS.fold(history).open_at(origin.recorded_at)
        assert not (is_open and (shut or after >= minutes))
        shut = shut or not is_open
    assert sum(isinstance(event, GlassReviewed) for event in history) <= 1
    assert sum(isinstance(event, GlassEnded) for event in history) <= 1
