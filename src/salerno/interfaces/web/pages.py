"""Pages: one Jinja environment per language, strict about what is undefined, and one way to render."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from salerno.contexts.encounters.queries import said_in
from salerno.interfaces.http import Request, Response, nonce_of, session_of
from salerno.interfaces.http.assets import Assets
from salerno.interfaces.web import formats
from salerno.interfaces.web.devices import told_apart
from salerno.interfaces.web.languages import LANGUAGES, catalogue
from salerno.interfaces.web.looks import Look, look_of
from salerno.interfaces.web.navigation import actions_of, rail_of
from salerno.interfaces.web.words import word_of
from salerno.kernel.wards import CONDITIONS

TEMPLATES = Path(__file__).parent / "templates"
PARTIAL = "partial"
VARY = "HX-Request-Type, Accept-Language, Cookie"


class Pages:
    """The environments. No context variable and no look-up per word: a language is chosen once per page."""

    def __init__(self) -> None:
        self.environments = {language: _environment(language) for language in LANGUAGES}

    def render(self, language: str, template: str, context: Mapping[str, Any]) -> str:
        return self.environments[language].get_template(template).render(context)


def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
        auto_reload=False,
    )
    environment.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(formats.filters_of(language))
    translate = catalogue(language).gettext
    environment.globals.update(
        hx=_hx,
        icon=_icon,
        word=lambda code, fallback="": word_of(translate, code, fallback),
        languages=LANGUAGES,
        said=functools.partial(said_in, language),
        told_apart=told_apart,
        merge=lambda first, **more: {**first, **more},
    )
    return environment


@pass_context
def _hx(context: Context, **said: Any) -> Markup:
    """htmx's attributes with the nonce that makes them count: `hx(post="/x", target="#y", push_url=True)`."""
    pairs = [("nonce", context["nonce"]), *((name.replace("_", "-"), value) for name, value in said.items())]
    shown = [(name, "true" if value is True else value) for name, value in pairs if value not in (None, False)]
    return Markup(" ").join(Markup('hx-{}="{}"').format(name, value) for name, value in shown)


@pass_context
def _icon(context: Context, name: str, label: str = "") -> Markup:
    """An icon of the sprite: with a label it is an image, without one it is decoration."""
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    url = f"{context['sprite']}#{name}"
    return Markup('<svg class="icon" {} focusable="false"><use href="{}"></use></svg>').format(said, escape(url))


@dataclass(frozen=True, slots=True)
class Reader:
    """Who the page is for."""

    name: str
    role: str
    permissions: frozenset[str]
    own_chart: str = ""

    def may(self, permission: str) -> bool:
        """Whether to show what needs this permission. The bus decides; this only spares people dead ends."""
        parts = ("own", *CONDITIONS)
        return permission in self.permissions or any(f"{permission}:{part}" in self.permissions for part in parts)


def reader_of(request: Request[Any, Any, Any]) -> Reader:
    """Whoever asks; somebody without name and rights where nobody is signed in."""
    found = session_of(request)
    if found is None:
        return Reader("", "", frozenset())
    caller = found.caller
    return Reader(caller.name, caller.role, caller.permissions, str(caller.subject or ""))


def translate_for(language: str) -> Callable[[str], str]:
    """The catalogue of a language as a function, for words that are looked through in code."""
    return catalogue(language).gettext


def wants_part(request: Request[Any, Any, Any]) -> bool:
    """Whether htmx asked for a part of the page. Without JavaScript the same address answers the whole page."""
    return request.headers.get("hx-request-type") == PARTIAL


def render(
    request: Request[Any, Any, Any],
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response[Any]:
    """A page (or, from a template that extends nothing, a part of one) for whoever asks, in their language."""
    look = look_of(request)
    pages: Pages = request.app.state["pages"]
    text = pages.render(look.language, template, {**_given(request, look), **context})
    extra = {"Vary": VARY, "Content-Language": look.language, **(headers or {})}
    return Response(text.encode(), status_code=status, media_type="text/html", headers=extra)


def _given(request: Request[Any, Any, Any], look: Look) -> dict[str, Any]:
    """What every template has."""
    assets: Assets = request.app.state["assets"]
    found, nonce, reader = session_of(request), nonce_of(request), reader_of(request)
    return {
        "nonce": nonce,
        "csrf": found.csrf if found else "",
        "lang": look.language,
        "theme": look.theme,
        "zone": look.zone,
        "now": request.app.state["setup"].clock.now(),
        "path": request.scope["path"],
        "reader": reader,
        "open_glass": request.scope["state"].get("glass"),
        "signed_in": found is not None,
        "lock_after": found.lock_after if found else 0,
        "rail": rail_of(reader) if found else (),
        "actions": actions_of(reader) if found else (),
        "request_id": request.scope["state"]["request_id"],
        "tags": assets.tags("src/shell.ts", nonce),
        "sprite": assets.url("src/icons.svg"),
        "favicon": assets.url("src/favicon.svg"),
        "layout": "part.html" if wants_part(request) else "page.html",
    }


def go_to(request: Request[Any, Any, Any], path: str) -> Response[Any]:
    """After a change: htmx follows by header, a plain form by 303."""
    if request.headers.get("hx-request") == "true":
        return Response(b"", status_code=200, media_type="text/html", headers={"HX-Redirect": path})
    return Response(b"", status_code=303, media_type="text/html", headers={"Location": path})
