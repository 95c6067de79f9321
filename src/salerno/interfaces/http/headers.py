"""The headers every answer carries, and the content security policy of pages."""

import secrets
from typing import Any

from litestar import Request

HSTS = b"max-age=63072000; includeSubDomains"
PERMISSIONS = (
    b"accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
    b"magnetometer=(), microphone=(), midi=(), payment=(), usb=(), interest-cohort=()"
)
REPORTS = "/reports/csp"
ALWAYS: list[tuple[bytes, bytes]] = [
    (b"strict-transport-security", HSTS),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin"),  # no-referrer would send "Origin: null" with every plain form
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", PERMISSIONS),
    (b"reporting-endpoints", f'csp="{REPORTS}"'.encode()),
]
CLOSED = (
    "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    f"report-uri {REPORTS}; report-to csp"
).encode()
OUR_TYPES = "htmx svelte-trusted-html"
CLEAR = {"Clear-Site-Data": '"cache", "cookies", "storage"'}
NO_STORE = b"no-store"


def nonce_of(request: "Request[Any, Any, Any]") -> str:
    """The nonce of this answer: 144 random bits, made when a page first asks for it."""
    state = request.scope["state"]
    if "nonce" not in state:
        state["nonce"] = secrets.token_urlsafe(18)
    nonce: str = state["nonce"]
    return nonce


def page_policy(nonce: str, development: str = "", types: str = OUR_TYPES) -> bytes:
    """`types` are the Trusted Types policies that a page's scripts may make.

    `development` is the origin of Vite's dev server, whose hot reloading cannot live with Trusted Types.
    """
    dev = f" {development}" if development else ""
    socket = f" {development.replace('http', 'ws', 1)}" if development else ""
    typed = "" if dev else f"require-trusted-types-for 'script'; trusted-types {types} 'allow-duplicates'; "
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'{dev}; style-src 'self' 'nonce-{nonce}'{dev}; "
        f"img-src 'self' data:{dev}; font-src 'self'{dev}; connect-src 'self'{dev}{socket}; manifest-src 'self'; "
        "object-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
        f"{typed}report-uri {REPORTS}; report-to csp"
    ).encode()
