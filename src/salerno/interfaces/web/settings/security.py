"""Alerts on unusual access, for whoever looks into them; and how the accounts here were signed in to."""

from typing import Annotated, Any

from msgspec import Meta

from salerno.contexts.identity.commands.history import SignInsOfUser
from salerno.contexts.identity.queries import UserById
from salerno.contexts.vigilance.commands import ReviewAlert
from salerno.contexts.vigilance.events import Kind, Outcome
from salerno.contexts.vigilance.queries import AlertById, AlertLine, Alerts
from salerno.interfaces.http import Body, Request, Response, ask, caller_of, get, post, read_form, read_query
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.rights import may
from salerno.interfaces.web.settings.lists import countries
from salerno.interfaces.web.settings.saving import FRESH, Attempt, Version, after, attempt, id_in, page, read, wrong
from salerno.interfaces.web.whose import names_of, patients_of
from salerno.kernel.messages import Page

HTML = "text/html"
PATH = "/settings/security"
ONE = f"{PATH}/{{alert_id:uuid}}"
KINDS = (
    "new-device", "new-country", "impossible-travel", "bulk-reads", "own-family", "after-hours", "probing", "exports",
)  # fmt: skip
OUTCOMES = ("justified", "unfounded", "followed-up")


class Looked(Body):
    done: Annotated[str, Meta(max_length=20)] = ""
    status: Annotated[str, Meta(pattern="^(open|reviewed|all)$")] = "open"
    kind: Kind | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 25
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class Turned(Body):
    limit: Annotated[int, Meta(ge=1, le=100)] = 25
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class Review(Body):
    version: Version = 0
    outcome: Outcome
    note: Annotated[str, Meta(max_length=2000)] = ""


async def _named(request: Request[Any, Any, Any], lines: list[AlertLine]) -> dict[str, Any]:
    """Who and whose, as far as the reader may know."""
    people = [one.account_id for one in lines] + [one.reviewed_by for one in lines]
    return {
        "people": await names_of(request, people),
        "patients": await patients_of(request, (one.patient_id for one in lines)),
        "countries": dict(countries(look_of(request).language)),
    }


@get(PATH, of=Alerts, query=Looked, media=HTML)
async def alerts(request: Request[Any, Any, Any]) -> Response[Any]:
    """What was unusual, newest first; what nobody has looked into yet, unless asked otherwise."""
    looked = read_query(request, Looked)
    status: Any = None if looked.status == "all" else looked.status
    found: Page[AlertLine] = await ask(
        request, Alerts(status=status, kind=looked.kind, limit=looked.limit, offset=looked.offset)
    )
    shown = await _named(request, list(found.items))
    return page(request, "security", "security", found=found, looked=looked, kinds=KINDS, **shown)  # type: ignore[no-any-return]


@get(ONE, of=AlertById, media=HTML)
async def alert(request: Request[Any, Any, Any]) -> Response[Any]:
    """One alert, with its cause and a form to say what it was."""
    return await _page(request)


async def _page(request: Request[Any, Any, Any], tried: Attempt = FRESH, filled: Any = None) -> Response[Any]:
    one: AlertLine = await ask(request, AlertById(alert_id=id_in(request, "alert_id")))
    made: Response[Any] = page(
        request, "security", "alert", tried,
        one=one, filled={"outcome": one.outcome, "note": one.note} if filled is None else filled, outcomes=OUTCOMES,
        may_review=may(request, ReviewAlert) and one.account_id != caller_of(request).actor,
        about_oneself=one.account_id == caller_of(request).actor,
        may_see_account=may(request, UserById), **await _named(request, [one]),
    )  # fmt: skip
    return made


@post(ONE, of=ReviewAlert, media=HTML)
async def review(request: Request[Any, Any, Any]) -> Response[Any]:
    """Say what it was, unless somebody else has meanwhile."""
    filled = await read_form(request)
    form, errors = read(Review, filled)
    if form is None:
        return await _page(request, wrong(errors), filled)
    wish = ReviewAlert(alert_id=id_in(request, "alert_id"), outcome=form.outcome, note=form.note)
    tried = await attempt(request, wish, form.version or None)
    return after(request, PATH) if tried.fine else await _page(request, tried, filled)


@get("/settings/accounts/{account_id:uuid}/sign-ins", of=SignInsOfUser, query=Turned, media=HTML)
async def sign_ins(request: Request[Any, Any, Any]) -> Response[Any]:
    """When and from where one account was signed in to, or tried."""
    turned, account = read_query(request, Turned), id_in(request, "account_id")
    found = await ask(request, SignInsOfUser(account_id=account, limit=turned.limit, offset=turned.offset))
    owner = await ask(request, UserById(account_id=account))
    return page(request, "accounts", "sign_ins", found=found, owner=owner)  # type: ignore[no-any-return]


PAGES = [alerts, alert, review, sign_ins]
