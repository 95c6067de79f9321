"""Roles: what the organisation makes of permissions, who may do what, and why somebody may or may not."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.identity.commands import Profile
from salerno.contexts.identity.commands.explaining import ExplainAccess, Explanation
from salerno.contexts.identity.commands.made_roles import ChangeRole, DefineRole, RetireRole
from salerno.contexts.identity.queries import PermissionLine, RoleById, RoleLine, RolePermissions, Roles, Users
from salerno.contexts.patients.queries import PatientNames
from salerno.interfaces.http import Body, Filled, Request, Response, ask, get, post, read_form
from salerno.interfaces.http.problems import field_error, problem_of
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.pages import translate_for
from salerno.interfaces.web.policy_words import CELLS, PERMISSIONS, STEPS, by_room
from salerno.interfaces.web.rights import may, require
from salerno.interfaces.web.settings.saving import FRESH, Attempt, Version, after, attempt, id_in, page, read, wrong
from salerno.interfaces.web.words import word_of
from salerno.kernel.errors import Invalid, NotFound

HTML = "text/html"
PATH = "/settings/roles"
ONE = f"{PATH}/{{role_id:uuid}}"
CELL = "cell."
SHIPPED = ("SUPER_ADMIN", "ADMIN", "DOCTOR", "NURSE", "RECEPTIONIST", "PHARMACIST", "LAB_TECHNICIAN", "PATIENT")
MOST_ACCOUNTS = 200


class RoleForm(Body):
    version: Version = 0
    title: Annotated[str, Meta(max_length=200)] = ""
    name: Annotated[str, Meta(max_length=80)] = ""


class Question(Body):
    """`what` is a permission, `message` a command or query by its name."""

    account_id: UUID
    what: Annotated[str, Meta(max_length=80)] = ""
    message: Annotated[str, Meta(max_length=80)] = ""
    patient_id: UUID | None = None
    scopes: Annotated[str, Meta(max_length=1000)] = ""


class Told(Struct, frozen=True, kw_only=True):
    """A step in the reader's words."""

    passed: bool | None
    text: str


@get(PATH, of=Roles, media=HTML)
async def roles(request: Request[Any, Any, Any]) -> Response[Any]:
    """The roles that this organisation made."""
    found: list[RoleLine] = await ask(request, Roles())
    return page(  # type: ignore[no-any-return]
        request, "roles", "roles", found=found, may_make=may(request, DefineRole), may_ask=may(request, ExplainAccess),
    )  # fmt: skip


