"""What a privacy officer finds in the demo: a new telephone, a namesake's chart, a look late at night."""

from datetime import date, time, timedelta

from salerno.contexts.identity.commands import Opened, SignIn
from salerno.contexts.patients.queries import PatientBanner
from salerno.contexts.records.queries import Problems
from salerno.interfaces.cli.demo.chart import Chart
from salerno.interfaces.cli.demo.clinic import COLLEAGUES, PASSWORD
from salerno.interfaces.cli.demo.days import Chronicle
from salerno.kernel.messages import INSTALLATION, Caller

DESKTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
TELEPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604"
WEEK = timedelta(days=8)


async def a_day_to_look_at(story: Chronicle, day: date) -> None:
    """One evening, in the order of the clock, after the surgeries are over."""
    desktop = await _sign_in(story, "doctor", DESKTOP)
    story.clock.advance(minutes=1)
    await _sign_in(story, "gp", DESKTOP)
    if (namesake := _namesake(story, "gp", day)) is not None:
        await _look(story, "gp", namesake)
    story.later(story.at(day, time(21, 40)))
    await _sign_in(story, "doctor", TELEPHONE)
    story.later(story.at(day, time(23, 10)))
    await _sign_in(story, "doctor", DESKTOP, desktop.device)
    await _look(story, "cardiologist", story.charts[-1])


async def _sign_in(story: Chronicle, who: str, agent: str, device: str = "") -> Opened:
    wish = SignIn(email=f"test.{who}@example.com", password=PASSWORD, agent=agent, device=device)
    nobody = Caller(actor=INSTALLATION, organisation=INSTALLATION, address="127.0.0.1")
    opened: Opened = await story.house.bus.ask(wish, nobody)
    return opened


async def _look(story: Chronicle, who: str, chart: Chart) -> None:
    for query in (PatientBanner(patient_id=chart.id), Problems(patient_id=chart.id)):
        await story.house.bus.ask(query, story.clinic.callers[who])


def _namesake(story: Chronicle, who: str, day: date) -> Chart | None:
    """A patient of somebody else with the reader's name, whom nothing brings here in the days around."""
    reader = next(colleague for colleague in COLLEAGUES if colleague.login == who)
    for chart in story.charts:
        seen_last = chart.due - timedelta(days=max(7, round(chart.story.every_days * 0.8)))
        if (
            chart.person.family_name == reader.family_name
            and chart.story.doctor != reader.stories
            and seen_last < day - WEEK
            and chart.due > day + WEEK
        ):
            return chart
    return None
