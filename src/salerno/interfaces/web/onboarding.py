"""From signing up to the first patient: a practice is founded, then one calm question after the other."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta, structs

from salerno.contexts.identity.commands import CreateUser, RegisterFounder, UpdateUser
from salerno.contexts.identity.commands.further_roles import PractiseMyself
from salerno.contexts.identity.queries import GrantableRoles, Me
from salerno.contexts.organisations.commands import (
    AddLocation,
    ChangeSettings,
    CompleteOnboarding,
    FoundOrganisation,
)
from salerno.contexts.organisations.errors import NoSuchOrganisation
from salerno.contexts.organisations.queries import Locations, OnboardingFlow, Organisation, Specialties
from salerno.contexts.scheduling.commands import AddRoom, DefineVisitType
from salerno.contexts.staff.commands import AddStaffMember
from salerno.interfaces.http import (
    Body,
    FieldError,
    Filled,
    Request,
    Response,
    ask,
    bus_of,
    caller_of,
    caller_or_nobody,
    from_form,
    get,
    post,
    read_form,
    read_query,
    session_of,
)
from salerno.interfaces.http.cookies import sign_in
from salerno.interfaces.http.problems import problem_of
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.rights import require
from salerno.interfaces.web.settings import lists
from salerno.interfaces.web.settings.locations import DAYS, opening_of
from salerno.interfaces.web.settings.saving import FRESH, Attempt, attempt, wrong
from salerno.kernel.errors import Invalid, NotAllowed, NotFound, TooMany, Unavailable

HTML = "text/html"
PATH, START = "/onboarding", "/sign-up/practice"
STEP = f"{PATH}/step"
Kind = Literal["independent", "clinic", "hospital"]
FOUNDING, ONESELF, DONE = "practice", "oneself", "done"
ASKS: dict[str, Any] = {
    "change-settings": ChangeSettings,
    "add-location": AddLocation,
    "add-staff-member": AddStaffMember,
    "define-visit-type": DefineVisitType,
    "add-room": AddRoom,
    "create-user": CreateUser,
}


class Founder(Body):
    given_name: Annotated[str, Meta(min_length=1, max_length=120)]
    family_name: Annotated[str, Meta(min_length=1, max_length=120)]
    email: Annotated[str, Meta(min_length=3, max_length=254)]
    password: str = ""


class Chosen(Body):
    kind: Kind | None = None


class Stop(Body):
    """A stop on the way: where one is, and how it is called in both languages."""

    code: str
    it: str
    en: str


# ------------------------------------------------------------------ before anybody is signed in
def _start(request: Request[Any, Any, Any], filled: Mapping[str, str], tried: Attempt = FRESH) -> Response[Any]:
    return render(
        request, "onboarding/start.html", status=tried.status, filled=filled, errors=tried.errors, said=tried.said
    )


@get(START, public="whoever starts a practice is nobody yet", media=HTML)
async def start(request: Request[Any, Any, Any]) -> Response[Any]:
    """Who starts a practice."""
    return _start(request, {})


@post(START, of=RegisterFounder, public="whoever starts a practice is nobody yet", media=HTML)
async def begin(request: Request[Any, Any, Any]) -> Response[Any]:
    """Ask for the account; what is said does not tell whether there is one already."""
    filled = await read_form(request)
    form, errors = from_form(Founder, filled)
    if form is None:
        return _start(request, filled, wrong(errors))
    wish = RegisterFounder(
        email=form.email,
        password=filled.get("password", ""),
        given_name=form.given_name,
        family_name=form.family_name,
        language=look_of(request).language,  # type: ignore[arg-type]
    )
    try:
        made = await bus_of(request).ask(wish, caller_or_nobody(request))
    except (Invalid, TooMany, Unavailable) as refusal:
        problem = problem_of(refusal)
        said = "" if problem.errors else problem.sentence
        return _start(request, filled, Attempt(said=said, errors=problem.errors, status=problem.status))
    return render(
        request,
        "onboarding/started.html",
        status=201,
        waiting=made.status == "pending",
        unverified=made.status == "unverified",
    )


# ------------------------------------------------------------------ the founding
@get(PATH, of=FoundOrganisation, query=Chosen, media=HTML)
async def onboarding(request: Request[Any, Any, Any]) -> Response[Any]:
    """Where the way begins, or goes on."""
    require(request, FoundOrganisation)
    known = await _organisation(request)
    if known is None:
        return await _founding(request, read_query(request, Chosen).kind)
    stops = await _stops(request, known.kind)
    return go_to(request, "/today" if known.onboarded else f"{STEP}/{stops[1].code}")


async def _organisation(request: Request[Any, Any, Any]) -> Any:
    try:
        return (await ask(request, Organisation())).organisation
    except NoSuchOrganisation:
        return None


async def _stops(request: Request[Any, Any, Any], kind: str) -> Sequence[Stop]:
    """Founding, what the kind's flow asks, and oneself as the first who sees patients."""
    flow = await ask(request, OnboardingFlow(kind=kind))  # type: ignore[arg-type]
    stops = [Stop(code=step.code, it=step.title.it, en=step.title.en) for step in flow.steps]
    stops[0] = Stop(code=FOUNDING, it=stops[0].it, en=stops[0].en)
    where = next(number for number, stop in enumerate(stops) if stop.code == "where")
    return [*stops[: where + 1], Stop(code=ONESELF, it="Lei", en="Yourself"), *stops[where + 1 :]]


