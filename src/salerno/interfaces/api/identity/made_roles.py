"""Roles of the organisation's own making, who may do what, and why (IAM-33, IAM-36)."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.identity.commands.explaining import ExplainAccess, Explanation, Right, RightsOf
from salerno.contexts.identity.commands.made_roles import Cells, ChangeRole, DefineRole, RetireRole
from salerno.contexts.identity.queries import PermissionLine, RoleById, RoleLine, RolePermissions, Roles
from salerno.interfaces.api.identity.shapes import TAGS
from salerno.interfaces.http import (
    Body,
    Request,
    Response,
    answer,
    ask,
    delete,
    get,
    no_content,
    patch,
    post,
    read_body,
    read_query,
    submit,
)

ROLE = "/roles/{role_id:uuid}"
EXAMPLE = {
    "title": "Triage nurse",
    "name": "TRIAGE_NURSE",
    "permissions": {"patients.read": "yes", "records.read_vitals": "care", "records.record_vitals": "care+location"},
}


QUESTION = {"message": "record-problem", "patient_id": "01940b6e-7c00-7000-8000-000000000001"}


class NewRole(Body):
    """`permissions` says for each permission the cell: yes, care, location or care+location."""

    title: Annotated[str, Meta(max_length=200)]
    permissions: Cells
    name: Annotated[str, Meta(max_length=80)] = ""


class RoleChange(Body):
    """What is left out stays as it is."""

    title: Annotated[str, Meta(max_length=200)] | None = None
    permissions: Cells | None = None


class RolesWanted(Body):
    status: Annotated[str, Meta(pattern="^(active|retired)$")] | None = None


class RoleList(Struct, frozen=True, kw_only=True):
    roles: Sequence[RoleLine]


class PermissionList(Struct, frozen=True, kw_only=True):
    permissions: Sequence[PermissionLine]


class RightList(Struct, frozen=True, kw_only=True):
    rights: Sequence[Right]


class Question(Body):
    """Name a message or a permission. `patient_id` asks about this chart, `scopes` about a program's token."""

    message: Annotated[str, Meta(max_length=80)] = ""
    permission: Annotated[str, Meta(max_length=80)] = ""
    patient_id: UUID | None = None
    scopes: Annotated[str, Meta(max_length=1000)] = ""


@get("/roles", of=Roles, query=RolesWanted, gives=RoleList, tags=TAGS)
async def roles(request: Request[Any, Any, Any]) -> Response[Any]:
    """The roles that this organisation made."""
    wanted = read_query(request, RolesWanted)
    return answer(request, RoleList(roles=await ask(request, Roles(status=wanted.status))))


@get("/permissions", of=RolePermissions, gives=PermissionList, tags=TAGS)
async def permissions(request: Request[Any, Any, Any]) -> Response[Any]:
    """Every permission: who of the eight roles holds it how, and which cells you may put into a role."""
    return answer(request, PermissionList(permissions=await ask(request, RolePermissions())))


async def _shown(request: Request[Any, Any, Any], role: UUID, status: int = 200) -> Response[Any]:
    line: RoleLine = await ask(request, RoleById(role_id=role))
    return answer(request, line, status, etag=line.version)


@post("/roles", of=DefineRole, takes=NewRole, gives=RoleLine, status=201, example=EXAMPLE, tags=TAGS)
async def define_role(request: Request[Any, Any, Any]) -> Response[Any]:
    """Make a role of existing permissions, each for everybody or under a condition."""
    body = await read_body(request, NewRole)
    receipt = await submit(request, DefineRole(title=body.title, permissions=body.permissions, name=body.name))
    return await _shown(request, receipt.aggregate_id, 201)


@get(ROLE, of=RoleById, gives=RoleLine, tags=TAGS)
async def role(request: Request[Any, Any, Any]) -> Response[Any]:
    """One role."""
    return await _shown(request, request.path_params["role_id"])


@patch(ROLE, of=ChangeRole, takes=RoleChange, gives=RoleLine, tags=TAGS)
async def change_role(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change a role. Whoever has it has the new permissions within seconds."""
    body, id = await read_body(request, RoleChange), request.path_params["role_id"]
    await submit(request, ChangeRole(role_id=id, title=body.title, permissions=body.permissions))
    return await _shown(request, id)


@delete(ROLE, of=RetireRole, status=204, tags=TAGS)
async def retire_role(request: Request[Any, Any, Any]) -> Response[Any]:
    """Retire a role: it gives nothing any more, to nobody."""
    await submit(request, RetireRole(role_id=request.path_params["role_id"]))
    return no_content()


@get("/users/{user_id:uuid}/rights", of=RightsOf, gives=RightList, tags=TAGS)
async def rights(request: Request[Any, Any, Any]) -> Response[Any]:
    """What an account may do, permission by permission, with the roles that give it."""
    return answer(request, RightList(rights=await ask(request, RightsOf(account_id=request.path_params["user_id"]))))


@post("/users/{user_id:uuid}/explain", of=ExplainAccess, takes=Question, gives=Explanation, example=QUESTION, tags=TAGS)
async def explain(request: Request[Any, Any, Any]) -> Response[Any]:
    """Why an account may or may not send a message: every step in order, and the verdict."""
    body = await read_body(request, Question)
    asked = ExplainAccess(
        account_id=request.path_params["user_id"], message=body.message, permission=body.permission,
        patient_id=body.patient_id, scopes=body.scopes,
    )  # fmt: skip
    return answer(request, await ask(request, asked))


ROUTES = [roles, permissions, define_role, role, change_role, retire_role, rights, explain]
