"""Keep what the documents list in step with the code, and the schemas of stored events: `make docs`.

A document has its tables between `<!-- generated: NAME -->` and `<!-- end: NAME -->`; everything else in it is
written by people and left alone. `--check` changes nothing and says what is out of step. No database is needed.
"""

import csv
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec.inspect import Metadata, type_info

from salerno import app
from salerno.contexts.patients.queries import GROUPS
from salerno.interfaces.cli import main
from salerno.interfaces.http.limits.policies import SECOND, TABLE
from salerno.interfaces.http.routes import Route
from salerno.kernel import settings
from salerno.kernel.bus import Bus, kebab
from salerno.kernel.database import Database
from salerno.kernel.eventstore import name_of
from salerno.kernel.messages import Command, Event
from salerno.kernel.schemas import all_events, breaks, schema_of
from salerno.kernel.upcasting import upcasters_of
from salerno.kernel.vault import Vault

ROOT = Path(__file__).parents[1]
DOCS, SCHEMAS, SOURCE = ROOT / "docs", ROOT / "schemas", ROOT / "src/salerno"
ROLES = SOURCE / "contexts/identity/data/roles.csv"
BLOCK = "<!-- generated: {0} -->\n{1}\n<!-- end: {0} -->"
PLAIN = {
    "UUIDType": "id", "StrType": "text", "IntType": "whole number", "FloatType": "number", "DecimalType": "number",
    "BoolType": "yes or no", "DateType": "date", "DateTimeType": "moment", "TimeType": "time of day",
    "BytesType": "bytes", "RawType": "JSON", "AnyType": "JSON", "DictType": "object", "StructType": "object",
    "NoneType": "null",
}  # fmt: skip
LISTS = {"ListType", "VarTupleType", "SetType", "FrozenSetType", "CollectionType"}


def bus() -> Bus:
    """Every room hung up, on a database that is never opened."""
    return Bus(Database("postgresql://nowhere/none"), Vault(bytes(32)), app.rooms())


# -------------------------------------------------------------------- words for code
def sentence(thing: Any) -> str:
    """The first sentence of a docstring; of a class without one of its own, its name in words."""
    own = thing.__dict__.get("__doc__") or ""
    if not own.strip():
        return kebab(thing.__name__).replace("-", " ").capitalize() + "."
    return cell(re.split(r"(?<=\.)\s", " ".join(own.split()), maxsplit=1)[0])


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def table(heads: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def kind_of(found: Any) -> str:
    """A field's type in a word or two."""
    while isinstance(found, Metadata):
        found = found.type
    name = type(found).__name__
    if name == "UnionType":
        kinds = [kind_of(each) for each in found.types if type(each).__name__ != "NoneType"]
        return " or ".join(dict.fromkeys(kinds))
    if name in LISTS:
        return f"list of {kind_of(found.item_type)}"
    if name == "LiteralType":
        return " / ".join(f"`{value}`" for value in found.values)
    if name == "EnumType":
        return " / ".join(f"`{each.value}`" for each in found.cls)
    return PLAIN.get(name, name.removesuffix("Type").lower())


def fields_of(struct: Any) -> str:
    said = []
    for each in type_info(struct).fields:
        optional = "" if each.required else ", optional"
        said.append(f"`{each.encode_name}` ({kind_of(each.type)}{optional})")
    return "; ".join(said) or "none"


# -------------------------------------------------------------------- the lists
def settings_table() -> str:
    rows = []
    for field in msgspec.structs.fields(settings.Settings):
        name = field.encode_name
        shown = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
        late = "" if is_used(name) else " *Checked at the start; nothing uses it yet.*"
        words = cell(settings.description_of(name))
        rows.append([f"`{name}`", f"`{shown}`" if shown else "empty", words + late])
    return table(["Setting", "When left out", "Meaning"], rows)


def limits_table() -> str:
    rows = []
    for name, counted_by, rate, window, of_what in TABLE:
        most = getattr(settings.Settings(), rate)
        span = window if window == SECOND else f"in `{window.upper()}`"
        rows.append([f"`{name}`", of_what, counted_by, f"{most} {span}" if most else "none", f"`{rate.upper()}`"])
    return table(["Limit", "Of what", "Counted by", "When left out", "Setting"], rows)


def is_used(name: str) -> bool:
    """Whether anything but the checks of settings.py reads this setting."""
    wanted = re.compile(rf"\b{name.lower()}\b")
    members = [value.fget for value in vars(settings.Settings).values() if isinstance(value, property)]
    if any(wanted.search(inspect.getsource(member)) for member in members if member):
        return True
    return bool(wanted.search(source_without_settings()))


@cache
def source_without_settings() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(SOURCE.rglob("*.py")) if path.name != "settings.py")


def room_of(event: type[Event]) -> str:
    return name_of(event).partition(".")[0]


def events_table() -> str:
    events = all_events(app.rooms())
    parts = []
    for room in dict.fromkeys(map(room_of, events)):
        rows = [
            [f"`{name_of(event)}`", sentence(event), ", ".join(f"`{n}`" for n in event.__struct_encode_fields__)]
            for event in events
            if room_of(event) == room
        ]
        parts.append(f"### {room}\n\n" + table(["Stored name", "What it says", "Fields"], rows))
    return "\n\n".join(parts)


def commands_table() -> str:
    hung, parts = bus(), []
    for room in hung.rooms.values():
        found = sorted((kebab(each.__name__), each) for each in room.handlers)
        lines = [f"### {room.name}"] if found else []
        for name, command in found:
            lines.append(f"**`POST /commands/{name}`** · {said_needs(hung, command)}\n\n{sentence(command)}")
            lines.append(f"Fields: {fields_of(command)}.")
        parts += lines
    return "\n\n".join(parts)


