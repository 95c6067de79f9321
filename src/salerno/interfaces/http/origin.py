"""Whether a request that changes something comes from our own page: Fetch Metadata, Origin, and the session's token."""

import hmac
from collections.abc import Mapping
from urllib.parse import parse_qs

from salerno.interfaces.http.sessions import Found

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORM = b"application/x-www-form-urlencoded"


def from_elsewhere(headers: Mapping[bytes, bytes]) -> bool:
    """True when the browser itself says that another origin sent this. It asks no session, so sign-in is covered."""
    site = headers.get(b"sec-fetch-site")
    if site is not None and site not in (b"same-origin", b"none"):
        return True
    origin = headers.get(b"origin")
    return origin is not None and origin.partition(b"://")[2] != headers.get(b"host")


def token_in_header(headers: Mapping[bytes, bytes], found: Found) -> bool | None:
    """Whether X-CSRF-Token is this session's; None when there is no such header."""
    token = headers.get(b"x-csrf-token")
    return None if token is None else hmac.compare_digest(token, found.csrf.encode())


def token_in_form(body: bytes, found: Found) -> bool:
    """Whether the form's hidden field is this session's token."""
    try:
        values = parse_qs(body.decode(), max_num_fields=500).get("csrf", [])
    except ValueError:
        return False
    return len(values) == 1 and hmac.compare_digest(values[0].encode(), found.csrf.encode())


def is_form(headers: Mapping[bytes, bytes]) -> bool:
    return headers.get(b"content-type", b"").partition(b";")[0].strip().lower() == FORM
