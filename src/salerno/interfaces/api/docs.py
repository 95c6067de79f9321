"""The interactive documents: a small page that reads the OpenAPI document, under the same policy as every page."""

from typing import Any

import msgspec
from markupsafe import Markup

from salerno.interfaces.api.openapi import document
from salerno.interfaces.http import Door, Request, Response, answer, bus_of, get, nonce_of, session_of
from salerno.interfaces.http.assets import Assets
from salerno.interfaces.http.headers import page_policy

PAGE = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Salerno API</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta property="csp-nonce" nonce="{nonce}">{tags}</head>'
    '<body data-csrf="{csrf}"><main id="main" class="docs-main" data-url="/api/docs/openapi.json">'
    "<h1>Salerno API</h1><p>This page needs JavaScript. The same stands in "
    '<a href="/api/docs/openapi.json">openapi.json</a>.</p></main></body></html>'
)
DOCS = "src/docs.ts"


@get("/api/docs", public="the documents describe, they open nothing", at="bare", media="text/html", tags=("system",))
async def docs(request: Request[Any, Any, Any]) -> Response[Any]:
    """The documents of this API, to read and to try."""
    assets: Assets = request.app.state["assets"]
    nonce, found = nonce_of(request), session_of(request)
    page = PAGE.format(nonce=nonce, tags=assets.tags(DOCS, nonce), csrf=found.csrf if found else "")
    policy = page_policy(nonce, assets.development, "").decode()
    return Response(page.encode(), media_type="text/html", headers={"Content-Security-Policy": policy})


@get("/api/docs/openapi.json", public="the documents describe, they open nothing", at="bare", tags=("system",))
async def openapi(request: Request[Any, Any, Any]) -> Response[Any]:
    """The same as OpenAPI 3.1."""
    return answer(request, _made_once(request))


def _made_once(request: Request[Any, Any, Any]) -> msgspec.Raw:
    state = request.app.state
    if "openapi" not in state:
        door: Door = next(door for door in state["doors"] if door.name == "api")
        made = document(door, bus_of(request).needs, state["setup"].version)
        state["openapi"] = msgspec.Raw(msgspec.json.encode(made))
    raw: msgspec.Raw = state["openapi"]
    return raw


ROUTES = [docs, openapi]
