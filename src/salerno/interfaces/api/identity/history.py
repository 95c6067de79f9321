"""How accounts were signed in to, or tried: one's own, and for administrators everybody's (SEC-21)."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from salerno.contexts.identity.commands.history import MySignIns, SignInLine, SignInsOfUser
from salerno.interfaces.api.identity.shapes import TAGS
from salerno.interfaces.http import Paging, Request, Response, answer, ask, get, read_query
from salerno.kernel.messages import Page


class SignInPage(Struct, frozen=True, kw_only=True):
    sign_ins: Sequence[SignInLine]
    total: int
    limit: int
    offset: int


def _shown(page: Page[SignInLine]) -> SignInPage:
    return SignInPage(sign_ins=page.items, total=page.total, limit=page.limit, offset=page.offset)


@get("/users/me/sign-ins", of=MySignIns, query=Paging, gives=SignInPage, tags=TAGS)
async def my_sign_ins(request: Request[Any, Any, Any]) -> Response[Any]:
    """One's own sign-ins, newest first, those refused as well."""
    wanted = read_query(request, Paging)
    return answer(request, _shown(await ask(request, MySignIns(limit=wanted.limit, offset=wanted.offset))))


@get("/users/{user_id:uuid}/sign-ins", of=SignInsOfUser, query=Paging, gives=SignInPage, tags=TAGS)
async def sign_ins(request: Request[Any, Any, Any]) -> Response[Any]:
    """The sign-ins of an account that is at home here, newest first, those refused as well."""
    wanted = read_query(request, Paging)
    query = SignInsOfUser(account_id=request.path_params["user_id"], limit=wanted.limit, offset=wanted.offset)
    return answer(request, _shown(await ask(request, query)))


ROUTES = [my_sign_ins, sign_ins]
