"""One's own sign-ins, and the alerts about oneself."""

from typing import Annotated, Any

from msgspec import Meta

from salerno.contexts.identity.commands.history import MySignIns
from salerno.contexts.vigilance.queries import AlertLine, MyAlerts
from salerno.interfaces.http import Body, Request, Response, ask, get, read_query
from salerno.interfaces.web import vigilance_words
from salerno.interfaces.web.looks import look_of
from salerno.interfaces.web.pages import render
from salerno.interfaces.web.settings.lists import countries
from salerno.interfaces.web.whose import patients_of

PATH = "/account/security"
__all__ = ["PAGES", "vigilance_words"]


class Turned(Body):
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


@get(PATH, of=MySignIns, query=Turned, media="text/html")
async def own_security(request: Request[Any, Any, Any]) -> Response[Any]:
    """When and from where one's account was signed in to or tried, and what was unusual."""
    turned = read_query(request, Turned)
    alerts: list[AlertLine] = await ask(request, MyAlerts())
    return render(
        request,
        "security.html",
        alerts=alerts,
        sign_ins=await ask(request, MySignIns(limit=turned.limit, offset=turned.offset)),
        patients=await patients_of(request, (one.patient_id for one in alerts)),
        countries=dict(countries(look_of(request).language)),
    )


PAGES = [own_security]
