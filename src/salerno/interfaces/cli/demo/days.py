"""Thirty weeks at the demo clinic, day by day under a simulated clock, up to the middle of today."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from salerno.app import House
from salerno.contexts.encounters.commands import (
    CompleteVisit,
    RecordDiagnosis,
    SaveDraft,
    SetTreatmentPlan,
    SignNote,
    StartVisit,
)
from salerno.contexts.encounters.events import PlanItem
from salerno.contexts.encounters.queries import NoteById
from salerno.contexts.patients.commands import (
    GiveConsent,
    GivenAddress,
    GivenEmergencyContact,
    GivenIdentifier,
    RegisterPatient,
)
from salerno.contexts.records.commands import RecordAllergy, RecordProblem, RecordVitals, StateNoKnownAllergies
from salerno.contexts.records.events import Coded, Reaction
from salerno.contexts.scheduling.commands import (
    CancelAppointment,
    CheckIn,
    ConfirmAppointment,
    RecordNoShow,
    ScheduleAppointment,
)
from salerno.interfaces.cli.demo.chart import Chart
from salerno.interfaces.cli.demo.clinic import Clinic, Colleague
from salerno.interfaces.cli.demo.people import Person, everybody
from salerno.interfaces.cli.demo.privacy import colleague_as_patient
from salerno.interfaces.cli.demo.stories import BY_NAME, medicine, story_for, vitals_of
from salerno.interfaces.cli.demo.treating import prescribe, treat
from salerno.kernel.clock import SettableClock
from salerno.kernel.errors import Refused
from salerno.kernel.messages import Command

ROME = ZoneInfo("Europe/Rome")
SLOTS = [time(hour, minute) for hour in (8, 9, 10, 11, 12, 14, 15, 16, 17) for minute in (30,)] + [
    time(hour, 0) for hour in (9, 10, 11, 12, 15, 16, 17, 18)
]
ALLERGIES = (
    ("Amoxicillina", "Amoxicillin", "penicillins", "Orticaria", "Urticaria", "moderate", "high"),
    ("Penicillina", "Penicillin", "penicillins", "Anafilassi", "Anaphylaxis", "severe", "high"),
    ("Ibuprofene", "Ibuprofen", "nsaids", "Broncospasmo", "Bronchospasm", "moderate", "high"),
    ("Arachidi", "Peanuts", "", "Gonfiore delle labbra", "Swollen lips", "moderate", "high"),
    ("Polline di parietaria", "Pellitory pollen", "", "Rinite", "Rhinitis", "mild", "low"),
)
STORIES = ("geriatrics", "general", "cardiology")
EVENING = 8  # working days before today
AT_ONCE = 8  # people at the registration desk
Told = Callable[[int, int], None]


@dataclass(slots=True)
class Chronicle:
    """Plays the days. Everything goes through the product's own commands, recorded when it would have been."""

    house: House
    clock: SettableClock
    clinic: Clinic
    seed: int
    charts: list[Chart] = field(default_factory=list)
    pace: float = 1.0  # below 1, things are done faster than they would be: today's must be over by now

    # ------------------------------------------------------------ small things
    async def do(self, command: Command, who: str, minutes: float = 0.5) -> UUID:
        """One wish at the simulated moment, which then moves on a little."""
        receipt = await self.house.bus.handle(command, self.clinic.callers[who])
        self.clock.advance(minutes=minutes * self.pace)
        return receipt.aggregate_id

    def at(self, day: date, moment: time) -> datetime:
        return datetime.combine(day, moment, ROME)

    def dice_for(self, what: object) -> Random:
        """Dice of their own for each person and each surgery, so that who is waited for first changes nothing."""
        return Random(f"{self.seed} {what}")  # noqa: S311 - the same clinic every time, no secret

    def later(self, moment: datetime) -> None:
        """The clock never goes back."""
        self.clock.set(max(self.clock.now(), moment))

    # ------------------------------------------------------------ people
    async def register_everybody(self, count: int, first_day: date, told: Told) -> None:
        self.later(self.at(first_day - timedelta(days=7), time(9)))
        people = list(enumerate(everybody(count, first_day)))
        for start in range(0, count, AT_ONCE):
            some = people[start : start + AT_ONCE]
            self.charts += await asyncio.gather(*(self._register(person, n, first_day) for n, person in some))
            told(len(self.charts), count)
        await self.house.bus.settled()

    async def _register(self, person: Person, number: int, first_day: date) -> Chart:
        patient = await self.do(_registration(person, number), "receptionist", 3)
        await self.do(GiveConsent(patient_id=patient, scope="treatment"), "receptionist", 0.2)
        age = person.age(first_day)
        dice = self.dice_for(number)
        story = BY_NAME["hypertension"] if number == 0 else story_for(age, dice)
        height = float(round(dice.gauss(163 if person.gender == "female" else 174, 6))) if age > 16 else 90.0 + 5 * age
        body = (round(max(9.0, (height / 100) ** 2 * dice.gauss(26 if age > 16 else 17, 3)), 1), height)
        await self._ask_for_allergies(patient, person, number, dice)
        due = first_day + timedelta(days=dice.randint(0, min(story.every_days, 240)))
        return Chart(patient, person, story, body, dice, due)

    async def _ask_for_allergies(self, patient: UUID, person: Person, number: int, dice: Random) -> None:
        if number != 0 and dice.random() > 0.22:
            await self.do(StateNoKnownAllergies(patient_id=patient), "nurse", 0.2)
            return
        words = ALLERGIES[1 if number == 0 else dice.randrange(len(ALLERGIES))]
        italian = person.language == "it"
        await self.do(
            RecordAllergy(
                patient_id=patient,
                substance=words[0 if italian else 1],
                class_=words[2],
                category="medication" if words[2] else "food" if "ra" in words[0][:3].lower() else "environment",
                allergy_type="allergy",
                criticality=words[6],  # type: ignore[arg-type]
                reactions=(Reaction(manifestation=Coded(display=words[3 if italian else 4]), severity=words[5]),),  # type: ignore[arg-type]
            ),
            "nurse",
            0.2,
        )

    # ------------------------------------------------------------ days
    async def play(
        self, first: date, today: date, now: datetime, told: Told, evening: Callable[[date], Awaitable[None]]
    ) -> None:
        """`evening` is what happens after the surgeries of one day, some days ago."""
        days = [first + timedelta(days=n) for n in range((today - first).days)]
        working = [day for day in days if day.weekday() < 5]
        for number, day in enumerate(working):
            await self._day(day)
            if day == _day_after_last_tuesday(today):
                await self._maria()
                await colleague_as_patient(self.do, self.clinic)
            if day == working[-EVENING]:
                await evening(day)
            told(number + 1, len(working))
        await self._today(today, now)

    async def _day(self, day: date) -> None:
        due = [chart for chart in self.charts if chart.due <= day]
        await asyncio.gather(*(self._surgery(day, name, due) for name in STORIES))
        self.later(self.at(day, time(19)))
        if day.weekday() == 4:
            await self.house.bus.settled()

    async def _surgery(self, day: date, stories: str, due: list[Chart]) -> None:
        """One doctor's day, in the order of the hours."""
        who = self.clinic.doctor_for(stories)
        mine = [chart for chart in due if chart.story.doctor == stories]
        dice = self.dice_for(f"{day} {stories}")
        for chart, moment in zip(mine, sorted(dice.sample(SLOTS, min(len(mine), len(SLOTS)))), strict=False):
            chart.due = day + timedelta(days=max(7, round(chart.story.every_days * chart.dice.uniform(0.8, 1.3))))
            await self._meet(chart, who, self.at(day, moment))

    async def _meet(self, chart: Chart, who: Colleague, moment: datetime) -> None:
        """Book, come (or not), be seen."""
        appointment = await self._book(chart, who, moment)
        if appointment is None:
            return
        fate = chart.dice.random()
        if fate < 0.05:
            await self.do(CancelAppointment(appointment_id=appointment, reason="Impegno imprevisto"), "receptionist")
        elif fate < 0.09:
            self.later(moment + timedelta(minutes=30))
            await self.do(RecordNoShow(appointment_id=appointment), "receptionist")
        else:
            self.later(moment - timedelta(minutes=5))
            await self._visit(chart, who, appointment)

    async def _book(self, chart: Chart, who: Colleague, moment: datetime) -> UUID | None:
        wish = ScheduleAppointment(
            patient_id=chart.id,
            doctor_id=self.clinic.staff[who.login],
            appointment_datetime=moment,
            duration_minutes=30,
            visit_type=chart.story.visit_type,
            location_id=self.clinic.location,
            reason=chart.story.words(chart.person.language).assessment,
        )
        try:
            return await self.do(wish, "receptionist", 0.3)
        except Refused:  # a holiday, or the slot is taken: they come another day
            return None

    async def _visit(self, chart: Chart, who: Colleague, appointment: UUID, *, finished: bool = True) -> None:
        visit = uuid5(appointment, "visit")
        await self.do(CheckIn(appointment_id=appointment), "receptionist", 4)
        await self.do(
            StartVisit(
                visit_id=visit,
                patient_id=chart.id,
                practitioner_id=self.clinic.staff[who.login],
                appointment_id=appointment,
                location_id=self.clinic.location,
            ),
            who.login,
            1,
        )
        age = chart.person.age(self.clock.now().date())
        measures = vitals_of(chart.story, age, chart.body, chart.dice)
        await self.do(RecordVitals(patient_id=chart.id, visit_id=visit, consciousness="A", **measures), "nurse", 4)  # type: ignore[arg-type]
        note = await self._write(chart, who, visit)
        if not finished:
            return
        diagnosis = RecordDiagnosis(visit_id=visit, code=chart.story.code)
        await self.do(diagnosis, who.login, 1)
        await self._plan(chart, who, visit)
        await treat(self.do, chart, who.login, visit)
        page = await self.house.bus.ask(NoteById(note_id=note), self.clinic.callers[who.login])
        await self.do(SignNote(note_id=note, content_hash=page.note.content_hash), who.login, 1)
        await self.do(CompleteVisit(visit_id=visit), who.login, 1)

    async def _write(self, chart: Chart, who: Colleague, visit: UUID) -> UUID:
        words = chart.story.words(chart.person.language)
        number = chart.dice.randint(2, 6) if chart.story.every_days < 60 else chart.dice.randint(132, 158)
        if chart.story.name in ("fibrillation", "check", "thyroid", "heart-failure", "cold", "asthma", "frail"):
            number = chart.dice.randint(2, 4) if chart.story.name != "fibrillation" else chart.dice.choice((20, 30, 45))
        return await self.do(
            SaveDraft(
                visit_id=visit,
                subjective=chart.dice.choice(words.subjective).replace("{n}", str(number)),
                objective=words.objective,
                assessment=words.assessment,
                plan=words.plan,
            ),
            who.login,
            6,
        )

    async def _plan(self, chart: Chart, who: Colleague, visit: UUID) -> None:
        plan = (PlanItem(kind="follow-up", text=chart.story.words(chart.person.language).plan),)
        await self.do(SetTreatmentPlan(visit_id=visit, items=plan), who.login, 0.5)

    # ------------------------------------------------------------ today
    async def _today(self, today: date, now: datetime) -> None:
        """Part of the day is over, somebody waits, somebody is being seen, the rest is to come; and two weeks ahead.

        The clock is not past `now` at the end: nobody waits since a time that is still to come.
        """
        self.later(now - timedelta(minutes=130))
        self.pace = 0.05
        await self._book_ahead(today)
        surgeries = [(self.clinic.doctor_for(name), self._expected(name, today)) for name in STORIES]
        for who, charts in surgeries:
            await self._come_today(who, charts, now)
        for nth, pace in ((0, 0.55), (1, 0.4)):  # of the second the note is not signed yet
            self.later(now - timedelta(minutes=(120, 60)[nth]))
            self.pace = pace
            for who, charts in surgeries:
                for chart in charts[nth : nth + 1]:  # a small clinic's doctor may expect fewer
                    await self._seen_today(chart, who, _rounded(now - timedelta(minutes=125 - 65 * nth)), nth == 0)
        self.later(now - timedelta(minutes=22))
        self.pace = 1.0
        for nth in (2, 3):
            for who, charts in surgeries:
                for chart in charts[nth : nth + 1]:
                    await self._waits_today(chart, who, _rounded(now + timedelta(minutes=35 * (nth - 2) - 5)))
        self.later(now - timedelta(seconds=5))
        await self.house.bus.settled()

    def _expected(self, stories: str, today: date) -> list[Chart]:
        """Whom a doctor may see today: first those who were not waited for on the days before."""
        return sorted((c for c in self.charts if c.story.doctor == stories), key=lambda chart: chart.due <= today)

    async def _seen_today(self, chart: Chart, who: Colleague, moment: datetime, finished: bool) -> None:
        appointment = await self._urgent(chart, who, moment)
        if appointment:
            await self._visit(chart, who, appointment, finished=finished)

    async def _waits_today(self, chart: Chart, who: Colleague, moment: datetime) -> None:
        appointment = await self._urgent(chart, who, moment)
        if appointment:
            await self.do(CheckIn(appointment_id=appointment), "receptionist", 2)

    async def _come_today(self, who: Colleague, charts: list[Chart], now: datetime) -> None:
        for nth, chart in enumerate(charts[4:11]):
            appointment = await self._urgent(chart, who, _rounded(now + timedelta(minutes=75 + 35 * nth)))
            if appointment and nth % 2:
                await self.do(ConfirmAppointment(appointment_id=appointment), "receptionist", 0.1)

    async def _urgent(self, chart: Chart, who: Colleague, moment: datetime) -> UUID | None:
        """Today's times follow the clock on the wall, whatever the opening hours are."""
        wish = ScheduleAppointment(
            patient_id=chart.id,
            doctor_id=self.clinic.staff[who.login],
            appointment_datetime=moment,
            duration_minutes=30,
            visit_type=chart.story.visit_type,
            location_id=self.clinic.location,
            overbook_reason="Agenda di oggi",
            reason=chart.story.words(chart.person.language).assessment,
        )
        try:
            return await self.do(wish, "receptionist", 0.05)
        except Refused:
            return None

    async def _book_ahead(self, today: date) -> None:
        ahead = [today + timedelta(days=n) for n in range(1, 15)]
        for chart in self.charts[30:130]:
            day = chart.dice.choice([day for day in ahead if day.weekday() < 5])
            who = self.clinic.doctor_for(chart.story.doctor)
            await self._book(chart, who, self.at(day, chart.dice.choice(SLOTS)))

    # ------------------------------------------------------------ one story to look at
    async def _maria(self) -> None:
        """Maria Rossi: what changed since last Tuesday is what the chart's past shows."""
        chart = self.charts[0]
        for code, display in (("I48.91", "Fibrillazione atriale"), ("M17.0", "Gonartrosi bilaterale")):
            await self.do(
                RecordProblem(
                    patient_id=chart.id, code=code, system="http://hl7.org/fhir/sid/icd-10-cm", display=display
                ),
                "doctor",
                0.2,
            )
        anticoagulant = medicine("apixaban", "5 mg", "2 volte al giorno", "90 giorni", "3 confezioni")
        await prescribe(self.do, chart, "cardiologist", (anticoagulant,))


def _registration(person: Person, number: int) -> RegisterPatient:
    italian = person.language == "it"
    return RegisterPatient(
        given_name=person.given_name,
        family_name=person.family_name,
        date_of_birth=person.born,
        gender=person.gender,
        phone=person.phone,
        email=person.email,
        language=person.language,
        address=GivenAddress(
            line1=person.street, city=person.town[0], state=person.town[1], postal_code=person.town[2]
        ),
        identifiers=(GivenIdentifier(system="codice-fiscale", value=person.codice_fiscale),) if italian else (),
        emergency_contacts=(
            GivenEmergencyContact(name=f"Famiglia {person.family_name}", phone=f"+3908955{70000 + number:05}"[:13]),
        )
        if number % 3 == 0
        else (),
        confirmed_not_duplicate=True,
    )


def _rounded(moment: datetime) -> datetime:
    """To the quarter of an hour before."""
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def _day_after_last_tuesday(today: date) -> date:
    """What was recorded then is not in the chart as it stood on Tuesday."""
    days_since = (today.weekday() - 1) % 7 or 7
    tuesday = today - timedelta(days=days_since if days_since > 1 else 8)
    return tuesday + timedelta(days=1)
