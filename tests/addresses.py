"""Where a browser has come to."""

import re


def at(path: str) -> re.Pattern[str]:
    """Exactly this path: a glob such as "**/account" is also met by "/sign-in?next=/account", too soon."""
    return re.compile(rf"https?://[^/]+{re.escape(path)}$")
