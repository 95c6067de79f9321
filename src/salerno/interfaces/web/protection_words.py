"""Sentences about restricted charts and broken glass, marked for translation."""

from salerno.interfaces.web.words import WORDS, mark

WORDS.update(
    {
        "restricted": mark("This chart is restricted."),
        "restricted.vip": mark("Person of public interest"),
        "restricted.staff": mark("Member of our staff"),
        "restricted.sensitive": mark("Sensitive content"),
        "restricted.own-wish": mark("The patient’s own wish"),
        "glass.emergency": mark("Emergency"),
        "glass.care": mark("Care of this patient"),
        "glass.legal": mark("Legal duty"),
        "glass.other": mark("Other"),
        "outcome.justified": mark("Justified"),
        "outcome.unjustified": mark("Not justified"),
        "outcome.follow-up": mark("Needs follow-up"),
        "purpose.operations": mark("operations"),
        "purpose.break-glass:emergency": mark("break-glass: emergency"),
        "purpose.break-glass:care": mark("break-glass: care"),
        "purpose.break-glass:legal": mark("break-glass: legal duty"),
        "purpose.break-glass:other": mark("break-glass: other reason"),
        "no-such-chart": mark("There is no chart with this number."),
        "no-such-break-glass": mark("There is no such entry, or it is not for you to see."),
        "no-such-restriction": mark("This chart is not restricted, or it is not for you to know."),
        "not-restricted": mark("This chart is not restricted."),
        "already-restricted": mark("This chart is restricted already."),
        "already-open": mark("You have this chart open under break-glass already."),
        "already-reviewed": mark("This has been reviewed already."),
        "own-review": mark("Nobody reviews their own break-glass."),
        "explain-longer": mark("Say in at least ten characters why you need this chart."),
        "name-the-chart": mark("Name the chart by its record number or another number of the patient."),
        "say-what-is-to-be-done": mark("Say why, and what is to be done."),
    }
)
