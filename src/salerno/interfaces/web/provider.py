"""Pages of the OpenID provider: consent, devices, signing out for a program, and the programs one has let in."""

from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import UUID

from msgspec import Meta

from salerno.contexts.encounters.queries import VisitById, VisitPage, VisitView
from salerno.contexts.identity.commands.provider import (
    AnswerDevice,
    ApplicationLine,
    BeginAuthorization,
    Device,
    EndSession,
    Farewell,
    FindDevice,
    GoOnWithAuthorization,
    LaunchableApplications,
    LaunchApplication,
    MyApplications,
    Step,
    WithdrawApplication,
)
from salerno.contexts.patients.queries import FindPatients, PatientBanner
from salerno.interfaces.http import (
    CLEAR,
    Body,
    Filled,
    Problem,
    Request,
    Response,
    ask,
    bus_of,
    caller_or_nobody,
    get,
    post,
    read_form,
    read_query,
    session_of,
)
from salerno.interfaces.http.bodies import fields_of, media_type
from salerno.interfaces.http.cookies import forget, sign_out
from salerno.interfaces.web.pages import go_to, render
from salerno.interfaces.web.provider_words import told
from salerno.interfaces.web.rights import may
from salerno.kernel.errors import NotFound, Refused, TooMany
from salerno.kernel.messages import Errand

HTML, FORM = "text/html", "application/x-www-form-urlencoded"
MOST, LONGEST, ENOUGH = 60, 10_000, 3
ON_THE_WAY = "who is not signed in is sent to sign in first"
DEVICE, GO = "/device", "/authorize/go"


class Going(Body):
    """Back on the way: `q` looks for the patient that the program wants to work with."""

    q: Annotated[str, Meta(max_length=200)] = ""


class Typed(Body):
    user_code: Annotated[str, Meta(max_length=100)] = ""
    done: Annotated[str, Meta(pattern="^(allowed|denied)?$")] = ""


class Done(Body):
    done: Annotated[str, Meta(pattern="^(withdrawn)?$")] = ""


async def _run(request: Request[Any, Any, Any], errand: Errand) -> Any:
    return await bus_of(request).ask(errand, caller_or_nobody(request))


