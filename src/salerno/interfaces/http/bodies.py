"""What comes in: strict JSON, forms and query strings, into the same structs, with every mistake named."""

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, dataclass_transform, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from msgspec import Meta, Struct, StructMeta, field

from salerno.interfaces.http.problems import FieldError, Problem, field_error

T = TypeVar("T")

DEPTH = 64
DIGITS = 19
FIELDS = 500
NAMED = 100  # mistakes told at once
FOUND_AT = re.compile(r" - at `(?:key in )?\$(.*?)`$")
CODES = (
    ("missing required", "missing"),
    ("unknown field", "unknown-field"),
    ("Expected", "wrong-type"),
    ("Invalid enum", "not-a-choice"),
    ("Invalid", "malformed"),
    ("out of range", "out-of-range"),
)
STANDS_FOR_BOUND = re.compile(r"^Expected `[^`]+`( of length)? [<>=!]|matching regex|multiple of")


class _Closed(StructMeta):
    """Makes every body frozen, keyword-only and closed to unknown fields, so that none has to say so."""

    def __new__(mcls, name: str, bases: tuple[type, ...], space: dict[str, Any], **options: Any) -> Any:
        fixed = {"frozen": True, "kw_only": True, "forbid_unknown_fields": True}
        return super().__new__(mcls, name, bases, space, **fixed | options)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Body(Struct, frozen=True, kw_only=True, metaclass=_Closed):
    """The base of every request body and query of a door."""


class Paging(Body):
    """The bounds of a list: how many, and from where."""

    limit: Annotated[int, Meta(ge=1, le=200, description="How many at most.")] = 20
    offset: Annotated[int, Meta(ge=0, le=1_000_000, description="How many to skip.")] = 0