def said_needs(hung: Bus, command: type[Command]) -> str:
    needs = hung.needs(command)
    own = " (own chart: `:own` is enough)" if needs.own else ""
    return f"needs `{needs.permission}`{own}" if needs.permission else "needs no permission"


def permissions_table() -> str:
    with ROLES.open(encoding="utf-8") as file:
        head, *rows = list(csv.reader(line for line in file if line.strip()))
    hung = bus()
    used: dict[str, list[str]] = {}
    for message in [*hung.commands().values(), *hung.queries().values()]:
        used.setdefault(hung.needs(message).permission, []).append(message.__name__)
    for group in GROUPS:
        used.setdefault(group.permission, []).append(f"the fields {', '.join(group.fields)}")
    lines = [
        [f"`{name}`", *(value or " " for value in values), ", ".join(sorted(used.get(name, ()))) or "nothing"]
        for name, *values in sorted(rows)
    ]
    return table(["Permission", *(role.replace("_", " ") for role in head[1:]), "Opens the way to"], lines)


def routes_table() -> str:
    hung = bus()
    (door,) = app.doors_of(["api"], hung, b"")
    groups: dict[str, list[list[str]]] = {}
    for route in door.routes:
        if not route.path.startswith("/commands/"):
            groups.setdefault(route.tags[0] if route.tags else "other", []).append(route_line(hung, route))
    heads = ["Method and path", "What it does", "Permission"]
    return "\n\n".join(f"### {tag}\n\n" + table(heads, lines) for tag, lines in sorted(groups.items()))


def route_line(hung: Bus, route: Route) -> list[str]:
    if route.of is None or not hung.needs(route.of).permission:
        permission = f"none ({cell(route.public)})" if route.public else "none"
    else:
        needs = hung.needs(route.of)
        permission = f"`{needs.permission}`" + (", own" if needs.own else "")
    only = " (bare path only)" if route.at == "bare" else ""
    words = cell(" ".join(route.summary.split()).partition(". ")[0].rstrip("."))
    return [f"`{route.method} {route.path}`{only}", words, permission]


def verbs() -> Iterator[tuple[str, click.Command]]:
    """Every verb as it is typed, with those below it."""
    for name, command in sorted(main.commands.items()):
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", each) for below, each in sorted(command.commands.items()))
        else:
            yield name, command


def verbs_table() -> str:
    rows = []
    for name, command in verbs():
        words = " ".join((command.help or "").split()).partition(". ")[0].rstrip(".")
        options = [f"`{max(each.opts, key=len)}`" for each in command.params if isinstance(each, click.Option)]
        takes = [f"`{each.human_readable_name}`" for each in command.params if isinstance(each, click.Argument)]
        rows.append([f"`salerno {name}`", cell(words), ", ".join([*takes, *options]) or "nothing"])
    return table(["Verb", "What it does", "Takes"], rows)


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "settings": ("settings.md", settings_table),
    "limits": ("security.md", limits_table),
    "events": ("events.md", events_table),
    "commands": ("commands.md", commands_table),
    "permissions": ("permissions.md", permissions_table),
    "routes": ("api.md", routes_table),
    "verbs": ("operations.md", verbs_table),
}


# -------------------------------------------------------------------- putting them in place
def documents() -> dict[Path, str]:
    """Every document with tables, as it should be."""
    wanted: dict[Path, str] = {}
    for name, (file, make) in TABLES.items():
        path = DOCS / file
        text = wanted.get(path) or path.read_text("utf-8")
        block = re.compile(rf"<!-- generated: {name} -->\n.*?<!-- end: {name} -->", re.DOTALL)
        made = BLOCK.format(name, "\n" + make() + "\n")
        text, found = block.subn(lambda _, made=made: made, text)
        if found != 1:
            raise SystemExit(f"{path.relative_to(ROOT)} has no place for the table of {name}")
        wanted[path] = text
    return wanted


def schemas() -> dict[Path, str]:
    """The schema of every event, by its file."""
    return {
        SCHEMAS / f"{name_of(event)}.json": json.dumps(
            schema_of(event), indent=1, sort_keys=True, ensure_ascii=False
        ) + "\n"
        for event in all_events(app.rooms())
    }  # fmt: skip


def broken(wanted: dict[Path, str]) -> list[str]:
    """What has been done to events that are stored somewhere: each needs a new version instead."""
    found = []
    older = upcasters_of(app.rooms())
    for path in sorted(SCHEMAS.glob("*.json")):
        if path.stem in older:
            continue
        if path not in wanted:
            found.append(
                f"{path.stem} is gone, but may be stored. Keep its class, or say by an upcaster as what it is read."
            )
            continue
        for each in breaks(json.loads(path.read_text("utf-8")), json.loads(wanted[path])):
            older, _, number = path.stem.rpartition(".v")
            found.append(f"{path.stem}: {each}. Leave it as it is and add {older}.v{int(number) + 1} beside it.")
    return found


def run(check: bool) -> int:
    files = schemas()
    if wrong := broken(files):
        print("\n".join(wrong))
        return 1
    files |= documents()
    late = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in late:
        print(("out of step: " if check else "written: ") + path.relative_to(ROOT).as_posix())
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(files[path], "utf-8")
    if check and late:
        print("Run: make docs")
    return int(check and bool(late))


if __name__ == "__main__":
    sys.exit(run("--check" in sys.argv[1:]))
