"""Built files: read once at start with their compressed twins, answered before the router."""

from collections.abc import Iterable
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path

import msgspec
import structlog
from markupsafe import Markup, escape
from msgspec import Struct, field

from salerno.interfaces.http.asgi import ASGIApp, Receive, Scope, Send
from salerno.interfaces.http.headers import ALWAYS, CLOSED

PREFIX = "/static/"
FOREVER = b"public, max-age=31536000, immutable"
TWINS = {".br": b"br", ".gz": b"gzip"}


LOG = structlog.get_logger("salerno.http")


class Chunk(Struct, frozen=True):
    """One entry of Vite's manifest."""

    file: str
    css: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class File:
    body: bytes
    media: bytes
    twins: dict[bytes, bytes]


class Assets:
    """Serves what Vite built, and names it to the pages. `development` is the origin of Vite's dev server.

    Where nothing has been built the pages still answer, bare; the log says so once.
    """

    def __init__(self, folder: Path, development: str = "") -> None:
        self.development = development
        self.files = {f"{PREFIX}{p.relative_to(folder).as_posix()}": _read(p) for p in _plain_files(folder)}
        listed = folder / "manifest.json"
        self.manifest = msgspec.json.decode(listed.read_bytes(), type=dict[str, Chunk]) if listed.is_file() else {}
        if not self.manifest and not development:
            LOG.warning("the front end is not built: pages will be bare")

    def tags(self, entry: str, nonce: str) -> Markup:
        """The style and script elements of one entry, such as "src/shell.ts"."""
        if self.development:
            client = f"{self.development}{PREFIX}@vite/client"
            return _script(client, nonce) + _script(f"{self.development}{PREFIX}{entry}", nonce)
        if not self.manifest:
            return Markup("")
        styles = dict.fromkeys(css for key in self._closure(entry) for css in self.manifest[key].css)
        links = Markup("").join(
            Markup('<link rel="stylesheet" nonce="{}" href="{}">').format(nonce, PREFIX + css) for css in styles
        )
        return links + _script(PREFIX + self.manifest[entry].file, nonce)

    def url(self, entry: str) -> str:
        """The address of a single built file, by its source's name."""
        if self.development:
            return f"{self.development}{PREFIX}{entry}"
        return PREFIX + self.manifest[entry].file if self.manifest else ""

    def _closure(self, entry: str) -> Iterable[str]:
        seen: dict[str, None] = {}
        waiting = [entry]
        while waiting:
            key = waiting.pop()
            if key not in seen:
                seen[key] = None
                waiting += self.manifest[key].imports
        return seen

    def around(self, inner: ASGIApp) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            file = self.files.get(scope["path"]) if scope["type"] == "http" else None
            if file is not None and scope["method"] in ("GET", "HEAD"):
                await _answer(file, scope, send)
            else:
                await inner(scope, receive, send)

        return serve


def _script(url: str, nonce: str) -> Markup:
    return Markup('<script type="module" nonce="{}" src="{}"></script>').format(escape(nonce), url)


def _plain_files(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*")) if folder.is_dir() else []
    return [p for p in found if p.is_file() and p.suffix not in TWINS and p.name != "manifest.json"]


def _read(path: Path) -> File:
    media = guess_type(path.name)[0] or "application/octet-stream"
    charset = (
        "; charset=utf-8" if media.startswith("text/") or media.endswith(("javascript", "json", "svg+xml")) else ""
    )
    twins = {
        coding: twin.read_bytes()
        for suffix, coding in TWINS.items()
        if (twin := path.with_name(path.name + suffix)).is_file()
    }
    return File(path.read_bytes(), f"{media}{charset}".encode(), twins)


async def _answer(file: File, scope: Scope, send: Send) -> None:
    accepted = next((value for name, value in scope["headers"] if name == b"accept-encoding"), b"")
    coding = next((coding for coding in file.twins if coding in accepted), b"")
    body = file.twins[coding] if coding else file.body
    headers = [
        *ALWAYS,
        (b"content-security-policy", CLOSED),
        (b"content-type", file.media),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", FOREVER),
        (b"vary", b"Accept-Encoding"),
    ]
    if coding:
        headers.append((b"content-encoding", coding))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    shown = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": shown, "more_body": False})
