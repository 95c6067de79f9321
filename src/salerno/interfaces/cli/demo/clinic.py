"""Where the demo plays: a polyclinic in Salerno, who works there, and when."""

from dataclasses import dataclass
from uuid import UUID

from salerno.app import House
from salerno.contexts.identity.commands import CreateUser
from salerno.contexts.identity.commands.made_roles import DefineRole
from salerno.contexts.organisations.commands import AddLocation, CompleteOnboarding, GivenAddress, RegisterOrganisation
from salerno.contexts.scheduling.commands import AddRoom
from salerno.contexts.staff.commands import AddStaffMember, DoctorDetails, SetWorkingHours, WeeklyHours
from salerno.kernel.clock import uuid7
from salerno.kernel.messages import Caller

PASSWORD = "password123"  # noqa: S105 - public on purpose, and refused in production


@dataclass(frozen=True, slots=True)
class Colleague:
    """One who works at the clinic: the login, the staff record, and which stories a doctor takes."""

    login: str
    role: str
    given_name: str
    family_name: str
    title: str = ""
    specialty: str = ""
    stories: str = ""
    language: str = "it"


COLLEAGUES = (
    Colleague("doctor", "DOCTOR", "Alessandro", "Bell", "Dr.", "Geriatrics and acupuncture", "geriatrics"),
    Colleague("gp", "DOCTOR", "Trotula", "Ruggiero", "Dr.ssa", "General practice", "general"),
    Colleague("cardiologist", "DOCTOR", "Costantino", "Mansi", "Dr.", "Cardiology", "cardiology"),
    Colleague("nurse", "NURSE", "Rebecca", "Guarna"),
    Colleague("receptionist", "RECEPTIONIST", "Abella", "Castellomata"),
    Colleague("pharmacist", "PHARMACIST", "Matteo", "Plateario"),
    Colleague("lab", "LAB_TECHNICIAN", "Mercuriade", "Silvatico"),
    Colleague("admin", "ADMIN", "Costanza", "Calenda"),
)


@dataclass(frozen=True, slots=True)
class Clinic:
    """The ids that the story needs, and callers for everybody in it."""

    organisation: UUID
    location: UUID
    rooms: tuple[UUID, ...]
    staff: dict[str, UUID]
    callers: dict[str, Caller]

    def doctor_for(self, stories: str) -> Colleague:
        return next(colleague for colleague in COLLEAGUES if colleague.stories == stories)


def caller(house: House, organisation: UUID, actor: UUID, colleague: Colleague | None = None) -> Caller:
    return Caller(
        actor=actor,
        organisation=organisation,
        role=colleague.role if colleague else "SUPER_ADMIN",
        permissions=frozenset(house.bus.permissions()),
        name=f"{colleague.given_name} {colleague.family_name}" if colleague else "Demo",
        purpose="treatment" if colleague else "operations",
        address="127.0.0.1",
        request="demo",
    )


async def open_clinic(house: House) -> Clinic:
    """Register the organisation, its places, its people and their logins."""
    bus = house.bus
    organisation = uuid7(bus.clock.now())
    founder = caller(house, organisation, uuid7(bus.clock.now()))
    address = GivenAddress(line1="Via Trotula de Ruggiero 11", city="Salerno", state="SA", postal_code="84121")
    await bus.handle(
        RegisterOrganisation(
            organisation_id=organisation,
            kind="clinic",
            name="Poliambulatorio Salerno",
            timezone="Europe/Rome",
            languages=("it", "en"),
            address=address,
            phone="+39089555000",
            email="info@example.com",
            specialties=("geriatrics", "acupuncture", "general-practice"),
        ),
        founder,
    )
    await bus.handle(CompleteOnboarding(), founder)
    location = (
        await bus.handle(AddLocation(name="Centro", address=address, phone="+39089555000"), founder)
    ).aggregate_id
    await bus.handle(AddLocation(name="Torrione", phone="+39089555001"), founder)
    await bus.settled()
    rooms = [
        (await bus.handle(AddRoom(name=name, location_id=location), founder)).aggregate_id
        for name in ("Ambulatorio 1", "Ambulatorio 2", "Ambulatorio 3")
    ]
    staff: dict[str, UUID] = {}
    callers: dict[str, Caller] = {"founder": founder}
    for colleague in COLLEAGUES:
        staff[colleague.login] = await _hire(house, founder, colleague, location)
        account = await _give_login(house, founder, colleague, staff[colleague.login])
        callers[colleague.login] = caller(house, organisation, account, colleague)
    await bus.handle(TRIAGE, founder)
    await bus.settled()
    return Clinic(organisation, location, tuple(rooms), staff, callers)


# What an organisation may do with roles, given to nobody: it reads what it needs of whoever is in care or seen here.
TRIAGE = DefineRole(
    title="Infermiere di triage",
    name="TRIAGE_NURSE",
    permissions={
        "patients.find": "yes",
        "patients.banner": "yes",
        "patients.read": "care+location",
        "patients.read_emergency": "care+location",
        "records.read_allergies": "care+location",
        "records.read_vitals": "care+location",
        "records.record_vitals": "care+location",
        "scheduling.read": "yes",
        "scheduling.arrive": "yes",
    },
)


async def _hire(house: House, founder: Caller, colleague: Colleague, location: UUID) -> UUID:
    doctor = colleague.role == "DOCTOR"
    details = (
        DoctorDetails(licence_number=f"SA-{colleague.login}", specialties=(colleague.specialty,)) if doctor else None
    )
    member = await house.bus.handle(
        AddStaffMember(
            given_name=colleague.given_name,
            family_name=colleague.family_name,
            role=colleague.role,
            specialty=colleague.specialty,
            title=colleague.title,
            email=f"test.{colleague.login}@example.com",
            doctor=details,
        ),
        founder,
    )
    if doctor:
        hours = tuple(
            WeeklyHours(weekday=day, start=start, end=end)
            for day in range(5)
            for start, end in (("08:30", "13:00"), ("14:30", "18:30"))
        )
        await house.bus.handle(
            SetWorkingHours(staff_id=member.aggregate_id, location_id=location, hours=hours), founder
        )
    return member.aggregate_id


async def _give_login(house: House, founder: Caller, colleague: Colleague, staff: UUID) -> UUID:
    receipt = await house.bus.handle(
        CreateUser(
            email=f"test.{colleague.login}@example.com",
            password=PASSWORD,
            given_name=colleague.given_name,
            family_name=colleague.family_name,
            role=colleague.role,
            staff_id=staff,
        ),
        founder,
    )
    return receipt.aggregate_id
