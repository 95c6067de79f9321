"""The pages' shell: languages, colours, errors, live updates, and every component on the style page."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from babel.messages.extract import extract_from_dir
from tests.doors.probe import CSRF, NOW, ORGANISATION, TOKEN, TwoSessions, client_of, refused

from salerno.app import rooms
from salerno.interfaces.http.application import Setup, build
from salerno.interfaces.http.live import Live
from salerno.interfaces.web import door, shell
from salerno.interfaces.web.formats import initials, tint, years_between
from salerno.interfaces.web.languages import read_catalogue
from salerno.kernel.bus import Bus
from salerno.kernel.database import Database
from salerno.kernel.vault import Vault

WEB = Path(__file__).parents[2] / "src/salerno/interfaces/web"
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
JINJA = {
    "extensions": "jinja2.ext.do, jinja2.ext.loopcontrols",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "silent": "false",
    "newstyle_gettext": "true",
}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "mark": None}


def application(*, development: bool = True, sessions: Any = None) -> Any:
    """The web door over a bus that no page of the shell asks: its database is never opened."""
    bus = Bus(Database("postgresql://nowhere"), Vault(os.urandom(32)), rooms())
    setup = Setup(sessions=sessions or TwoSessions(), stop=False, development=development)
    web = door(bus)
    return build(bus, [type(web)(web.name, (*web.routes, refused), web.hooks)], setup)


@pytest.fixture
async def pages() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(application(), headers={"Accept": "text/html"}) as client:
        yield client


def messages() -> set[Any]:
    found = extract_from_dir(str(WEB), METHODS, {"**/templates/**.html": JINJA}, KEYWORDS)
    return {text if isinstance(text, str) else tuple(text) for _, _, text, _, _ in found}


def test_every_word_has_its_italian() -> None:
    known = read_catalogue("it")
    missing = []
    for text in messages():
        entry = known.get(text if isinstance(text, str) else text[0])
        said = entry.string if entry else ""
        if not (all(said) if isinstance(said, tuple) else said):
            missing.append(text)
    assert missing == []


def test_no_italian_stands_for_a_word_that_is_gone() -> None:
    here = {text if isinstance(text, str) else text[0] for text in messages()}
    spare = {m.id if isinstance(m.id, str) else m.id[0] for m in read_catalogue("it") if m.id} - here
    assert spare == set()


def test_translations_keep_their_placeholders() -> None:
    for message in read_catalogue("it"):
        texts = (message.id, message.string) if isinstance(message.id, str) else (message.id[-1], message.string[-1])
        first, second = (set(re.findall(r"%\((\w+)\)", str(text))) for text in texts)
        assert first == second, message.id


async def test_the_style_page_shows_every_component(pages: httpx.AsyncClient) -> None:
    page = await pages.get("/style")
    assert page.status_code == 200
    for island in ("palette", "lookup", "menu", "plot", "table", "timeslider", "calendar"):
        assert f'data-island="{island}"' in page.text, island
    assert "Maria Rossi" in page.text and "Undefined" not in page.text


async def test_the_style_page_is_for_development_only() -> None:
    async with client_of(application(development=False)) as client:
        assert (await client.get("/style")).status_code == 404


async def test_t068_nothing_is_inline_and_every_htmx_element_has_the_nonce(pages: httpx.AsyncClient) -> None:
    page = await pages.get("/style")
    nonce = re.search(r"'nonce-([^']+)'", page.headers["content-security-policy"])
    assert nonce
    assert not re.search(r'\s(style|on[a-z]+)="', page.text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page.text)
    for element in re.findall(r"<[a-z][^>]*\shx-(?!nonce|morph-skip|headers)[a-z-]+=[^>]*>", page.text):
        assert f'hx-nonce="{nonce[1]}"' in element, element


async def test_the_language_is_the_browsers_until_somebody_chooses(pages: httpx.AsyncClient) -> None:
    for header, language in [
        ("it-IT,it;q=0.9,en;q=0.8", "it"), ("de,en;q=0.3,it;q=0.7", "it"), ("de", "en"), ("", "en"), ("en-US", "en"),
        ("it;q=0,en", "en"), ("*;q=x," + "a" * 5000, "en"),
    ]:  # fmt: skip
        page = await pages.get("/style", headers={"Accept-Language": header})
        assert f'<html lang="{language}"' in page.text, header
        assert page.headers["content-language"] == language
    assert "Prossimamente" not in page.text


async def test_language_and_colours_change_at_once_and_stay(pages: httpx.AsyncClient) -> None:
    answer = await pages.post("/preferences", data={"language": "it", "theme": "dark", "back": "/style"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/style")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-look=it.dark") and "Secure" in cookie and "HttpOnly" in cookie
    page = await pages.get("/style", headers={"Cookie": "__Host-look=it.dark", "Accept-Language": "en"})
    assert '<html lang="it" data-theme="dark">' in page.text and "Registra un paziente" in page.text


async def test_htmx_morphs_the_page_in_place(pages: httpx.AsyncClient) -> None:
    answer = await pages.post("/preferences", data={"theme": "light", "back": "/style"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.headers["hx-location"] == '{"path":"/style","target":"body","swap":"outerMorph","select":"body"}'


@pytest.mark.parametrize("back", ["//evil.test", "https://evil.test", '/today","target":"x', "/\\evil.test"])
async def test_t072_preferences_go_back_to_our_pages_only(pages: httpx.AsyncClient, back: str) -> None:
    answer = await pages.post("/preferences", data={"theme": "light", "back": back})
    assert answer.headers["location"] == "/"


async def test_wrong_preferences_are_refused(pages: httpx.AsyncClient) -> None:
    answer = await pages.post("/preferences", data={"language": "xx", "theme": "<script>"})
    assert answer.status_code == 422


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/refused/gone", 410), ("/refused/bug", 500)])
async def test_t074_an_error_page_is_in_the_readers_language_and_names_the_request(
    pages: httpx.AsyncClient, path: str, status: int
) -> None:
    page = await pages.get(path, headers={"Accept-Language": "it"})
    assert page.status_code == status
    assert page.headers["x-request-id"] in page.text and '<html lang="it"' in page.text
    assert "comunica all’amministratore" in page.text


async def test_htmx_gets_a_toast_in_the_readers_language(pages: httpx.AsyncClient) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "Accept-Language": "it"}
    toast = await pages.get("/refused/conflict", headers=headers)
    assert toast.status_code == 409 and toast.headers["hx-retarget"] == "#toasts"
    assert "Lo stato attuale non lo consente." in toast.text and "<html" not in toast.text


async def test_the_front_page_sends_on(pages: httpx.AsyncClient) -> None:
    assert (await pages.get("/")).headers["location"] == "/sign-in"
    signed = await pages.get("/", headers={"Cookie": f"__Host-sid={TOKEN}"})
    assert signed.headers["location"] == "/today"


async def test_live_is_for_those_signed_in(pages: httpx.AsyncClient) -> None:
    assert (await pages.get("/live", headers={"Accept": "text/event-stream"})).status_code == 401


class Fading(TwoSessions):
    """A session that somebody ends while its stream is open."""

    ended = False

    async def caller_by_cookie(self, token: str, *, user_initiated: bool = True) -> Any:
        if self.ended:
            return None
        found = await super().caller_by_cookie(token, user_initiated=user_initiated)
        caller = msgspec.structs.replace(found.caller, permissions=frozenset({"patients.banner"}))
        return msgspec.structs.replace(found, caller=caller)


async def test_t019_a_stream_tells_its_own_organisation_and_ends_with_the_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chart = UUID(int=9)
    monkeypatch.setattr(shell, "LOOK_AGAIN", 0.05)
    sessions = Fading()
    app = application(sessions=sessions)
    sent: asyncio.Queue[Any] = asyncio.Queue()
    scope = {
        "type": "http", "method": "GET", "path": "/live", "raw_path": b"/live",
        "query_string": f"chart={chart}".encode(), "root_path": "",
        "scheme": "https", "http_version": "1.1", "client": ("127.0.0.1", 1), "server": ("clinic.test", 443),
        "headers": [(b"host", b"clinic.test"), (b"cookie", f"__Host-sid={TOKEN}".encode())],
    }  # fmt: skip
    over = asyncio.Event()

    async def receive() -> Any:
        await over.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.put_nowait(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            over.set()  # as a server does once the answer is whole

    running = asyncio.create_task(app(scope, receive, send))
    started, first = await sent.get(), await sent.get()
    assert (started["status"], dict(started["headers"])[b"content-type"]) == (200, b"text/event-stream; charset=utf-8")
    assert first["body"] == b"retry: 2000\n\n"
    app.state["live"].publish("another", "k", "never", "scheduling")
    app.state["live"].publish(str(ORGANISATION), "k", "scheduling.appointment_created.v1", "scheduling")
    frame = (await sent.get())["body"]
    assert frame == b"event: scheduling\ndata: scheduling.appointment_created.v1\n\n"
    app.state["live"].publish(f"{ORGANISATION}/{UUID(int=8)}", "chart", "never", "chart")
    app.state["live"].publish(f"{ORGANISATION}/{chart}", "chart", "", "chart")
    assert (await sent.get())["body"] == b"event: chart\ndata: \n\n"
    sessions.ended = True
    await asyncio.wait_for(running, 2)
    assert app.state["live"].topics == {}


async def test_after_a_gap_everybody_looks_again() -> None:
    hub = Live()
    stream = hub.stream(["a"], beat=5)
    await anext(stream)
    hub.missed()
    assert await anext(stream) == b"event: missed\ndata: \n\n"


async def test_a_burst_keeps_the_newest_of_each_key_and_a_closed_hub_ends_its_streams() -> None:
    hub = Live()
    stream = hub.stream(["a", "b"], beat=5)
    assert await anext(stream) == b"retry: 2000\n\n"
    for n in range(1000):
        hub.publish("a", "row", str(n), event="change")
    hub.publish("b", "other", "x\ny")
    hub.publish("c", "foreign", "never")
    assert await anext(stream) == b"event: change\ndata: 999\n\nevent: message\ndata: x\ndata: y\n\n"
    hub.close()
    assert [frame async for frame in stream] == []
    assert hub.topics == {}


async def test_a_quiet_stream_beats() -> None:
    stream = Live().stream(["a"], beat=0.01)
    await anext(stream)
    assert await asyncio.wait_for(anext(stream), 1) == b": beat\n\n"


def test_small_formats() -> None:
    assert (initials("Maria Rossi"), initials("Madonna"), initials("")) == ("MR", "MA", "")
    assert years_between(NOW.date().replace(year=1948, month=11, day=23), NOW.date()) == 77
    assert years_between(NOW.date().replace(year=1948, month=11, day=22), NOW.date()) == 78
    assert 0 <= tint(TOKEN[:0]) < 12 and CSRF
