"""The layer that sees every request."""

import io
import json
import re

import brotli
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.doors.probe import ACTOR, CSRF, ORIGIN, TOKEN, application, client_of

from salerno.interfaces.http import safe_path

EVERY_STATUS = [
    ("GET", "/me", 401), ("GET", "/large", 200), ("GET", "/nowhere", 404), ("DELETE", "/me", 405),
    ("GET", "/refused/bug", 500), ("GET", "/refused/unavailable", 503), ("GET", "/refused/gone", 410),
    ("POST", "/wishes", 415), ("HEAD", "/large", 200), ("OPTIONS", "/large", 204), ("TRACE", "/large", 405),
    ("GET", "/page", 200), ("DELETE", "/wishes/00000000-0000-0000-0000-000000000000", 204),
    ("PUT", "/wishes/00000000-0000-0000-0000-000000000000", 428), ("GET", "/static/none", 404),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "status"), EVERY_STATUS)
async def test_t070_every_status_carries_the_headers(
    web: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await web.request(method, path)
    assert answer.status_code == status
    headers = answer.headers
    assert int(re.search(r"max-age=(\d+); includeSubDomains", headers["strict-transport-security"])[1]) >= 31_536_000  # type: ignore[index]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "strict-origin"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-store"
    assert re.fullmatch(r"[0-9a-f]{24}", headers["x-request-id"])
    assert "server" not in headers and "x-powered-by" not in headers


@pytest.mark.parametrize(("method", "path", "status"), EVERY_STATUS)
async def test_t068_every_answer_has_a_strict_policy(
    web: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    policy = (await web.request(method, path)).headers["content-security-policy"]
    assert "unsafe" not in policy and "*" not in policy
    for said in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "form-action 'self'"):
        assert said in policy
    assert "frame-ancestors 'none'" in policy and "report-to csp" in policy


async def test_t068_a_page_has_a_new_nonce_each_time_and_trusted_types(web: httpx.AsyncClient) -> None:
    seen = set()
    for _ in range(20):
        answer = await web.get("/page")
        policy = answer.headers["content-security-policy"]
        nonce = re.search(r"script-src 'self' 'nonce-([A-Za-z0-9_-]+)'", policy)
        assert nonce and len(nonce[1]) >= 22 and nonce[1] in answer.text
        assert "require-trusted-types-for 'script'" in policy
        seen.add(nonce[1])
    assert len(seen) == 20


async def test_a_request_id_is_kept_when_it_is_plain_and_replaced_when_not(web: httpx.AsyncClient) -> None:
    kept = await web.get("/large", headers={"X-Request-Id": "abc-DEF_1234"})
    assert kept.headers["x-request-id"] == "abc-DEF_1234"
    for odd in ("short", "x" * 65, "with space!!", "<script>alert"):
        assert (await web.get("/large", headers={"X-Request-Id": odd})).headers["x-request-id"] != odd


async def test_a_cookie_and_a_bearer_token_are_recognised(web: httpx.AsyncClient) -> None:
    by_cookie = await web.get("/me", headers={"Cookie": f"a=b; __Host-sid={TOKEN}"})
    by_bearer = await web.get("/me", headers={"Authorization": f"Bearer {'b' * 20}"})
    for answer in (by_cookie, by_bearer):
        assert answer.json()["actor"] == str(ACTOR)
        assert answer.json()["request"] == answer.headers["x-request-id"]
    assert (await web.get("/me", headers={"Cookie": "__Host-sid=wrong"})).status_code == 401
    assert (await web.get("/me", headers={"Authorization": "Bearer wrong"})).status_code == 401


POSTS = ["/wishes", "/forms", "/sign-out"]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
async def test_t069_no_change_with_a_session_and_without_its_token(
    signed_in: httpx.AsyncClient, path: str, kind: str
) -> None:
    answer = await signed_in.post(path, content=b'{"name":"Ada","count":1}', headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")


async def test_t069_the_token_opens_by_header_or_by_field(signed_in: httpx.AsyncClient) -> None:
    good = {"name": "Ada", "count": 1}
    assert (await signed_in.post("/wishes", json=good, headers={"X-CSRF-Token": CSRF})).status_code == 201
    assert (await signed_in.post("/forms", data=good | {"csrf": CSRF})).status_code == 200
    assert (await signed_in.post("/sign-out", data={"csrf": CSRF})).json() == {"done": True}


async def test_t069_a_wrong_doubled_or_foreign_token_does_not_open(signed_in: httpx.AsyncClient) -> None:
    assert (await signed_in.post("/wishes", json={}, headers={"X-CSRF-Token": "d" * 43})).status_code == 403
    assert (await signed_in.post("/sign-out", data={"csrf": "d" * 43})).status_code == 403
    twice = await signed_in.post("/sign-out", content=f"csrf={CSRF}&csrf={CSRF}", headers=FORM)
    assert twice.status_code == 403
    in_query = await signed_in.post(f"/sign-out?csrf={CSRF}", content=b"", headers=FORM)
    assert in_query.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"}, {"Origin": "null"}, {"Origin": "https://a.clinic.test"},
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": ""},
    ],
)  # fmt: skip
async def test_t069_another_origin_is_refused_with_and_without_a_session(
    web: httpx.AsyncClient, signed_in: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    for client in (web, signed_in):
        answer = await client.post("/sign-out", data={"csrf": CSRF}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross-origin")


async def test_t069_our_own_origin_and_programs_pass(web: httpx.AsyncClient, signed_in: httpx.AsyncClient) -> None:
    ours = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
    assert (await signed_in.post("/forms", data={"name": "A", "count": 1, "csrf": CSRF}, headers=ours)).is_success
    program = await web.post("/wishes", json={"name": "A", "count": 1}, headers={"Authorization": f"Bearer {'b' * 20}"})
    assert program.status_code == 201


async def test_t069_a_method_override_is_ignored(signed_in: httpx.AsyncClient) -> None:
    answer = await signed_in.get("/sign-out", headers={"X-HTTP-Method-Override": "POST"})
    assert answer.status_code == 405


async def test_t055_odd_hosts_are_refused(web: httpx.AsyncClient) -> None:
    for host in ("", "a b", "a/b", "clinic.test@evil", "x" * 300):
        assert (await web.get("/large", headers={"Host": host})).status_code == 400, host
    async with client_of(application(hosts=frozenset({"clinic.test"}))) as strict:
        assert (await strict.get("/large")).status_code == 200
        assert (await strict.get("/large", headers={"Host": "evil.test"})).status_code == 421


async def test_large_json_is_compressed_and_pages_are_not(web: httpx.AsyncClient) -> None:
    packed = await web.get("/large", headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "br" and "Accept-Encoding" in packed.headers["vary"]
    assert int(packed.headers["content-length"]) < 500 and packed.json()["text"].startswith("salus ")
    assert (await web.get("/large", headers={"Accept-Encoding": "gzip"})).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in (await web.get("/large", headers={"Accept-Encoding": "identity"})).headers
    assert "content-encoding" not in (await web.get("/page", headers={"Accept-Encoding": "br"})).headers
    assert brotli.decompress(brotli.compress(b"x")) == b"x"


async def test_head_is_get_without_a_body(web: httpx.AsyncClient) -> None:
    head, full = await web.head("/large"), await web.get("/large", headers={"Accept-Encoding": "identity"})
    assert head.content == b"" and head.headers["content-length"] == full.headers["content-length"]


async def test_the_access_line_names_the_route_and_never_the_path() -> None:
    out = io.BytesIO()
    app = application(out)
    async with client_of(app) as client:
        await client.get("/wishes/6f2e1f0e-0000-7000-8000-00000000cafe?q=Rossi")
        await client.get("/patients/Rossi")
        await client.get("/refused/conflict%0d%0aforged")
    app.state["setup"].log.flush()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(x["route"], x["status"], x["code"]) for x in lines] == [
        ("/wishes/{wish_id}", 200, ""), ("unmatched", 404, "not-found"), ("/refused/{kind}", 500, "internal-error"),
    ]  # fmt: skip
    assert all(line["event"] == "request" and line["ms"] > 0 for line in lines)
    assert b"Rossi" not in out.getvalue() and b"cafe" not in out.getvalue()


async def test_only_named_origins_may_read_across_and_never_with_cookies() -> None:
    async with client_of(application(cross_origins=frozenset({"https://app.test"}))) as client:
        allowed = await client.get("/large", headers={"Origin": "https://app.test"})
        assert allowed.headers["access-control-allow-origin"] == "https://app.test"
        assert "access-control-allow-credentials" not in allowed.headers
        assert (
            "access-control-allow-origin"
            not in (await client.get("/large", headers={"Origin": "https://evil.test"})).headers
        )
        preflight = await client.options("/wishes", headers={"Origin": "https://app.test"})
        assert preflight.status_code == 204 and "authorization" in preflight.headers["access-control-allow-headers"]


REDIRECTS = [
    "//evil.test", "/\\evil.test", "https:evil.test", "https://evil.test", "/%00today", "/today@evil", "\t//evil",
    "/today\n", "javascript:alert(1)", "/\t/evil", "/today//evil.test", "/..//evil", "today", "", "/static/x",
    "/sign-out", "/today#x", "/api/v1/patients", "/today?next=//evil.test\\",
]  # fmt: skip


@pytest.mark.parametrize("wanted", REDIRECTS)
def test_t072_a_redirect_goes_home_unless_it_is_a_known_page(wanted: str) -> None:
    assert safe_path(wanted) == "/"


@pytest.mark.parametrize("wanted", ["/", "/today", "/chart/0192f0c1-aaaa", "/people?q=ro%20si&limit=20", "/settings"])
def test_t072_pages_are_reached(wanted: str) -> None:
    assert safe_path(wanted) == wanted


@given(some.text(max_size=40))
def test_t072_whatever_is_asked_stays_here(wanted: str) -> None:
    to = httpx.URL(ORIGIN).join(safe_path("/" + wanted))
    assert (to.host, to.scheme) == ("clinic.test", "https")
