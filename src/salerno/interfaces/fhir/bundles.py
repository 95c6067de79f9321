"""Files: FHIR bundles and NDJSON, read strictly. What is ambiguous is refused rather than guessed."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from salerno.interfaces.fhir.problems import Broken
from salerno.interfaces.fhir.reading import Json
from salerno.interfaces.fhir.references import TYPE

LARGEST = 512 * 1024 * 1024  # bytes of one bundle, or of one NDJSON line
LINES = 500  # NDJSON resources that are put through the bus together
LINED = frozenset({".ndjson", ".jsonl"})
KINDS = frozenset({"transaction", "batch", "collection", "searchset", "history"})
BOM = b"\xef\xbb\xbf"
WRITES = frozenset({"POST", "PUT"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of a bundle: where it stands, what others may call it, its content and its exact text."""

    path: str
    url: str
    raw: Json
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes through the bus together. A bundle is granted or refused `whole`; lines of NDJSON one by one."""

    source: Path
    label: str
    entries: Sequence[Entry]
    broken: Sequence[Broken] = ()
    whole: bool = True
    size: int = 0  # bytes of the file that it is


class _RawEntry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


class _RawBundle(msgspec.Struct):
    entry: list[_RawEntry] = []


_texts = msgspec.json.Decoder(_RawBundle)


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files themselves, and those in the folders, each once."""
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        wanted = [each for each in inside if not path.is_dir() or each.suffix in {".json", *LINED}]
        found.update(dict.fromkeys(each for each in wanted if each.is_file() or not path.is_dir()))
    return list(found)


def first_type(path: Path) -> str:
    """The type of the first resource of an NDJSON file, "" where that cannot be told."""
    try:
        with path.open("rb") as file:
            return str(parse(file.readline(), "").get("resourceType"))
    except (OSError, Broken):
        return ""


def batches_of(path: Path) -> Iterator[Batch]:
    """Raises Broken where the file as a whole cannot be read."""
    if path.suffix in LINED:
        yield from _lines(path)
    else:
        yield _bundle(path)


def _bundle(path: Path) -> Batch:
    if path.stat().st_size > LARGEST:
        raise Broken("", f"a bundle has at most {LARGEST // 1024 // 1024} MB")
    text = path.read_bytes()
    bundle = parse(text, "Bundle")
    if bundle.get("resourceType") != "Bundle":
        alone = [_entry(bundle, text.decode("utf-8-sig"), "", str(bundle.get("resourceType")))]
        return Batch(path, path.name, alone, size=len(text))
    if bundle.get("type") not in KINDS:
        raise Broken("Bundle.type", f"a bundle to import is one of {', '.join(sorted(KINDS))}")
    listed = bundle.get("entry", [])
    if not isinstance(listed, list):
        raise Broken("Bundle.entry", "this must be a list")
    for nth, each in enumerate(listed):
        if not isinstance(each, dict):
            raise Broken(f"Bundle.entry[{nth}]", "this must be an object")
    texts = [each.resource for each in _texts.decode(text.removeprefix(BOM)).entry]
    entries = [_listed(each, bytes(texts[nth]), nth) for nth, each in enumerate(listed)]
    return Batch(path, path.name, entries, size=len(text))


def _listed(entry: Json, text: bytes, nth: int) -> Entry:
    path = f"Bundle.entry[{nth}]"
    request = entry.get("request")
    if request is not None and (not isinstance(request, dict) or request.get("method") not in WRITES):
        raise Broken(f"{path}.request.method", "only resources that are to be stored can be imported: POST or PUT")
    url = entry.get("fullUrl", "")
    if not isinstance(url, str):
        raise Broken(f"{path}.fullUrl", "this must be a text")
    return _entry(entry.get("resource"), text.decode(), url, f"{path}.resource")


def _entry(raw: Any, text: str, url: str, path: str) -> Entry:
    if not isinstance(raw, dict):
        raise Broken(path, "a resource is required here")
    type = raw.get("resourceType")
    if not isinstance(type, str) or not TYPE.fullmatch(type) or type == "Bundle":
        raise Broken(f"{path}.resourceType", "this is no type of resource")
    return Entry(path, url, raw, text)


def _lines(path: Path) -> Iterator[Batch]:
    """Each line stands for itself: a broken one is refused alone."""
    entries: list[Entry] = []
    broken: list[Broken] = []
    size = 0
    with path.open("rb") as file:
        for nth, line in enumerate(file, 1):
            size += len(line)
            if not line.strip():
                continue
            try:
                entries.append(_entry(parse(line, f"line {nth}"), line.strip().decode(), "", f"line {nth}"))
            except Broken as problem:
                broken.append(problem)
            if len(entries) + len(broken) >= LINES:
                yield Batch(path, path.name, entries, broken, whole=False, size=size)
                entries, broken, size = [], [], 0
    if entries or broken:
        yield Batch(path, path.name, entries, broken, whole=False, size=size)


def parse(text: bytes, path: str) -> Json:
    """Strict JSON: no name twice in one object, no NaN, numbers exact, an object at the top."""
    try:
        found = json.loads(
            text.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant, parse_float=Decimal
        )
    except RecursionError:
        raise Broken(path, "this is nested too deeply") from None
    except _Twice as twice:
        raise Broken(path, f"the name {twice.args[0][:60]!r} stands twice in one object") from None
    except UnicodeDecodeError as wrong:
        raise Broken(path, f"byte {wrong.start} is not UTF-8") from None
    except ValueError as wrong:
        where = f"line {wrong.lineno}, column {wrong.colno}" if isinstance(wrong, json.JSONDecodeError) else "a number"
        raise Broken(path, f"this is not JSON ({where})") from None
    if not isinstance(found, dict):
        raise Broken(path, "a resource is an object")
    return found


class _Twice(Exception):
    """A name that stands twice."""


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
