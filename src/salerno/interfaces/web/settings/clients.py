"""Which applications may ask for tokens: what they are, what they may ask for, and their secrets."""

from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.identity.commands import (
    ApproveClient,
    ChangeClient,
    ClientSecret,
    IssueClientSecret,
    RegisterClient,
    RetireClient,
)
from salerno.contexts.identity.queries import ClientById, ClientLine, Clients, OfferedScopes
from salerno.interfaces.http import Body, Filled, Request, Response, ask, get, post, read_form
from salerno.interfaces.web.provider_words import told
from salerno.interfaces.web.rights import require
from salerno.interfaces.web.settings.saving import FRESH, Attempt, Version, after, attempt, id_in, page, read, wrong

HTML = "text/html"
PATH = "/settings/clients"
ONE = f"{PATH}/{{client_id:uuid}}"
KINDS = ("web", "browser", "native", "service")


class Application(Body):
    """The form: addresses and scopes stand one to a line."""

    version: Version = 0
    name: str = ""
    kind: Annotated[str, Meta(pattern="^(web|browser|native|service)$")] = "web"
    redirect_uris: str = ""
    logout_uris: str = ""
    scopes: str = ""
    jwks: Annotated[str, Meta(max_length=20_000)] = ""
    device: bool = False
    backchannel_uri: Annotated[str, Meta(max_length=500)] = ""
    launch_uri: Annotated[str, Meta(max_length=500)] = ""


class Sheet(Struct, frozen=True, kw_only=True):
    """One application and, right after it was made, its secret."""

    line: ClientLine
    secret: str = ""
    has_secret: bool = False


@get(PATH, of=Clients, media=HTML)
async def clients(request: Request[Any, Any, Any]) -> Response[Any]:
    """Every application; those of the configuration last."""
    found: list[ClientLine] = await ask(request, Clients())
    return page(request, "clients", "clients", found=found)  # type: ignore[no-any-return]


@get(f"{PATH}/new", of=RegisterClient, media=HTML)
async def new(request: Request[Any, Any, Any]) -> Response[Any]:
    """An empty form."""
    require(request, RegisterClient)
    return await _form(request, {"kind": "web", "scopes": "openid\nprofile"})


async def _form(
    request: Request[Any, Any, Any], filled: Any, tried: Attempt = FRESH, sheet: Sheet | None = None
) -> Response[Any]:
    offered = await ask(request, OfferedScopes())
    made: Response[Any] = page(
        request, "clients", "client", tried, filled=filled, offered=offered, kinds=KINDS, sheet=sheet
    )
    return made


def _said(form: Application, filled: Filled) -> dict[str, Any]:
    """The form as the command takes it. An unchecked box is not sent."""
    return {
        "name": form.name[:80],
        "kind": form.kind,
        "redirect_uris": tuple(form.redirect_uris.split()),
        "logout_uris": tuple(form.logout_uris.split()),
        "scopes": tuple(dict.fromkeys(form.scopes.split())),
        "jwks": form.jwks.strip(),
        "device": filled.get("device") == "true",
        "backchannel_uri": form.backchannel_uri.strip(),
        "launch_uri": form.launch_uri.strip(),
    }


@post(f"{PATH}/new", of=RegisterClient, media=HTML)
async def register(request: Request[Any, Any, Any]) -> Response[Any]:
    """Register it; a secret is made on its own page."""
    filled = await read_form(request)
    form, errors = read(Application, filled)
    if form is None:
        return await _form(request, filled, wrong(errors))
    tried = await attempt(request, RegisterClient(**_said(form, filled)))
    return after(request, f"{PATH}/{tried.id}", "added") if tried.fine else await _form(request, filled, tried)


async def _sheet(request: Request[Any, Any, Any], client: UUID, secret: str = "") -> Sheet:
    line: ClientLine = await ask(request, ClientById(client_id=client))
    keeps = line.status == "active" and line.terms.kind in ("web", "service") and not line.terms.jwks
    return Sheet(line=line, secret=secret, has_secret=keeps)


def _filled(line: ClientLine) -> dict[str, str]:
    terms = line.terms
    return {
        "name": terms.name,
        "kind": terms.kind,
        "redirect_uris": "\n".join(terms.redirect_uris),
        "logout_uris": "\n".join(terms.logout_uris),
        "scopes": "\n".join(terms.scopes),
        "jwks": terms.jwks,
        "device": "true" if terms.device else "",
        "backchannel_uri": terms.backchannel_uri,
        "launch_uri": terms.launch_uri,
    }


@get(ONE, of=ClientById, media=HTML)
async def client(request: Request[Any, Any, Any]) -> Response[Any]:
    """One application."""
    sheet = await _sheet(request, id_in(request, "client_id"))
    if sheet.line.status == "pending":
        return _asked(request, sheet.line)
    return await _form(request, _filled(sheet.line), sheet=sheet)


def _asked(request: Request[Any, Any, Any], line: ClientLine, tried: Attempt = FRESH) -> Response[Any]:
    """Who asks, where people would be sent, and everything that it wants: a name alone decides nothing."""
    uris = (*line.terms.redirect_uris, *line.terms.logout_uris)
    hosts = tuple(dict.fromkeys(urlsplit(uri).netloc or urlsplit(uri).scheme for uri in uris))
    scopes = [(scope, told(scope)) for scope in line.terms.scopes]
    made: Response[Any] = page(request, "clients", "client_asked", tried, line=line, hosts=hosts, scopes=scopes)
    return made


@post(f"{ONE}/approve", of=ApproveClient, media=HTML)
async def approve(request: Request[Any, Any, Any]) -> Response[Any]:
    """It may be used from now on, with what it asked for."""
    id = id_in(request, "client_id")
    version = (await read_form(request)).get("version", "")
    tried = await attempt(request, ApproveClient(client_id=id), int(version) if version.isdigit() else None)
    if tried.fine:
        return after(request, f"{PATH}/{id}", "approved")
    return _asked(request, (await _sheet(request, id)).line, tried)


@post(ONE, of=ChangeClient, media=HTML)
async def change(request: Request[Any, Any, Any]) -> Response[Any]:
    """Change it, unless somebody else has meanwhile."""
    id, filled = id_in(request, "client_id"), await read_form(request)
    form, errors = read(Application, filled)
    if form is None:
        return await _form(request, filled, wrong(errors), await _sheet(request, id))
    tried = await attempt(request, ChangeClient(client_id=id, **_said(form, filled)), form.version or None)
    return (
        after(request, f"{PATH}/{id}") if tried.fine else await _form(request, filled, tried, await _sheet(request, id))
    )


@post(f"{ONE}/secret", of=IssueClientSecret, media=HTML)
async def issue_secret(request: Request[Any, Any, Any]) -> Response[Any]:
    """A new secret, shown on this page and never again."""
    id = id_in(request, "client_id")
    made: ClientSecret = await ask(request, IssueClientSecret(client_id=id))
    sheet = await _sheet(request, id, made.secret)
    return await _form(request, _filled(sheet.line), sheet=sheet)


@post(f"{ONE}/retire", of=RetireClient, media=HTML)
async def retire(request: Request[Any, Any, Any]) -> Response[Any]:
    """It gets no tokens any more, and those that it has end."""
    id = id_in(request, "client_id")
    tried = await attempt(request, RetireClient(client_id=id))
    if tried.fine:
        return after(request, PATH, "removed")
    sheet = await _sheet(request, id)
    return await _form(request, _filled(sheet.line), tried, sheet)


PAGES = [clients, new, register, client, approve, change, issue_secret, retire]