def _parameters(query: str) -> tuple[tuple[str, str], ...] | None:
    """The address's parameters in their order; None where nobody would send such."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST, errors="strict")
    except ValueError:
        return None
    return None if any(len(value) > LONGEST or "\0" in name + value for name, value in pairs) else tuple(pairs)


def _query_of(request: Request[Any, Any, Any]) -> str:
    return bytes(request.scope["query_string"]).decode("latin-1")


# ------------------------------------------------------------------ the way to a program
@get("/authorize", of=BeginAuthorization, public=ON_THE_WAY, media=HTML)
async def authorize(request: Request[Any, Any, Any]) -> Response[Any]:
    """A program sends its user here to sign in."""
    parameters = _parameters(_query_of(request))
    if parameters is None:
        return _wrong(request, "invalid_request")
    step: Step = await _run(request, BeginAuthorization(parameters=parameters))
    if step.outcome == "back":
        return Response(b"", status_code=303, media_type=HTML, headers={"Location": step.location})
    if step.outcome == "consent":
        return go_to(request, f"{GO}/{step.handle}")
    return _on(request, step)


@post("/authorize", of=BeginAuthorization, public=ON_THE_WAY, media=HTML)
async def authorize_by_form(request: Request[Any, Any, Any]) -> Response[Any]:
    """The same by a form (OpenID Connect Core 3.1.2.1): the browser goes on with an address in its place."""
    if media_type(request) != FORM:
        raise Problem(415, "unsupported-media-type", f"Send {FORM}.")
    parameters = _parameters((await request.body()).decode("latin-1"))
    if parameters is None:
        return _wrong(request, "invalid_request")
    step: Step = await _run(request, BeginAuthorization(parameters=parameters, posted=True))
    if step.outcome != "back":
        return _wrong(request, step.error)
    return Response(b"", status_code=303, media_type=HTML, headers={"Location": step.location})


@get(f"{GO}/{{handle:str}}", of=GoOnWithAuthorization, public=ON_THE_WAY, media=HTML, query=Going)
async def go_on(request: Request[Any, Any, Any]) -> Response[Any]:
    """Signed in by now: ask for consent, or go back to the program."""
    step: Step = await _run(request, GoOnWithAuthorization(handle=_handle(request)))
    if step.outcome == "consent":
        return await _ask(request, step, read_query(request, Going).q)
    return _on(request, step)


@post(f"{GO}/{{handle:str}}", of=GoOnWithAuthorization, public=ON_THE_WAY, media=HTML)
async def decide(request: Request[Any, Any, Any]) -> Response[Any]:
    """What the person answers."""
    filled = await read_form(request)
    patient, known = await _chosen(request, filled)
    decision = filled.get("decision", "")
    wish = GoOnWithAuthorization(
        handle=_handle(request),
        decision=decision if known and decision in ("allow", "deny") else "",  # type: ignore[arg-type]
        scopes=await _scopes(request),
        patient=patient,
    )
    step: Step = await _run(request, wish)
    if step.outcome == "consent":
        return await _ask(request, step, "", status=422)
    return _on(request, step)


def _handle(request: Request[Any, Any, Any]) -> str:
    return str(request.path_params["handle"])[:200]


async def _scopes(request: Request[Any, Any, Any]) -> tuple[str, ...]:
    """Every ticked box has the same name."""
    pairs = parse_qsl((await request.body()).decode("utf-8", "replace"), max_num_fields=500)
    return tuple(value for name, value in pairs if name == "scope")[:100]


async def _chosen(request: Request[Any, Any, Any], filled: Filled) -> tuple[UUID | None, bool]:
    """The patient that was chosen, where whoever chose may see them; it is in the access log from here on."""
    if not filled.get("patient") or filled.get("decision") != "allow":
        return None, True
    try:
        id = UUID(filled["patient"])
        await ask(request, PatientBanner(patient_id=id))
    except (ValueError, Refused):
        return None, False
    return id, True


async def _ask(request: Request[Any, Any, Any], step: Step, words: str, status: int = 200) -> Response[Any]:
    found: Any = ()
    if step.needs_patient and len(words.strip()) >= ENOUGH and may(request, FindPatients):
        found = (await ask(request, FindPatients(q=words.strip(), limit=8))).results
    shown = [(scope, told(scope)) for scope in step.scopes]
    return render(
        request, "provider/consent.html", status=status, step=step, scopes=shown, q=words, found=found,
        needs_choice=status == 422,
    )  # fmt: skip


def _on(request: Request[Any, Any, Any], step: Step) -> Response[Any]:
    """A redirect that follows a form may not leave this site (the policy of its page): a page leads on instead."""
    match step.outcome:
        case "sign-in":
            again = "&again=true" if step.again else ""
            return go_to(request, f"/sign-in?next={quote(f'{GO}/{step.handle}')}{again}")
        case "enrol":
            return go_to(request, "/account#second-factor")
        case "back":
            return _lead(request, step.location)
        case _:
            return _wrong(request, step.error)


def _lead(request: Request[Any, Any, Any], location: str) -> Response[Any]:
    host = urlsplit(location).netloc or urlsplit(location).scheme
    return render(request, "provider/onward.html", location=location, host=host)


def _wrong(request: Request[Any, Any, Any], error: str) -> Response[Any]:
    return render(request, "provider/wrong.html", status=400, error=error)


# ------------------------------------------------------------------ devices
@get(DEVICE, of=FindDevice, media=HTML, query=Typed)
async def device(request: Request[Any, Any, Any]) -> Response[Any]:
    """Type the code that a device shows."""
    if session_of(request) is None:
        return go_to(request, f"/sign-in?next={quote(DEVICE)}")
    typed = read_query(request, Typed)
    return render(request, "provider/device.html", typed=typed, found=None, said="")


@post(DEVICE, of=FindDevice, media=HTML)
async def find_device(request: Request[Any, Any, Any]) -> Response[Any]:
    """Which program it is, and what it wants."""
    typed = Typed(user_code=(await read_form(request)).get("user_code", "")[:100])
    try:
        found: Device = await ask(request, FindDevice(user_code=typed.user_code))
    except (NotFound, TooMany) as refusal:
        status = 404 if isinstance(refusal, NotFound) else 429
        return render(request, "provider/device.html", status=status, typed=typed, found=None, said=refusal.code)
    shown = [(scope, told(scope)) for scope in found.scopes]
    return render(request, "provider/device.html", typed=typed, found=found, scopes=shown, said="")


@post(f"{DEVICE}/answer", of=AnswerDevice, media=HTML)
async def answer_device(request: Request[Any, Any, Any]) -> Response[Any]:
    """Let it in, or not."""
    filled = await read_form(request)
    allow = filled.get("decision") == "allow"
    try:
        await ask(request, AnswerDevice(user_code=filled.get("user_code", "")[:100], allow=allow))
    except (NotFound, TooMany) as refusal:
        status = 404 if isinstance(refusal, NotFound) else 429
        return render(request, "provider/device.html", status=status, typed=Typed(), found=None, said=refusal.code)
    return go_to(request, f"{DEVICE}?done={'allowed' if allow else 'denied'}")


# ------------------------------------------------------------------ signing out for a program
@get("/end-session", of=EndSession, public="a program sends its user here to sign out", media=HTML)
async def end_session(request: Request[Any, Any, Any]) -> Response[Any]:
    """At once for the program of this very session, else with a question."""
    query = _query_of(request)
    return await _end(request, query, confirmed=False)


@post("/end-session", of=EndSession, media=HTML)
async def end_session_for_good(request: Request[Any, Any, Any]) -> Response[Any]:
    """The person wants to be signed out."""
    filled = fields_of(await request.body())
    return await _end(request, filled.get("query", ""), confirmed=True)


async def _end(request: Request[Any, Any, Any], query: str, *, confirmed: bool) -> Response[Any]:
    parameters = _parameters(query)
    if parameters is None:
        return _wrong(request, "invalid_request")
    gone: Farewell = await _run(request, EndSession(parameters=parameters, confirmed=confirmed))
    if not gone.ended:
        return render(request, "provider/end_session.html", name=gone.name, query=query)
    made = _lead(request, gone.location) if gone.location else go_to(request, "/sign-in?done=out")
    made = sign_out(request, made)
    made.headers.update(CLEAR)
    return made


# ------------------------------------------------------------------ the programs one has let in
@get("/account/applications", of=MyApplications, media=HTML, query=Done)
async def applications(request: Request[Any, Any, Any]) -> Response[Any]:
    """Which programs may act for the account, and what each may do."""
    found: list[ApplicationLine] = await ask(request, MyApplications())
    shown = [(one, [told(scope) for scope in one.scopes]) for one in found]
    return render(request, "provider/applications.html", shown=shown, done=read_query(request, Done).done)


@post("/account/applications/withdraw", of=WithdrawApplication, media=HTML)
async def withdraw(request: Request[Any, Any, Any]) -> Response[Any]:
    """It is out at once."""
    await ask(request, WithdrawApplication(client_id=(await read_form(request)).get("client_id", "")[:100]))
    forget(request)
    return go_to(request, "/account/applications?done=withdrawn")


# ------------------------------------------------------------------ from a chart into a program
@get("/chart/{patient_id:uuid}/applications", of=LaunchableApplications, media=HTML)
async def chart_applications(request: Request[Any, Any, Any]) -> Response[Any]:
    """The programs that can be opened for this patient."""
    patient = await ask(request, PatientBanner(patient_id=request.path_params["patient_id"]))
    found: list[ApplicationLine] = await ask(request, LaunchableApplications())
    context = {"patient": patient, "found": found, "visit": None, "back": f"/chart/{patient.id}"}
    return render(request, "provider/launch.html", **context)


@post("/chart/{patient_id:uuid}/applications/{client_id:uuid}", of=LaunchApplication, media=HTML)
async def launch(request: Request[Any, Any, Any]) -> Response[Any]:
    """Open one of them."""
    patient = await ask(request, PatientBanner(patient_id=request.path_params["patient_id"]))
    wish = LaunchApplication(client_id=request.path_params["client_id"], patient_id=patient.id)
    return _lead(request, await ask(request, wish))


@get("/visit/{visit_id:uuid}/applications", of=LaunchableApplications, media=HTML)
async def visit_applications(request: Request[Any, Any, Any]) -> Response[Any]:
    """The programs that can be opened for this visit."""
    visit = await _visit(request)
    patient = await ask(request, PatientBanner(patient_id=visit.patient))
    found: list[ApplicationLine] = await ask(request, LaunchableApplications())
    context = {"patient": patient, "found": found, "visit": visit, "back": f"/visit/{visit.visit}"}
    return render(request, "provider/launch.html", **context)


@post("/visit/{visit_id:uuid}/applications/{client_id:uuid}", of=LaunchApplication, media=HTML)
async def launch_from_visit(request: Request[Any, Any, Any]) -> Response[Any]:
    """Open one of them: it is told of the patient and of the visit."""
    visit = await _visit(request)
    client = request.path_params["client_id"]
    wish = LaunchApplication(client_id=client, patient_id=visit.patient, encounter_id=visit.visit)
    return _lead(request, await ask(request, wish))


async def _visit(request: Request[Any, Any, Any]) -> VisitView:
    """The visit, where whoever asks may see it; it is in the access log from here on."""
    page: VisitPage = await ask(request, VisitById(visit_id=request.path_params["visit_id"]))
    return page.visit


PAGES = [
    authorize, authorize_by_form, go_on, decide, device, find_device, answer_device, end_session, end_session_for_good,
    applications, withdraw, chart_applications, launch, visit_applications, launch_from_visit,
]  # fmt: skip
