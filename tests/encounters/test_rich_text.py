"""T050: what is kept of a note written as rich text: the letters and their emphasis, and nothing that runs or loads."""

import html.parser
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.soaking import times

from salerno.contexts.encounters.commands import SaveDraft, StartVisit
from salerno.contexts.encounters.handlers import RICH_TEXT, without_what_runs
from salerno.contexts.encounters.queries import Draft
from salerno.contexts.patients.commands import RegisterPatient
from salerno.kernel.bus import Bus
from salerno.kernel.messages import Caller

HOSTILE = (
    "<script>window.hit=1</script>", "<img src=x onerror=window.hit=1>", '<a href="javascript:window.hit=1">x</a>',
    "<svg onload=window.hit=1>", "<svg><style><img src=x onerror=window.hit=1></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=window.hit=1&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=window.hit=1>'>", "<p style='background:url(//x.test)'>x</p>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=window.hit=1>",
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>", "<template><script>window.hit=1</script></template>",
    "<b/onmouseover=window.hit=1>x</b>", "<xmp><p title='</xmp><img src=x onerror=window.hit=1>'>", "<p>&lt;script&gt;",
    "<listing>&lt;img onerror=window.hit=1 src=x&gt;</listing>", "<base href=//x.test>", "<meta http-equiv=refresh>",
    "<object data=//x.test></object>", "<link rel=stylesheet href=//x.test>", "<!--><img src=x onerror=window.hit=1>",
    "<![CDATA[<img src=x onerror=window.hit=1>]]>", "<textarea></textarea><img src=x onerror=window.hit=1>",
)  # fmt: skip
PIECES = some.lists(
    some.one_of(some.sampled_from(HOSTILE), some.sampled_from(["<p>", "</p>", "<b>", "</", "<!--", "-->", '"', "&lt;"]),
                some.text(max_size=8)),
    max_size=8,
)  # fmt: skip


class Elements(html.parser.HTMLParser):
    """Every element with an attribute, and every element that is not on the list."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in RICH_TEXT or attrs:
            self.wrong.append(tag)


@settings(max_examples=times(5_000))
@given(PIECES)
def test_t050_cleaning_leaves_only_what_is_allowed_and_cleaning_again_nothing_less(pieces: list[str]) -> None:
    once = without_what_runs("".join(pieces))
    assert Elements(once).wrong == []
    assert without_what_runs(once) == once


@pytest.fixture
async def visit(bus: Bus, doctor: Caller) -> UUID:
    wish = RegisterPatient(full_name="Ada Rossi", date_of_birth=date(1980, 5, 4), confirmed_not_duplicate=True)
    ada = (await bus.handle(wish, doctor)).aggregate_id
    return (await bus.handle(StartVisit(patient_id=ada, reason="cough"), doctor)).aggregate_id


async def _kept(bus: Bus, doctor: Caller, visit: UUID, text: str) -> str:
    await bus.handle(SaveDraft(visit_id=visit, subjective=text, text_format="html"), doctor)
    return str((await bus.ask(Draft(visit_id=visit), doctor)).note.content.subjective)


async def test_t050_every_hostile_text_is_kept_clean(bus: Bus, doctor: Caller, visit: UUID) -> None:
    for hostile in HOSTILE:
        kept = await _kept(bus, doctor, visit, f"<p>Cough</p>{hostile}")
        assert kept == without_what_runs(kept) and Elements(kept).wrong == [] and kept.startswith("<p>Cough</p>"), (
            hostile
        )


async def test_t050_a_note_nested_as_deep_as_its_length_allows_is_kept_or_refused_in_words(
    bus: Bus, doctor: Caller, visit: UUID
) -> None:
    for opening in ("<b>", "<div>", "<svg>"):
        text = opening * (99_000 // len(opening)) + "deep"
        assert "deep" in await _kept(bus, doctor, visit, text)
