"""Says where requirements.lock does not fit pyproject.toml, without asking any package index."""

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
HOST = re.compile(r"https?://|index-url|find-links")


def wanted() -> dict[str, list[Requirement]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    found: dict[str, list[Requirement]] = {}
    for requirement in map(Requirement, lines):
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def pinned(lock: str) -> dict[str, list[tuple[str, bool]]]:
    """Name to its versions (a universal lock may hold several), each with whether it is there for ourselves."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for block in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE):
        if pin := PIN.match(block):
            ours = "salerno (pyproject.toml" in block
            found.setdefault(canonicalize_name(pin[1]), []).append((pin[2], ours))
    return found


def differences(requirements: dict[str, list[Requirement]], lock: str) -> list[str]:
    pins = pinned(lock)
    found = []
    for name, needs in requirements.items():
        if name not in pins:
            found.append(f"{name} is not locked")
        found += [
            f"{name} is locked at {version}, wanted is {need}"
            for need in needs
            for version, _ in pins.get(name, ())
            if not need.specifier.contains(version, prereleases=True)
        ]
    found += [
        f"{name} is locked for us but no longer wanted"
        for name, versions in pins.items()
        if name not in requirements and any(ours for _, ours in versions)
    ]
    if HOST.search(lock):
        found.append("the lock names a host")
    return found


if __name__ == "__main__":
    wrong = differences(wanted(), (ROOT / "requirements.lock").read_text("utf-8"))
    for line in wrong:
        print(f"requirements.lock: {line}")
    sys.exit("Run: make lock" if wrong else 0)
