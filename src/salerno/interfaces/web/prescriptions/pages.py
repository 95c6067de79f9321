"""The pages of prescriptions. Every way to sign goes through the same sheet: what is posted is what was shown."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from salerno.contexts.organisations.queries import Organisation, OrganisationSheet
from salerno.contexts.prescribing.commands import (
    CancelPrescription,
    ChangePrescription,
    IssuePrescription,
    SignPrescription,
)
from salerno.contexts.prescribing.errors import NotWhatYouSaw, UnansweredAlerts
from salerno.contexts.prescribing.events import Medication
from salerno.contexts.prescribing.queries import (
    FindMedicines,
    PrescriptionById,
    PrescriptionPage,
    ScreenPrescription,
)
from salerno.interfaces.http import (
    Body,
    Filled,
    Request,
    Response,
    ask,
    from_form,
    get,
    post,
    read_form,
    read_query,
    submit,
)
from salerno.interfaces.http.problems import field_error
from salerno.interfaces.web import clinical_words, visit_words
from salerno.interfaces.web.pages import go_to, render, wants_part
from salerno.interfaces.web.prescriptions.sheet import Sheet, new_sheet, sheet_in, sheet_of
from salerno.interfaces.web.rights import require
from salerno.interfaces.web.whose import names_of, now_of, whose
from salerno.kernel.errors import Conflict, Invalid, NotFound

CHART = "/chart/{patient_id:uuid}"
PRESCRIPTION = "/prescription/{prescription_id:uuid}"
HTML = "text/html"
SIGN, DRAFT, LINE, CHECK, WITHOUT = "sign", "draft", "line", "check", "without-"

__all__ = ["PAGES", "clinical_words", "visit_words"]


class Wanted(Body):
    visit: UUID | None = None


class Sought(Body):
    q: Annotated[str, Meta(max_length=200)] = ""


class Because(Body):
    because: Annotated[str, Meta(min_length=3, max_length=2_000, pattern=r"\S\S")]


def _patient(request: Request[Any, Any, Any]) -> UUID:
    return UUID(str(request.path_params["patient_id"]))


def _id(request: Request[Any, Any, Any]) -> UUID:
    return UUID(str(request.path_params["prescription_id"]))


@get("/codes/medicines", of=FindMedicines, query=Sought, media=HTML)
async def medicine_names(request: Request[Any, Any, Any]) -> Response[Any]:
    """Medicines for a field, found as they are typed; of the first, the usual strengths too."""
    wanted = read_query(request, Sought)
    found = await ask(request, FindMedicines(q=wanted.q, limit=8)) if wanted.q.strip() else ()
    return render(request, "prescriptions/medicines.html", found=found)


@get(f"{CHART}/prescriptions/new", of=IssuePrescription, query=Wanted, media=HTML)
async def begin(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty prescription."""
    require(request, IssuePrescription)
    return await _sheet(request, _patient(request), new_sheet(now_of(request), read_query(request, Wanted).visit))


async def _sheet(request: Request[Any, Any, Any], patient: UUID, sheet: Sheet, status: int = 200) -> Response[Any]:
    template = "prescriptions/sheet.html" if wants_part(request) else "prescriptions/new.html"
    person = None if wants_part(request) else await whose(request, patient)
    return render(request, template, status=status, sheet=sheet, patient_id=patient, person=person)


async def _screen(request: Request[Any, Any, Any], patient: UUID, sheet: Sheet) -> list[Medication]:
    """Ask the tables about every line that can be read."""
    before = list(sheet.errors)
    medications = sheet.medications()
    wrong = {error.path.split(".")[1] for error in sheet.errors if error.path.startswith("line.")}
    lines = [line for line in sheet.filled_lines if str(line.number) not in wrong]
    sheet.errors = before
    if medications:
        query = ScreenPrescription(patient_id=patient, medications=tuple(medications), prescription_id=sheet.id)
        sheet.take(await ask(request, query), lines)
    return medications


@post(f"{CHART}/prescriptions/screen", of=ScreenPrescription, media=HTML)
async def screen(request: Request[Any, Any, Any]) -> Response[Any]:
    """What speaks against the lines as they are typed, each beside its line. Nothing is written."""
    sheet = sheet_in(await read_form(request), now_of(request))
    await _screen(request, _patient(request), sheet)
    return render(request, "prescriptions/screened.html", sheet=sheet, patient_id=_patient(request))


@post(f"{CHART}/prescriptions/new", of=IssuePrescription, media=HTML)
async def order(request: Request[Any, Any, Any]) -> Response[Any]:
    """The sheet with one line more or less, checked, kept as a draft, or signed."""
    patient, filled = _patient(request), await read_form(request)
    sheet, then = sheet_in(filled, now_of(request)), filled.get("then", SIGN)
    if then == LINE:
        sheet.add()
    elif then.startswith(WITHOUT) and then.removeprefix(WITHOUT).isdecimal():
        sheet.drop(int(then.removeprefix(WITHOUT)))
    elif then in (SIGN, DRAFT):
        return await _write(request, patient, sheet, sign=then == SIGN)
    await _screen(request, patient, sheet)
    return await _sheet(request, patient, sheet)