@get(f"{PATH}/new", of=DefineRole, media=HTML)
async def new(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty form."""
    require(request, DefineRole)
    return await _form(request, {})


async def _form(
    request: Request[Any, Any, Any], filled: Mapping[str, str], tried: Attempt = FRESH, line: RoleLine | None = None
) -> Response[Any]:
    lines: list[PermissionLine] = await ask(request, RolePermissions())
    offered = {one.permission: one.offered for one in lines if one.offered}
    held = dict(line.permissions) if line else {}
    beyond = {name: (held[name],) for name in held if name not in offered}  # given when somebody else could give it
    made: Response[Any] = page(
        request, "roles", "role", tried, filled=filled, line=line, groups=by_room({*offered, *beyond}),
        offered=beyond | offered, words=PERMISSIONS, cells=CELLS, may_change=may(request, ChangeRole),
    )  # fmt: skip
    return made


def _cells(filled: Filled) -> dict[str, str]:
    return {name.removeprefix(CELL): cell for name, cell in filled.items() if name.startswith(CELL) and cell}


def _plain(filled: Filled) -> Filled:
    """The form without its cells, which are no fields of a struct."""
    plain = Filled()
    for name, text in filled.items():
        if not name.startswith(CELL):
            plain.take(name, text)
    return plain


@post(f"{PATH}/new", of=DefineRole, media=HTML)
async def define(request: Request[Any, Any, Any]) -> Response[Any]:
    """Make it; nobody has it yet."""
    filled = await read_form(request)
    form, errors = read(RoleForm, _plain(filled))
    if form is None:
        return await _form(request, filled, wrong(errors))
    tried = await attempt(request, DefineRole(title=form.title, name=form.name.strip(), permissions=_cells(filled)))
    return after(request, f"{PATH}/{tried.id}", "added") if tried.fine else await _form(request, filled, tried)


def _filled(line: RoleLine) -> dict[str, str]:
    return {"title": line.title, "name": line.name} | {f"{CELL}{name}": cell for name, cell in line.permissions.items()}


@get(ONE, of=RoleById, media=HTML)
async def role(request: Request[Any, Any, Any]) -> Response[Any]:
    """One role."""
    line: RoleLine = await ask(request, RoleById(role_id=id_in(request, "role_id")))
    return await _form(request, _filled(line), line=line)


@post(ONE, of=ChangeRole, media=HTML)
async def change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change it, unless somebody else has meanwhile. Whoever has it has the new permissions within seconds."""
    id, filled = id_in(request, "role_id"), await read_form(request)
    form, errors = read(RoleForm, _plain(filled))
    line: RoleLine = await ask(request, RoleById(role_id=id))
    if form is None:
        return await _form(request, filled, wrong(errors), line)
    command = ChangeRole(role_id=id, title=form.title, permissions=_cells(filled))
    tried = await attempt(request, command, form.version or None)
    return after(request, f"{PATH}/{id}") if tried.fine else await _form(request, filled, tried, line)


@post(f"{ONE}/retire", of=RetireRole, media=HTML)
async def retire(request: Request[Any, Any, Any]) -> Response[Any]:
    """It gives nothing any more."""
    id = id_in(request, "role_id")
    tried = await attempt(request, RetireRole(role_id=id))
    if tried.fine:
        return after(request, PATH, "removed")
    line: RoleLine = await ask(request, RoleById(role_id=id))
    return await _form(request, _filled(line), tried, line)


# ------------------------------------------------------------------ who may do what, and why
@get(f"{PATH}/matrix", of=RolePermissions, media=HTML)
async def matrix(request: Request[Any, Any, Any]) -> Response[Any]:
    """Every role and every permission in one table."""
    lines: dict[str, PermissionLine] = {one.permission: one for one in await ask(request, RolePermissions())}
    made: list[RoleLine] = await ask(request, Roles(status="active"))
    return page(  # type: ignore[no-any-return]
        request, "roles", "matrix", groups=by_room(lines), lines=lines, made=made, shipped=SHIPPED,
        words=PERMISSIONS, cells=CELLS,
    )  # fmt: skip


@get(f"{PATH}/explain", of=ExplainAccess, media=HTML)
async def question(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty question."""
    require(request, ExplainAccess)
    return await _explained(request, {"account_id": request.query_params.get("account", "")}, None)


@post(f"{PATH}/explain", of=ExplainAccess, media=HTML)
async def explain(request: Request[Any, Any, Any]) -> Response[Any]:
    """May somebody do something with a chart, and why?"""
    filled = await read_form(request)
    form, errors = read(Question, filled)
    if form is None:
        return await _explained(request, filled, None, wrong(errors))
    asked = ExplainAccess(
        account_id=form.account_id, message=form.message.strip(), permission="" if form.message.strip() else form.what,
        patient_id=form.patient_id, scopes=form.scopes,
    )  # fmt: skip
    try:
        return await _explained(request, filled, await ask(request, asked))
    except (Invalid, NotFound) as refusal:
        problem = problem_of(refusal)
        beside = {"permission": "what", "message": "message" if form.message.strip() else "what"}
        named = [field_error(beside.get(e.path, e.path), e.code, e.message) for e in problem.errors]
        return await _explained(
            request, filled, None, Attempt(said="" if named else problem.code, errors=named, status=problem.status)
        )


async def _explained(
    request: Request[Any, Any, Any], filled: Mapping[str, str], told: Explanation | None, tried: Attempt = FRESH
) -> Response[Any]:
    accounts = (await ask(request, Users(limit=MOST_ACCOUNTS))).items
    titles = {one.name: one.title for one in await ask(request, Roles())}
    steps = _told(request, told, titles) if told else ()
    shown = filled.get("patient_id-shown", "")
    if told and told.patient_id and may(request, PatientNames) and not shown:
        shown = "".join(one.full_name for one in await ask(request, PatientNames(patient_ids=(told.patient_id,))))
    made: Response[Any] = page(
        request, "roles", "explain", tried, filled=filled, told=told, steps=steps, accounts=_named(accounts),
        groups=by_room(PERMISSIONS), words=PERMISSIONS, shown=shown,
    )  # fmt: skip
    return made


def _named(accounts: Sequence[Profile]) -> list[tuple[str, str]]:
    return [(str(one.user_id), f"{one.full_name} · {one.email}") for one in accounts if not one.concealed]


def _told(request: Request[Any, Any, Any], told: Explanation, titles: Mapping[str, str]) -> list[Told]:
    translate = translate_for(look_of(request).language)
    steps = []
    for step in told.steps:
        said = dict(zip(("role", "cell") if step.name == "role" else ("permission", "cell"), step.about, strict=False))
        if step.name == "condition":
            said = {"cell": "+".join(step.about)}
        if role := said.get("role"):
            said["role"] = titles.get(role) or word_of(translate, role)
        if permission := said.get("permission"):
            said["permission"] = translate(PERMISSIONS.get(permission, permission))
        said["cell"] = translate(CELLS.get(said.get("cell", ""), said.get("cell", "")))
        steps.append(Told(passed=step.passed, text=translate(STEPS[step.name, step.code]) % said))
    return steps


PAGES = [roles, new, define, matrix, question, explain, role, change, retire]
