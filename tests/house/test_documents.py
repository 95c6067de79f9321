"""The documents say what the code says: every name has its entry, every path and link leads somewhere."""

import ast
import importlib.util
import re
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from salerno import app
from salerno.interfaces.http.routes import listing
from salerno.kernel.eventstore import name_of
from salerno.kernel.schemas import all_events
from salerno.kernel.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [*DOCS.glob("*.md"), *DOCS.glob("decisions/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"],
    key=lambda path: path.as_posix(),
)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(?:src|tests|docs|scripts|bench|frontend|schemas|\.ci)/[\w./-]*")
MADE = ("src/salerno/interfaces/web/static",)  # by `make setup`
DEFINED_IN = re.compile(r"`([A-Za-z_][\w.]*)`,? in `((?:src|tests)/[\w./-]+)`")
LARGEST_PICTURE = 300_000


@cache
def documents() -> ModuleType:
    spec = importlib.util.spec_from_file_location("documents", ROOT / "scripts/documents.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text_of(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def absent(names: list[str], text: str) -> list[str]:
    return [name for name in names if f"`{name}`" not in text]


def anchors(page: Path) -> set[str]:
    """As they are made from headings: lower case, no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def definitions(path: Path) -> set[str]:
    """What a module or an SQL file defines: `name`, and `Class.name` for what is in a class."""
    text = path.read_text("utf-8")
    if path.suffix == ".sql":
        found = re.findall(r"CREATE (?:OR REPLACE )?(?:TABLE|FUNCTION|VIEW) (?:[\w]+\.)?(\w+)", text)
        return {*found, *(f"kernel.{name}" for name in found)}
    names: set[str] = set()
    for node in ast.parse(text).body:
        names |= _names(node)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{below}" for each in node.body for below in _names(each)}
    return names


def _names(node: ast.AST) -> set[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {node.target.id} if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else set()


# -------------------------------------------------------------------- lists
def test_every_list_is_what_the_code_says_today() -> None:
    late = [path.name for path, text in documents().documents().items() if path.read_text("utf-8") != text]
    assert late == [], "Run: make docs"


def test_every_setting_has_its_entry() -> None:
    names = [field.encode_name for field in msgspec.structs.fields(Settings)]
    assert len(names) > 30
    assert absent(names, text_of("settings.md")) == []


def test_every_event_has_its_entry() -> None:
    names = [name_of(event) for event in all_events(app.rooms())]
    assert "patients.patient_registered.v1" in names
    assert absent(names, text_of("events.md")) == []


def test_every_command_has_its_entry() -> None:
    names = sorted(documents().bus().commands())
    assert "schedule-appointment" in names
    assert absent([f"POST /commands/{name}" for name in names], text_of("commands.md")) == []


def test_every_permission_has_its_row_and_every_row_is_a_permission() -> None:
    hung = documents().bus()
    rows = re.findall(r"^\| `([a-z_.]+)` \|", text_of("permissions.md"), re.MULTILINE)
    assert sorted(hung.permissions() - set(rows)) == []
    assert sorted(set(rows) - hung.permissions()) == []


def test_every_verb_has_its_entry_and_an_example() -> None:
    text, verbs = text_of("operations.md"), [f"salerno {name}" for name, _ in documents().verbs()]
    assert "salerno ledger verify" in verbs
    assert absent(verbs, text) == []
    examples = "\n".join(FENCED.findall(text))
    assert [verb for verb in verbs if not re.search(rf"(^|\| ){verb}\b", examples, re.MULTILINE)] == []


def test_every_route_of_the_api_has_its_row() -> None:
    hung = documents().bus()
    lines = [line for line in listing(app.doors_of(["api"], hung, b""), hung.needs) if "/commands/" not in line.path]
    names = {f"{line.method} {line.path.removeprefix('/api/v1')}" for line in lines}
    assert "POST /appointments" in names
    assert absent(sorted(names), text_of("api.md")) == []


# -------------------------------------------------------------------- paths and links
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for target in LINK.findall(FENCED.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path) if path else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_that_is_named_exists(page: Path) -> None:
    spans = SPAN.findall(FENCED.sub("", page.read_text("utf-8")))
    paths = [span for span in spans if PATH.fullmatch(span) and not span.startswith(MADE)]
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_is_said_to_be_in_a_file_is_defined_there(page: Path) -> None:
    said = [(name, path) for name, path in DEFINED_IN.findall(page.read_text("utf-8")) if (ROOT / path).is_file()]
    lost = [(name, path) for name, path in said if name not in definitions(ROOT / path) | {f"{name}()"}]
    lost = [(name, path) for name, path in lost if not _is_last_part(name, definitions(ROOT / path))]
    assert lost == []


def _is_last_part(name: str, defined: set[str]) -> bool:
    """`handle` may stand for `Bus.handle` where its file is named."""
    return "." not in name and any(each.endswith(f".{name}") for each in defined)


def test_the_walk_of_a_command_names_only_what_there_is() -> None:
    text = text_of("life-of-a-command.md")
    assert len(DEFINED_IN.findall(text)) >= 12
    files = [*(ROOT / "src/salerno").rglob("*.py"), *(ROOT / "src/salerno").rglob("*.sql")]
    known = {name for path in files for name in definitions(path)}
    names = [span for span in SPAN.findall(text) if re.fullmatch(r"[A-Za-z_]+(\.[a-z_]+)?", span)]
    assert "on_schedule" in names
    assert [name for name in names if name not in known and not _is_last_part(name, known)] == []


# -------------------------------------------------------------------- pictures
def test_pictures_are_small_and_say_what_they_show() -> None:
    for picture in (DOCS / "images").iterdir():
        assert picture.stat().st_size < LARGEST_PICTURE, picture.name
        if picture.suffix == ".svg":
            names = [child.tag.rpartition("}")[2] for child in ET.parse(picture).getroot()]
            assert names[:2] == ["title", "desc"], picture.name


def test_every_picture_is_shown_somewhere() -> None:
    pages = "\n".join(page.read_text("utf-8") for page in PAGES)
    pictures = [path.relative_to(DOCS).as_posix() for path in (DOCS / "images").rglob("*.*")]
    assert [picture for picture in pictures if f"{picture})" not in pages] == []


# -------------------------------------------------------------------- the notice
def test_the_readme_carries_the_notice_and_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "## Not for real patients until reviewed" in readme
    assert "not been certified" in readme
    assert re.search(r"^make demo ", readme, re.MULTILINE)
    assert re.search(r"^make test ", readme, re.MULTILINE)