class _Hostile(ValueError):
    """JSON that is well formed, and still not to be trusted. The text names the reason."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Hostile("duplicate-key", "A name appears twice in one object.")
    return found


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > DIGITS or text == "-0":
        raise _Hostile("number-out-of-range", "A whole number is out of range.")
    return int(text)


def _real(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")) or len(text) > 64 or (value == 0 and text[0] == "-"):
        raise _Hostile("number-out-of-range", "A number is out of range.")
    return value


def _no_constant(text: str) -> float:
    raise _Hostile("not-a-number", "NaN and Infinity are not JSON.")


READER = json.JSONDecoder(object_pairs_hook=_once, parse_int=_whole, parse_float=_real, parse_constant=_no_constant)


def from_json(shape: type[T], body: bytes) -> T:
    """Decode twice: once to see what msgspec overlooks (duplicates, depth, lone surrogates), once into the struct."""
    raw = _read(body)
    try:
        value: T = _decoder(cast("Any", shape)).decode(body)
    except msgspec.ValidationError as error:
        raise invalid(mistakes(shape, raw, strict=True) or [_named(error, "")]) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _broken("malformed-json", "The body is not JSON.") from None
    if _holds_decimals(cast("Any", shape)):
        _refuse_odd_decimals(value)
    return value


def _read(body: bytes) -> Any:
    try:
        text = body.decode()
        if body.count(b"[") + body.count(b"{") > DEPTH:
            _refuse_depth(text)
        raw = READER.decode(text)
    except _Hostile as error:
        raise _broken(*error.args) from None
    except (ValueError, RecursionError):
        raise _broken("malformed-json", "The body is not JSON in UTF-8.") from None
    if "\\u" in text:
        _refuse_odd_characters(raw)
    return raw


def _broken(code: str, sentence: str) -> Problem:
    return Problem(400, code, sentence)


def _refuse_depth(text: str) -> None:
    depth, quoted, skip = 0, False, False
    for character in text:
        if skip:
            skip = False
        elif character == "\\":
            skip = quoted
        elif character == '"':
            quoted = not quoted
        elif not quoted and character in "[{":
            depth += 1
            if depth > DEPTH:
                raise _Hostile("too-deep", "The body is nested too deeply.")
        elif not quoted and character in "]}":
            depth -= 1


def _refuse_odd_characters(raw: Any) -> None:
    for text in _texts(raw):
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise _broken("odd-character", "A text holds a character that cannot be kept.")


def _texts(raw: Any) -> Iterator[str]:
    stack = [raw]
    while stack:
        match stack.pop():
            case str() as text:
                yield text
            case dict() as inner:
                stack += [*inner.keys(), *inner.values()]
            case list() as inner:
                stack += inner
            case _:
                continue


@cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape, strict=True)


@cache
def _holds_decimals(shape: Any) -> bool:
    return "DecimalType" in repr(msgspec.inspect.type_info(shape))


def _refuse_odd_decimals(value: Any, path: str = "") -> None:
    match value:
        case Decimal() if not value.is_finite() or abs(value.adjusted()) > 30:
            raise invalid([field_error(path, "out-of-range", "Expected an ordinary number")])
        case Struct():
            for name in value.__struct_fields__:
                _refuse_odd_decimals(getattr(value, name), f"{path}.{name}".lstrip("."))
        case dict():
            for name, inner in value.items():
                _refuse_odd_decimals(inner, f"{path}.{name}".lstrip("."))
        case list() | tuple():
            for index, inner in enumerate(value):
                _refuse_odd_decimals(inner, f"{path}.{index}".lstrip("."))
        case _:
            return


def invalid(errors: Sequence[FieldError]) -> Problem:
    return Problem(422, "invalid", "Some fields need a look.", errors=list(errors[:NAMED]))


def mistakes(shape: Any, raw: Any, *, strict: bool, path: str = "") -> list[FieldError]:
    """Every mistake in `raw`, field by field: msgspec itself stops at the first one."""
    inner = _struct_in(shape)
    if inner is not None and isinstance(raw, dict):
        return _mistakes_of_struct(inner, raw, strict, path)
    element = _element_in(shape)
    if element is not None and isinstance(raw, list) and raw:
        found = [m for i, item in enumerate(raw) for m in mistakes(element, item, strict=strict, path=_join(path, i))]
        if found:
            return found
    try:
        msgspec.convert(raw, shape, strict=strict)
    except msgspec.ValidationError as error:
        return [_named(error, path)]
    return []


def _mistakes_of_struct(shape: type[Struct], raw: dict[str, Any], strict: bool, path: str) -> list[FieldError]:
    fields = msgspec.structs.fields(shape)
    found: list[FieldError] = []
    for known in fields:
        where = _join(path, known.encode_name)
        if known.encode_name in raw:
            found += mistakes(known.type, raw[known.encode_name], strict=strict, path=where)
        elif known.required:
            found.append(field_error(where, "missing", "This field is required"))
    if shape.__struct_config__.forbid_unknown_fields:
        extra = raw.keys() - {known.encode_name for known in fields} - {shape.__struct_config__.tag_field}
        found += [field_error(_join(path, name), "unknown-field", "There is no such field") for name in sorted(extra)]
    return found or _mistakes_between_fields(shape, raw, strict, path)


def _mistakes_between_fields(shape: type[Struct], raw: dict[str, Any], strict: bool, path: str) -> list[FieldError]:
    try:
        msgspec.convert(raw, shape, strict=strict)
    except msgspec.ValidationError as error:
        return [_named(error, path)]
    return []


def _join(path: str, part: object) -> str:
    return f"{path}.{part}" if path else str(part)


def _bare(shape: Any) -> Any:
    """The type inside Annotated and inside an optional."""
    while get_origin(shape) is Annotated:
        shape = get_args(shape)[0]
    if get_origin(shape) in (Union, UnionType):
        rest = [arm for arm in get_args(shape) if arm not in (type(None), msgspec.UnsetType)]
        return _bare(rest[0]) if len(rest) == 1 else shape
    return shape


def _struct_in(shape: Any) -> type[Struct] | None:
    bare = _bare(shape)
    return bare if isinstance(bare, type) and issubclass(bare, Struct) else None


def _element_in(shape: Any) -> Any:
    bare = _bare(shape)
    holds_many = get_origin(bare) in (list, tuple, set, frozenset, Sequence)
    arguments = [a for a in get_args(bare) if a is not Ellipsis]
    return arguments[0] if holds_many and len(arguments) == 1 else None


def _named(error: msgspec.ValidationError, path: str) -> FieldError:
    text = str(error)
    inside = ""
    if found := FOUND_AT.search(text):
        text, inside = text[: found.start()], found[1]
    where = ".".join(part for part in (path, inside.replace("[", ".").replace("]", "").strip(".")) if part)
    return field_error(where, _code(text), text)


def _code(text: str) -> str:
    if STANDS_FOR_BOUND.search(text):
        return "out-of-range"
    return next((code for start, code in CODES if start in text), "invalid")


async def read_body(request: "Request[Any, Any, Any]", shape: type[T]) -> T:
    """The JSON body as `shape`: 415, 400 and 422 are raised here and nowhere else."""
    _refuse_encoding(request)
    if media_type(request) != "application/json":
        raise Problem(415, "unsupported-media-type", "Send application/json.", headers={"Accept": "application/json"})
    return from_json(shape, await request.body())


def media_type(request: "Request[Any, Any, Any]") -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _refuse_encoding(request: "Request[Any, Any, Any]") -> None:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Problem(415, "unsupported-encoding", "Compressed bodies are not accepted.")


class Filled(dict[str, str]):
    """A form as it was filled in, to be shown again beside what is wrong with it. `many` keeps repeated names."""

    def __init__(self) -> None:
        super().__init__()
        self.many: dict[str, list[str]] = {}

    def take(self, name: str, value: str) -> None:
        self[name] = value
        self.many.setdefault(name, []).append(value)


async def read_form(request: "Request[Any, Any, Any]") -> Filled:
    """The urlencoded form without its token, which the edge has already checked."""
    _refuse_encoding(request)
    if media_type(request) != "application/x-www-form-urlencoded":
        raise Problem(415, "unsupported-media-type", "Send a form.")
    return fields_of(await request.body())


def fields_of(body: bytes) -> Filled:
    filled = Filled()
    try:
        text = body.decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except ValueError:
        raise _broken("malformed-form", "The form could not be read.") from None
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise _broken("odd-character", "A text holds a character that cannot be kept.")
        if name != "csrf":
            filled.take(name, value)
    return filled


def from_form(shape: type[T], filled: Filled) -> tuple[T | None, list[FieldError]]:
    """A form into the same struct as JSON: `a.b` is a field of a field, an empty field an absent one."""
    raw = _nested(shape, filled)
    try:
        value = msgspec.convert(raw, shape, strict=False)
        if _holds_decimals(cast("Any", shape)):
            _refuse_odd_decimals(value)
    except msgspec.ValidationError as error:
        return None, mistakes(shape, raw, strict=False) or [_named(error, "")]
    except Problem as problem:
        return None, problem.errors
    return value, []


def _nested(shape: Any, filled: Filled) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    for name, values in filled.many.items():
        given = [value.strip() for value in values if value.strip()]
        if not given:
            continue
        *parents, last = name.split(".")
        place, inner = raw, shape
        for parent in parents:
            place, inner = place.setdefault(parent, {}), _field_type(inner, parent)
            if not isinstance(place, dict):
                raise _broken("malformed-form", "The form could not be read.")
        place[last] = given if _element_in(_field_type(inner, last)) is not None else given[-1]
    return raw


def _field_type(shape: Any, name: str) -> Any:
    inner = _struct_in(shape)
    known = msgspec.structs.fields(inner) if inner is not None else ()
    return next((each.type for each in known if each.encode_name == name), str)


def read_query(request: "Request[Any, Any, Any]", shape: type[T]) -> T:
    """The query string as `shape`: unknown, doubled or malformed parameters are refused."""
    raw: dict[str, str] = {}
    doubled: list[FieldError] = []
    try:
        text = request.scope["query_string"].decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except ValueError:
        raise _broken("malformed-query", "The query could not be read.") from None
    for name, value in pairs:
        if name in raw:
            doubled.append(field_error(name, "duplicate", "This parameter appears twice"))
        if "\0" in value:
            doubled.append(field_error(name, "odd-character", "This holds a character that cannot be kept"))
        raw[name] = value
    given = {name: value for name, value in raw.items() if value != ""}
    if found := doubled or mistakes(shape, given, strict=False):
        raise invalid(found)
    value_of: T = msgspec.convert(given, shape, strict=False)
    return value_of
