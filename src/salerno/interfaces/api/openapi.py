"""OpenAPI 3.1 from the routes themselves: bodies and answers as msgspec reads and writes them."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from salerno.interfaces.api.examples import example_of
from salerno.interfaces.http import Door, ProblemBody, Route
from salerno.interfaces.http.routes import VERSIONED
from salerno.kernel.room import Needs

PARAMETER = re.compile(r"{(\w+):(\w+)}")
KINDS: dict[str, dict[str, Any]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer"},
    "date": {"type": "string", "format": "date"},
}
REF = "#/components/schemas/{name}"
REFUSALS = {
    "400": "The request cannot be read.",
    "401": "Nobody is signed in.",
    "403": "The caller's permissions do not reach this far.",
    "404": "There is no such thing, or it is not for this caller.",
    "409": "The current state does not allow this.",
    "412": "Somebody else wrote first.",
    "415": "The content type is not accepted.",
    "422": "Fields are missing or wrong; `errors` names each.",
    "429": "Too many requests; see Retry-After.",
    "503": "A part that is needed does not answer; see Retry-After.",
    "507": "The server's disk is full; reading goes on.",
}
HEADERS = [
    {
        "name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        "description": "Sending the same request again with the same key answers the first receipt.",
    },
    {
        "name": "If-Match", "in": "header", "schema": {"type": "string"}, "example": '"3"',
        "description": "The ETag of what was read; a change by somebody else in the meantime answers 412.",
    },
]  # fmt: skip


def document(door: Door, needs: Any, version: str) -> dict[str, Any]:
    """The whole document. Bare paths that only repeat a versioned one are left out of it; both answer alike."""
    shown = [(path, route) for path, route in door.mounted() if route.at != "both" or path.startswith(VERSIONED)]
    refs, components = _components(route for _, route in shown)
    paths: dict[str, dict[str, Any]] = {}
    for path, route in shown:
        place = paths.setdefault(PARAMETER.sub(r"{\1}", path), {})
        place[route.method.lower()] = _operation(path, route, needs, refs, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Salerno",
            "version": version,
            "description": "Every resource under /api/v1 answers at its bare path too. Errors follow RFC 9457.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-sid"},
            },
        },
    }


def _components(routes: Iterable[Route]) -> tuple[dict[int, dict[str, Any]], dict[str, Any]]:
    types = {id(ProblemBody): ProblemBody}
    for route in routes:
        types |= {id(t): t for t in (route.takes, route.query, route.gives) if t is not None}
    schemas, components = msgspec.json.schema_components(list(types.values()), ref_template=REF)
    return dict(zip(types, schemas, strict=True)), dict(components)


def _operation(path: str, route: Route, needs: Any, refs: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    need: Needs = needs(route.of) if route.of is not None else Needs("")
    said = route.summary.split("\n")[0].rstrip(".")
    operation: dict[str, Any] = {
        "operationId": _operation_id(path, route),
        "summary": said,
        "tags": list(route.tags[:1]) or [_resource(path)],
        "parameters": [*_path_parameters(path), *_query_parameters(route, refs, components), *_headers(route)],
        "responses": _responses(route, refs, bool(need.permission)),
    }
    if need.permission:
        operation["security"] = [{"bearer": []}, {"session": []}]
        operation["description"] = f"Needs the permission `{need.permission}`."
    if route.takes is not None:
        operation["requestBody"] = {
            "required": True,
            "content": _content("application/json", route.takes, refs, _example(route, refs, components)),
        }
    return operation


def _example(route: Route, refs: dict[int, Any], components: dict[str, Any]) -> Any:
    if route.example is not None:
        return route.example
    return example_of(refs[id(route.takes)], components)


def _operation_id(path: str, route: Route) -> str:
    words = re.findall(r"\w+", PARAMETER.sub(r"\1", path.removeprefix(VERSIONED)))
    version = ["v1"] if route.at == "versioned" else []  # where bodies differ by path there are two operations
    return "_".join([route.method.lower(), *version, *words])


def _resource(path: str) -> str:
    return path.removeprefix(VERSIONED).strip("/").partition("/")[0] or "root"


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": KINDS.get(kind, {"type": "string"})}
        for name, kind in PARAMETER.findall(path)
    ]


def _query_parameters(route: Route, refs: dict[int, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = components[refs[id(route.query)]["$ref"].rpartition("/")[2]]
    required = set(schema.get("required", []))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": inner}
        | ({"description": inner["description"]} if "description" in inner else {})
        for name, inner in schema.get("properties", {}).items()
    ]


def _headers(route: Route) -> list[dict[str, Any]]:
    changes = route.method != "GET" and route.of is not None
    return HEADERS if changes else []


def _responses(route: Route, refs: dict[int, Any], protected: bool) -> dict[str, Any]:
    answers: dict[str, Any] = {str(route.status): {"description": "Done."}}
    if route.gives is not None:
        answers[str(route.status)]["content"] = _content(route.media, route.gives, refs, route.answer_example)
    elif route.status != 204:
        answers[str(route.status)]["content"] = {route.media: {}}
    problem = {"application/problem+json": {"schema": refs[id(ProblemBody)]}}
    for status in _possible(route, protected):
        answers[status] = {"description": REFUSALS[status], "content": problem}
    return answers


def _possible(route: Route, protected: bool) -> list[str]:
    possible = {"400", "429", "503"}
    if protected:
        possible |= {"401", "403"}
    if "{" in route.path or route.of is not None:
        possible.add("404")
    if route.query is not None:
        possible.add("422")
    if route.method != "GET":
        possible |= {"409", "412", "415", "422", "507"}
    return sorted(possible)


def _content(media: str, shape: Any, refs: dict[int, Any], example: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": refs[id(shape)]}
    if example is not None:
        content["example"] = msgspec.to_builtins(example)
    return {media: content}
