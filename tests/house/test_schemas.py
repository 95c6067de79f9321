"""The schemas of stored events lie in the repository, so that nobody breaks what is in somebody's log."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from salerno import app
from salerno.kernel.eventstore import name_of
from salerno.kernel.messages import Event
from salerno.kernel.schemas import all_events, breaks, schema_of, write_schemas
from salerno.kernel.upcasting import upcasters_of

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
ADD = "A stored event is never changed: leave it as it is, and add the next version (.v2) beside it."

KEEP = "Keep its class, or say by an upcaster as what it is read."


def kept() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in SCHEMAS.glob("*.json")}


def test_no_stored_event_is_broken() -> None:
    today = {name_of(event): schema_of(event) for event in all_events(app.rooms())}
    found = [
        f"{name}: {each}"
        for name, schema in today.items()
        if f"{name}.json" in kept()
        for each in breaks(json.loads(kept()[f"{name}.json"]), schema)
    ]
    assert found == [], ADD


def test_no_stored_event_is_gone() -> None:
    today = {f"{name_of(event)}.json" for event in all_events(app.rooms())}
    older = {f"{name}.json" for name in upcasters_of(app.rooms())}
    assert sorted(kept().keys() - today - older) == [], f"It may lie in somebody's log. {KEEP}"
    assert sorted(older - kept().keys()) == [], "Its schema describes what lies in somebody's log: keep it."


def test_the_schemas_in_the_repository_are_those_of_the_code(tmp_path: Path) -> None:
    count = write_schemas(app.rooms(), tmp_path)
    made = {path.name: path.read_text("utf-8") for path in tmp_path.glob("*.json")}
    assert count == len(made) == len(all_events(app.rooms()))
    assert sorted(name for name in made if made[name] != kept().get(name)) == [], "Run: make docs"


class Moved(Event, tag="tests.moved.v1"):
    place: str
    how: int | None = None


class MovedAndMore(Event, tag="tests.moved.v1"):
    place: str
    how: int | None = None
    why: str = ""


class MovedWithDemand(Event, tag="tests.moved.v1"):
    place: str
    why: str
    how: int | None = None


class MovedWithout(Event, tag="tests.moved.v1"):
    place: str


class MovedOtherwise(Event, tag="tests.moved.v1"):
    place: int
    how: int | None = None


class MovedNarrowly(Event, tag="tests.moved.v1"):
    place: str
    how: int = 0


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (Moved, []),
        (MovedAndMore, []),
        (MovedWithDemand, ["why became required"]),
        (MovedWithout, ["how is gone"]),
        (MovedOtherwise, ["place no longer takes what it took"]),
        (MovedNarrowly, ["how no longer takes what it took"]),
    ],
)
def test_a_change_that_breaks_is_told_from_one_that_does_not(after: type[Event], said: list[str]) -> None:
    assert breaks(schema_of(Moved), schema_of(after)) == said


def test_make_docs_refuses_to_write_over_a_broken_schema(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("documents", ROOT / "scripts/documents.py")
    assert spec
    assert spec.loader
    documents: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(documents)
    monkeypatch.setattr(documents, "SCHEMAS", tmp_path)
    path = tmp_path / "tests.moved.v1.json"
    path.write_text(json.dumps(schema_of(Moved)), "utf-8")
    assert documents.broken({path: json.dumps(schema_of(MovedAndMore))}) == []
    assert documents.broken({path: json.dumps(schema_of(MovedWithout))}) == [
        "tests.moved.v1: how is gone. Leave it as it is and add tests.moved.v2 beside it."
    ]
    assert documents.broken({}) == [f"tests.moved.v1 is gone, but may be stored. {KEEP}"]