async def _founding(
    request: Request[Any, Any, Any], kind: Kind | None, filled: Any = None, tried: Attempt = FRESH
) -> Response[Any]:
    kinds: tuple[Kind, ...] = ("independent", "clinic", "hospital")
    flows = [await ask(request, OnboardingFlow(kind=each)) for each in kinds]
    if kind is None:
        return render(request, "onboarding/kinds.html", flows=flows)
    flow = flows[kinds.index(kind)]
    typed = filled or {"country": "IT", "timezone": ""}
    return await _page(request, kind, flow.steps[0], FOUNDING, typed, tried)


@post(PATH, of=FoundOrganisation, media=HTML)
async def found(request: Request[Any, Any, Any]) -> Response[Any]:
    """Found the practice."""
    filled = await read_form(request)
    form, errors = from_form(FoundOrganisation, filled)
    kind = filled.get("kind", "")
    if form is None:
        return await _founding(request, kind if kind in lists.KINDS else None, filled, wrong(errors))  # type: ignore[arg-type]
    tried = await attempt(request, form)
    if not tried.fine:
        return await _founding(request, form.kind, filled, tried)
    await bus_of(request).settled()
    return go_to(request, PATH)


# ------------------------------------------------------------------ step by step
@get(f"{STEP}/{{code:str}}", of=CompleteOnboarding, media=HTML)
async def step(request: Request[Any, Any, Any]) -> Response[Any]:
    """One question."""
    require(request, CompleteOnboarding)
    return await _step(request, await _first_words(request))


async def _first_words(request: Request[Any, Any, Any]) -> dict[str, str]:
    if request.path_params["code"] != ONESELF:
        return {"role": "DOCTOR", "minutes": "30"}
    me = await ask(request, Me())
    return {"given_name": me.given_name, "family_name": me.family_name, "email": me.email, "role": "DOCTOR"}


async def _step(request: Request[Any, Any, Any], filled: Any, tried: Attempt = FRESH) -> Response[Any]:
    known = await _organisation(request)
    code = str(request.path_params["code"])
    if known is None:
        return go_to(request, PATH)
    return await _page(request, known.kind, await _asked(request, known.kind, code), code, filled, tried)


async def _asked(request: Request[Any, Any, Any], kind: str, code: str) -> Any:
    """The step of the flow. Oneself is asked what other doctors are asked."""
    wanted = "doctors" if code == ONESELF else code
    for each in (kind, "clinic"):
        flow = await ask(request, OnboardingFlow(kind=each))  # type: ignore[arg-type]
        for one in flow.steps:
            if one.code == wanted and (each == kind or code == ONESELF):
                return one
    raise NotFound()


async def _page(
    request: Request[Any, Any, Any], kind: str, asked: Any, code: str, filled: Any, tried: Attempt
) -> Response[Any]:
    stops = await _stops(request, kind)
    founded = code != FOUNDING
    return render(
        request, "onboarding/step.html", status=tried.status,
        kind=kind, asked=asked, code=code, stops=stops, filled=filled, errors=tried.errors, said=tried.said,
        many=getattr(filled, "many", {}), days=DAYS, choices=await _choices(request, founded), founded=founded,
        after=_after(stops, code), place=[stop.code for stop in stops].index(code),
    )  # fmt: skip


def _after(stops: Sequence[Stop], code: str) -> str:
    codes = [stop.code for stop in stops]
    number = codes.index(code) + 1
    return f"{STEP}/{codes[number]}" if number < len(codes) else f"{STEP}/{DONE}"


