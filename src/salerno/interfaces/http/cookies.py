"""The cookies of a person's browser: the session, and the device that it was opened on. Only hashes are kept."""

from datetime import datetime
from typing import Any

from litestar import Request, Response
from litestar.datastructures import Cookie

from salerno.interfaces.http.sessions import COOKIE, Sessions

DEVICE = "__Host-device"
YEAR = 31_536_000


def device_of(request: "Request[Any, Any, Any]") -> str:
    """The token of a device that somebody signed in on before."""
    token = request.cookies.get(DEVICE, "")
    return token if len(token) <= 128 else ""


def token_of(request: "Request[Any, Any, Any]") -> str:
    """The token of the session that the edge has recognised, or that it was offered."""
    return str(request.scope["state"].get("cookie", ""))


def sign_in(
    request: "Request[Any, Any, Any]", answer: "Response[Any]", token: str, expires_at: datetime, device: str = ""
) -> "Response[Any]":
    """Give the browser its session under a new token; what was remembered of the old one is dropped."""
    forget(request)
    left = int((expires_at - request.app.state["setup"].clock.now()).total_seconds())
    if token:
        answer.cookies.append(_cookie(COOKIE, token, max(left, 1), "lax"))
    if device:
        answer.cookies.append(_cookie(DEVICE, device, YEAR, "strict"))
    return answer


def sign_out(request: "Request[Any, Any, Any]", answer: "Response[Any]") -> "Response[Any]":
    forget(request)
    answer.cookies.append(_cookie(COOKIE, "", 0, "lax"))
    return answer


def forget(request: "Request[Any, Any, Any]") -> None:
    """Rights have changed: this process asks the identity room again."""
    sessions: Sessions = request.app.state["sessions"]
    sessions.forget()


def _cookie(name: str, value: str, seconds: int, same_site: Any) -> Cookie:
    return Cookie(key=name, value=value, path="/", secure=True, httponly=True, samesite=same_site, max_age=seconds)