async def _write(request: Request[Any, Any, Any], patient: UUID, sheet: Sheet, *, sign: bool) -> Response[Any]:
    medications = tuple(sheet.medications())
    if not sheet.filled_lines:
        number = sheet.lines[0].number if sheet.lines else 0
        sheet.errors = [field_error(f"line.{number}.name", "missing", "Name at least one medicine.")]
        if not sheet.lines:
            sheet.add()
    if sheet.errors:
        await _screen(request, patient, sheet)
        return await _sheet(request, patient, sheet, 422)
    try:
        if sheet.shown:
            await _rewrite(request, sheet, medications, sign=sign)
        else:
            await submit(request, _issue(patient, sheet, medications, sign=sign))
    except UnansweredAlerts:
        await _screen(request, patient, sheet)
        sheet.unanswered([*sheet.general, *(alert for line in sheet.lines for alert in line.alerts)])
        return await _sheet(request, patient, sheet, 422)
    except NotWhatYouSaw as moved:
        return await _moved_on(request, sheet.id, moved)
    except (Conflict, Invalid) as refusal:
        sheet.refused, sheet.code = str(refusal), refusal.code
        await _screen(request, patient, sheet)
        return await _sheet(request, patient, sheet, 409)
    return go_to(request, _where_next(sheet))


def _where_next(sheet: Sheet) -> str:
    """Back to the visit. The address differs from the one shown, or a browser would only scroll and not look again."""
    return f"/visit/{sheet.visit}?ordered={sheet.id}#orders" if sheet.visit else f"/prescription/{sheet.id}"


def _issue(patient: UUID, sheet: Sheet, medications: tuple[Medication, ...], *, sign: bool) -> IssuePrescription:
    return IssuePrescription(
        prescription_id=sheet.id, patient_id=patient, visit_id=sheet.visit, medications=medications,
        diagnosis=sheet.diagnosis, sign=sign, overrides=sheet.overrides() if sign else (),
    )  # fmt: skip


async def _rewrite(
    request: Request[Any, Any, Any], sheet: Sheet, medications: tuple[Medication, ...], *, sign: bool
) -> None:
    """A stored draft: only while it is still what this sheet was begun from; signed by the hash of what it becomes."""
    stored: PrescriptionPage = await ask(request, PrescriptionById(prescription_id=sheet.id))
    if stored.prescription.content_hash != sheet.shown:
        raise NotWhatYouSaw
    change = ChangePrescription(prescription_id=sheet.id, medications=medications, diagnosis=sheet.diagnosis)
    await submit(request, change)
    changed: PrescriptionPage = await ask(request, PrescriptionById(prescription_id=sheet.id))
    sheet.shown = changed.prescription.content_hash
    if sign:
        await submit(
            request,
            SignPrescription(prescription_id=sheet.id, overrides=sheet.overrides(), content_hash=sheet.shown),
        )


async def _moved_on(request: Request[Any, Any, Any], id: UUID, moved: NotWhatYouSaw) -> Response[Any]:
    """The draft as it stands now, to be read before anything is signed."""
    page: PrescriptionPage = await ask(request, PrescriptionById(prescription_id=id))
    sheet = sheet_of(page)
    sheet.refused, sheet.code = str(moved), moved.code
    return await _sheet(request, page.prescription.patient, sheet, 409)


@get(PRESCRIPTION, of=PrescriptionById, media=HTML)
async def prescription(request: Request[Any, Any, Any]) -> Response[Any]:
    """A draft to go on with, or a prescription as it was signed."""
    return await _prescription(request)


async def _prescription(
    request: Request[Any, Any, Any], *, filled: Filled | None = None, refused: str = "", errors: Any = ()
) -> Response[Any]:
    page: PrescriptionPage = await ask(request, PrescriptionById(prescription_id=_id(request)))
    status = 409 if refused else 422 if errors else 200
    return render(
        request, "prescriptions/prescription.html", status=status, page=page, sheet=sheet_of(page),
        patient_id=page.prescription.patient, person=await whose(request, page.prescription.patient),
        names=await names_of(request, _people(page)), filled=filled or {}, refused=refused, errors=list(errors),
    )  # fmt: skip


def _people(page: PrescriptionPage) -> list[UUID | None]:
    one = page.prescription
    return [one.prescriber, one.signer, *(override.by for override in one.overrides)]


@post(f"{PRESCRIPTION}/cancel", of=CancelPrescription, takes=Because, media=HTML)
async def cancel(request: Request[Any, Any, Any]) -> Response[Any]:
    """Cancel it, with the reason. It stays in the history."""
    filled = await read_form(request)
    wanted, errors = from_form(Because, filled)
    if wanted is None:
        why = [field_error(each.path, "say-why", "Say why, in a few words.") for each in errors]
        return await _prescription(request, filled=filled, errors=why)
    try:
        await submit(request, CancelPrescription(prescription_id=_id(request), reason=wanted.because))
    except (Conflict, Invalid) as refusal:
        return await _prescription(request, filled=filled, refused=str(refusal))
    return go_to(request, f"/prescription/{_id(request)}")


@get(f"{PRESCRIPTION}/print", of=PrescriptionById, media=HTML)
async def paper(request: Request[Any, Any, Any]) -> Response[Any]:
    """A signed prescription as it is handed over. Nothing else is ever printed as one."""
    page: PrescriptionPage = await ask(request, PrescriptionById(prescription_id=_id(request)))
    if page.prescription.status != "signed":
        raise NotFound("Only a signed prescription is printed.")
    return render(
        request, "prescriptions/paper.html", page=page, person=await whose(request, page.prescription.patient),
        names=await names_of(request, _people(page)), practice=await _practice(request),
    )  # fmt: skip


async def _practice(request: Request[Any, Any, Any]) -> Any:
    """Who hands it over; nothing where the practice has not said who it is."""
    try:
        sheet: OrganisationSheet = await ask(request, Organisation())
    except NotFound:
        return None
    return sheet.organisation


PAGES = [medicine_names, begin, screen, order, prescription, cancel, paper]
