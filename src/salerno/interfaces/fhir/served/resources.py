"""What every resource on its way out has in common: no empty elements, its version as a weak ETag, its media type."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeAlias

import msgspec

from salerno.interfaces.http import Problem, Request, Response

Json: TypeAlias = dict[str, Any]
MEDIA = "application/fhir+json; charset=utf-8"
JSON_FORMATS = frozenset({"json", "application/json", "application/fhir+json", "text/json"})
ACCEPTED = ("*/*", "application/*", "json")


def without_empty(value: Any) -> Any:
    """The same without "", [], {} and None, at any depth: FHIR's JSON knows no empty elements."""
    match value:
        case dict():
            kept = {name: without_empty(each) for name, each in value.items()}
            return {name: each for name, each in kept.items() if each not in ("", None, [], {})}
        case list() | tuple():
            return [each for each in map(without_empty, value) if each not in ("", None, [], {})]
        case _:
            return value


def check_format(request: "Request[Any, Any, Any]") -> None:
    """Raises where somebody wants anything but JSON (406)."""
    wanted = request.query_params.get("_format", "").partition(";")[0].strip().casefold()
    accepted = request.headers.get("accept", "*/*").casefold()
    if wanted not in JSON_FORMATS if wanted else not any(form in accepted for form in ACCEPTED):
        raise Problem(406, "not-supported", "This interface speaks JSON: application/fhir+json.")


def resource(request: "Request[Any, Any, Any]", made: Json, status: int = 200) -> "Response[Any]":
    """A resource with its version in the ETag; 304 where the asker has that version."""
    headers: dict[str, str] = {}
    meta = made.get("meta", {})
    if version := meta.get("versionId"):
        headers["ETag"] = f'W/"{version}"'
        if request.headers.get("if-none-match") in (headers["ETag"], "*"):
            return Response(b"", status_code=304, headers=headers, media_type=MEDIA)
    if updated := meta.get("lastUpdated"):
        headers["Last-Modified"] = format_datetime(datetime.fromisoformat(updated).astimezone(UTC), usegmt=True)
    return Response(msgspec.json.encode(made), status_code=status, headers=headers, media_type=MEDIA)
