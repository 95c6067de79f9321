"""The check that the lock fits what is wanted finds each way in which it may not."""

import importlib.util
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("lock_in_step", ROOT / "scripts/lock_in_step.py")
assert SPEC
assert SPEC.loader
lock_in_step = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(lock_in_step)

LOCK = """\
click==8.1.7 \\
    --hash=sha256:00
    # via salerno (pyproject.toml)
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:00
    # via click
pytest==8.4.0 \\
    --hash=sha256:00
    # via salerno (pyproject.toml:dev)
"""


@pytest.mark.parametrize(
    ("wanted", "more", "said"),
    [
        (["click>=8", "pytest"], "", []),
        (["click>=8", "pytest", "rich"], "", ["rich is not locked"]),
        (["click>=8.2", "pytest"], "", ["click is locked at 8.1.7, wanted is click>=8.2"]),
        (["click>=8"], "", ["pytest is locked for us but no longer wanted"]),
        (["click", "pytest"], "--index-url somewhere\n", ["the lock names a host"]),
    ],
)
def test_a_lock_out_of_step_is_told(wanted: list[str], more: str, said: list[str]) -> None:
    requirements = {requirement.name: [requirement] for requirement in map(Requirement, wanted)}
    assert lock_in_step.differences(requirements, LOCK + more) == said


def test_the_lock_of_the_repository_is_in_step() -> None:
    assert lock_in_step.differences(lock_in_step.wanted(), (ROOT / "requirements.lock").read_text("utf-8")) == []
