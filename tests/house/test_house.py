"""The house's own rules, which no linter knows: length, names, opening sentences, and nothing of one machine."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/salerno"
LONGEST_FILE = 400
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "stuff", "base"}
FILES_OF_A_ROOM = {
    "__init__", "access", "commands", "data", "errors", "events", "guards", "handlers", "policies", "projections",
    "queries", "room", "rules", "sql", "wards",
}  # fmt: skip
# The brackets keep this file from being what it looks for.
PLACES_OF_ONE_MACHINE = re.compile(r"(?<![\w.:/~-])/(?:[w]ork|[r]oot|[h]ome/[a-z]+|[U]sers)/[a-z.]")
PACKAGE_INDEXES = re.compile(
    r"[p]ypi\.org|[p]ythonhosted|[n]pmjs\.org/|[a]rtifactory|[n]exus\.|https?://[\w.-]*[m]irror"
)
LEFT_TO_DO = re.compile(r"\b([T]ODO|[F]IXME|[X]XX)\b|[r]aise NotImplementedError")
BINARY = {".png", ".jpg", ".webp", ".ico", ".woff2", ".gz", ".pdf", ".mo"}


def tracked() -> list[Path]:
    """What is in the repository."""
    words = ["git", "ls-files"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [path for path in (ROOT / line for line in listed) if path.is_file() and path.suffix not in BINARY]


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def shown(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def lines_that_match(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    found = []
    for path in paths:
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    return found


def test_no_source_file_is_longer_than_400_lines() -> None:
    long = [path for path in modules() if len(path.read_text("utf-8").splitlines()) > LONGEST_FILE]
    assert shown(long) == []


def test_every_module_opens_with_a_sentence() -> None:
    silent = [path for path in modules() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    speaking = [path for path in silent if path.name != "__init__.py" or path.read_text("utf-8").strip()]
    assert shown(speaking) == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert shown([path for path in modules() if path.stem in NAMES_THAT_SAY_NOTHING]) == []


def test_every_room_is_laid_out_alike() -> None:
    rooms = [path for path in (SOURCE / "contexts").iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert rooms != []
    strangers = [
        path for room in rooms for path in room.iterdir() if path.stem not in FILES_OF_A_ROOM | {"__pycache__"}
    ]
    assert shown(strangers) == []


def test_nothing_is_left_to_do_in_the_code() -> None:
    code = [path for path in tracked() if path.suffix in {".py", ".ts", ".html", ".css", ".sql", ".sh"}]
    assert lines_that_match(LEFT_TO_DO, code) == []


def test_no_path_of_one_machine_and_no_package_index_is_in_the_repository() -> None:
    files = tracked()
    assert ROOT / "requirements.lock" in files
    assert lines_that_match(PLACES_OF_ONE_MACHINE, files) == []
    assert lines_that_match(PACKAGE_INDEXES, files) == []


@pytest.mark.parametrize(
    ("pattern", "line", "word"),
    [
        (PLACES_OF_ONE_MACHINE, "see /{}/main/x", "work"),
        (PLACES_OF_ONE_MACHINE, '"/{}/.cache"', "root"),
        (PACKAGE_INDEXES, "https://{}.org/simple", "pypi"),
        (LEFT_TO_DO, "# {} later", "todo".upper()),
    ],
)
def test_the_patterns_above_see_what_they_look_for(pattern: re.Pattern[str], line: str, word: str) -> None:
    assert pattern.search(line.format(word))
    assert not pattern.search(line.format("elsewhere"))


def test_every_make_target_that_people_use_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]+):(?!=)", text, re.MULTILINE)) - {"test-tools"}
    described = set(re.findall(r"^([a-z][a-z-]+):.*## ", text, re.MULTILINE))
    assert targets == described
    assert {"setup", "demo", "test", "check", "bench", "soak"} <= described
