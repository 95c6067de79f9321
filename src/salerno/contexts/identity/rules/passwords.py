"""Which passwords are good enough: length above all, nothing common, nothing about oneself (NIST SP 800-63B-4)."""

import importlib.util
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path

from salerno.contexts.identity.errors import PasswordRefused

ALONE, WITH_FACTOR, LONGEST = 15, 8, 128  # NIST SP 800-63B-4, section 3.1.1.2; the upper bound is ours
BYTES = 1024
LEET = str.maketrans("0134578@$!", "oieastbasi")
RUNS = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop")


def is_demo(email: str, password: str) -> bool:
    """Whether this is a published login of the demo clinic, which lives outside production only."""
    return password == "password123" and email.startswith("test.") and email.endswith("@example.com")  # noqa: S105


def normal(password: str) -> str:
    """One form for one password, however a keyboard composed its accents."""
    return unicodedata.normalize("NFC", password)


def is_too_big(password: str) -> bool:
    """Longer than any password: refused before anything is computed on it."""
    return len(password) > BYTES or len(password.encode("utf-8", "surrogatepass")) > BYTES


def check(password: str, about: Iterable[str] = (), *, has_factor: bool = False) -> str:
    """The password in the form to be hashed. Raises PasswordRefused saying what is wrong."""
    if is_too_big(password):
        raise _refused("too-long", f"A password has at most {LONGEST} characters.")
    password = normal(password)
    shortest = WITH_FACTOR if has_factor else ALONE
    if len(password) < shortest:
        raise _refused("too-short", f"Take at least {shortest} characters: a few words in a row are easy to remember.")
    if len(password) > LONGEST:
        raise _refused("too-long", f"A password has at most {LONGEST} characters.")
    if is_common(password):
        raise _refused("too-common", "This password is one of those that attackers try first.")
    if _is_about(password, about):
        raise _refused("too-personal", "This password is made of your name or address.")
    return password


def is_common(password: str) -> bool:
    """Known from breaches, a run or a repetition, or one of these with digits and marks around it."""
    folded = normal(password).casefold()
    forms = {folded, folded.translate(LEET)}
    forms |= {re.sub(r"^[\W\d_]+|[\W\d_]+$", "", form) for form in forms}
    return any(_is_known(form) for form in forms) or _is_monotonous(folded)


def _is_known(form: str) -> bool:
    """A common password, or several of them (or of one) in a row."""
    bare = re.sub(r"[\W_]+", "", form)
    return form in common() or bare in common() or _is_repeated(bare)


def _is_repeated(text: str) -> bool:
    """One common word or a few characters again and again."""
    for size in range(1, len(text) // 2 + 1):
        if len(text) % size == 0 and text == text[:size] * (len(text) // size):
            return size <= 4 or text[:size] in common()
    return False


def _is_monotonous(text: str) -> bool:
    """Few different characters, or little but runs along the alphabet or a keyboard."""
    if len(set(text)) <= 4:
        return True
    rest = text
    for run in RUNS:
        for line in (run, run[::-1]):
            for size in range(len(line), 3, -1):
                for start in range(len(line) - size + 1):
                    rest = rest.replace(line[start : start + size], "")
    return len(rest) < len(text) // 3


def _is_about(password: str, about: Iterable[str]) -> bool:
    """Whether little is left once the words about the person are taken out."""
    rest = password.casefold()
    words = {word for text in about for word in re.split(r"[\W_]+", text.casefold()) if len(word) >= 4}
    for word in sorted(words | {"salerno"}, key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest != password.casefold() and len(re.sub(r"[\W\d_]+", "", rest)) < 4


@cache
def common() -> frozenset[str]:
    """Passwords known from breaches (the list in the zxcvbn package, MIT) and our own few words."""
    own = (resources.files("salerno.contexts.identity") / "data" / "common_passwords.txt").read_text("utf-8")
    words = {line.strip().casefold() for line in own.splitlines() if line and not line.startswith("#")}
    return frozenset(words | {word.casefold() for word in _breached() if len(word) >= 6})


def _breached() -> list[str]:
    """Read without importing the package, which would build all its tables in memory."""
    package = importlib.util.find_spec("zxcvbn")
    if package is None or package.origin is None:
        raise FileNotFoundError("zxcvbn, whose list of common passwords is needed")
    file = Path(package.origin).with_name("frequency_lists.py")
    source = importlib.util.spec_from_file_location("zxcvbn_frequency_lists", file)
    if source is None or source.loader is None:
        raise FileNotFoundError(file)
    module = importlib.util.module_from_spec(source)
    source.loader.exec_module(module)
    return list(module.FREQUENCY_LISTS["passwords"])


def _refused(code: str, message: str) -> PasswordRefused:
    return PasswordRefused(errors=[{"path": "password", "code": code, "message": message}])
