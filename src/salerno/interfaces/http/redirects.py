"""Where a page may send a browser next: only to pages of this product."""

import re

PAGES = frozenset(
    {
        "", "today", "chart", "calendar", "visit", "visits", "people", "settings", "inbox", "prescription",
        "prescriptions", "account", "admin", "onboarding", "authorize", "device", "end-session",
    }
)  # fmt: skip
PLAIN_PATH = re.compile(r"/[A-Za-z0-9/_-]*(\?[A-Za-z0-9=&_.:%+-]*)?")


def safe_path(wanted: str, home: str = "/") -> str:
    """`wanted` where it is a plain path of a known page, else `home`. No scheme, host, dot or control character."""
    if not PLAIN_PATH.fullmatch(wanted) or wanted.startswith("//") or len(wanted) > 300:
        return home
    first = wanted.partition("?")[0].strip("/").partition("/")[0]
    return wanted if first in PAGES and "//" not in wanted.partition("?")[0] else home