async def _choices(request: Request[Any, Any, Any], founded: bool) -> dict[str, Sequence[tuple[str, str]]]:
    """What is chosen from; roles as codes, which the template says in words."""
    language = look_of(request).language
    presets = await ask(request, Specialties())
    places = await ask(request, Locations()) if founded else ()
    return {
        "countries": lists.countries(language),
        "timezones": lists.timezones(),
        "languages": lists.languages(),
        "specialties": [(one.code, getattr(one.name, language)) for one in presets],
        "locations": [(str(one.id), one.name) for one in places],
        "roles": [(role, role) for role in await ask(request, GrantableRoles()) if role != "PATIENT"],
    }


@post(f"{STEP}/{{code:str}}", of=CompleteOnboarding, media=HTML)
async def answer_step(request: Request[Any, Any, Any]) -> Response[Any]:
    """Save the answer and go on, or ask the same again where several are welcome."""
    code, filled = str(request.path_params["code"]), await read_form(request)
    known = await _organisation(request)
    if known is None:
        return go_to(request, PATH)
    asked = await _asked(request, known.kind, code)
    again = filled.pop("again", "")
    filled.many.pop("again", None)
    command, errors = _command(asked.command, filled)
    tried = wrong(errors) if command is None else await attempt(request, command)
    if not tried.fine:
        return await _step(request, filled, tried)
    await _follow_up(request, code, command, tried)
    stops = await _stops(request, known.kind)
    made = go_to(request, f"{STEP}/{code}" if again and asked.repeats else _after(stops, code))
    return await _practise(request, made) if code == ONESELF else made


def _command(name: str, filled: Filled) -> tuple[Any, list[FieldError]]:
    """The form as the command that the step asks for."""
    shape = ASKS[name]
    hours: dict[str, dict[str, dict[str, str]]] = {}
    for path in [path for path in filled.many if path.startswith("opening.")]:
        _, day, half, end = path.split(".") if path.count(".") == 3 else ("", "", "", "")
        if filled.many.pop(path)[0] and day:
            hours.setdefault(day, {}).setdefault(half, {})[end] = filled[path]
    if shape is DefineVisitType and filled.get("name_en"):
        filled.take("code", _code(filled["name_en"]))
    if shape is AddStaffMember and filled.get("specialty"):
        filled.many["specialty"] = filled.many["specialty"][-1:]
    form, errors = from_form(shape, filled)
    if form is not None and hours:
        form = structs.replace(form, opening=opening_of(hours))
    return form, errors


def _code(name: str) -> str:
    plain = unicodedata.normalize("NFD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "visit"


async def _follow_up(request: Request[Any, Any, Any], code: str, command: Any, tried: Attempt) -> None:
    if code == ONESELF and tried.id is not None:
        await _be(request, tried)
    elif code == "specialty" and isinstance(command.specialties, tuple):
        await _offer(request, command.specialties)


async def _be(request: Request[Any, Any, Any], tried: Attempt) -> None:
    """The account is this member of staff from now on."""
    await attempt(request, UpdateUser(account_id=caller_of(request).actor, staff_id=tried.id))


async def _practise(request: Request[Any, Any, Any], made: Response[Any]) -> Response[Any]:
    """The founder of an independent practice prescribes with this account; elsewhere another administrator decides."""
    try:
        opened = await ask(request, PractiseMyself())
    except NotAllowed:
        return made
    found = session_of(request)
    return sign_in(request, made, opened.token, found.expires_at) if found else made


async def _offer(request: Request[Any, Any, Any], chosen: Sequence[str]) -> None:
    """The visit types that practices of these specialties usually have."""
    for preset in await ask(request, Specialties()):
        if preset.code not in chosen:
            continue
        for one in preset.visit_types:
            await attempt(
                request,
                DefineVisitType(
                    code=one.code,
                    name_it=one.name.it,
                    name_en=one.name.en,
                    minutes=one.minutes,
                    kind=one.kind,
                    buffer_after=one.buffer_after,
                    colour=one.colour,
                ),
            )


@get(f"{STEP}/{DONE}", of=CompleteOnboarding, media=HTML)
async def done(request: Request[Any, Any, Any]) -> Response[Any]:
    """The practice is ready."""
    if await _organisation(request) is None:
        raise NotAllowed()
    return render(request, "onboarding/done.html")


@post(f"{STEP}/{DONE}", of=CompleteOnboarding, media=HTML)
async def finish(request: Request[Any, Any, Any]) -> Response[Any]:
    """Nothing is asked again; the first day begins."""
    await attempt(request, CompleteOnboarding())
    return go_to(request, "/today")


PAGES = [start, begin, onboarding, found, done, finish, step, answer_step]
