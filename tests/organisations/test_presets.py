"""Presets and guided questions name only what exists."""

from uuid import uuid4

import pytest

from salerno.app import rooms
from salerno.contexts.organisations.queries import OnboardingFlow, Specialties
from salerno.contexts.organisations.rules.specialties import flows, specialties
from salerno.kernel.bus import kebab
from salerno.kernel.messages import Caller

COMMANDS = {kebab(command.__name__): command for room in rooms() for command in room.handlers}
KINDS = ("independent", "clinic", "hospital")


@pytest.mark.parametrize("kind", KINDS)
def test_every_question_fills_a_field_of_the_command_that_its_step_asks_for(kind) -> None:
    for step in flows()[kind].steps:
        assert step.command in COMMANDS, step.code
        fields = set(COMMANDS[step.command].__struct_fields__)
        assert {question.field for question in step.questions} <= fields, step.code


@pytest.mark.parametrize("kind", KINDS)
def test_a_flow_begins_with_the_organisation_and_asks_for_what_its_registration_needs(kind) -> None:
    first = flows()[kind].steps[0]
    assert first.command == ("register-hospital" if kind == "hospital" else "register-organisation")
    assert "name" in {question.field for question in first.questions if question.required}
    assert not first.optional


def test_visit_types_of_presets_are_told_apart_by_their_codes() -> None:
    codes = [visit.code for one in specialties() for visit in one.visit_types]
    shared = {code for code in codes if codes.count(code) > 1}
    assert not shared
    assert {"general-practice", "geriatrics", "acupuncture"} <= {one.code for one in specialties()}
    assert all(0 <= visit.colour <= 11 for one in specialties() for visit in one.visit_types)


def test_nothing_is_said_in_one_language_only() -> None:
    for one in specialties():
        for template in one.note_templates:
            for part in (template.subjective, template.objective, template.assessment, template.plan):
                assert part.it
                assert part.en
                assert part.it != part.en


async def test_the_questions_can_be_read_before_anybody_has_an_account(bus) -> None:
    nobody = Caller(actor=uuid4(), organisation=uuid4())
    flow = await bus.ask(OnboardingFlow(kind="independent"), nobody)
    assert [step.code for step in flow.steps] == ["practice-of-one", "where", "specialty", "online"]
    assert len(await bus.ask(Specialties(), nobody)) == 8
