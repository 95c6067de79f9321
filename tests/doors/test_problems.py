"""Refusals become answers in one place, and say nothing they should not."""

import json
from uuid import uuid4

import httpx
import pytest
from tests.doors.probe import REFUSALS

STATUSES = {
    "not-found": 404, "not-allowed": 403, "not-signed-in": 401, "conflict": 409, "version": 409, "invalid": 422,
    "too-many": 429, "gone": 410, "unavailable": 503, "integrity": 500, "bug": 500,
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSALS)
async def test_every_kind_of_refusal_has_its_status_and_a_problem_body(web: httpx.AsyncClient, kind: str) -> None:
    answer = await web.get(f"/refused/{kind}")
    assert answer.status_code == STATUSES[kind]
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == STATUSES[kind] and body["code"] and body["title"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["instance"] == f"urn:salerno:request:{body['request_id']}"


async def test_invalid_names_path_and_pointer(web: httpx.AsyncClient) -> None:
    assert (await web.get("/refused/invalid")).json()["errors"] == [
        {
            "path": "address.line1", "pointer": "/address/line1",
            "code": "too-long", "message": "At most 200 characters",
        }
    ]  # fmt: skip


async def test_slow_down_and_unavailable_say_when_to_come_back(web: httpx.AsyncClient) -> None:
    assert (await web.get("/refused/too-many")).headers["retry-after"] == "13"
    assert (await web.get("/refused/unavailable")).headers["retry-after"] == "2"


async def test_not_signed_in_says_how(web: httpx.AsyncClient) -> None:
    assert (await web.get("/me")).headers["www-authenticate"] == 'Bearer realm="salerno"'


async def test_a_browser_is_sent_to_sign_in_and_comes_back(web: httpx.AsyncClient) -> None:
    answer = await web.get("/me", headers={"Accept": "text/html,application/xhtml+xml"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/me")


async def test_htmx_gets_a_fragment_and_never_json(web: httpx.AsyncClient) -> None:
    answer = await web.get("/refused/conflict", headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["hx-retarget"] == "#toasts"
    assert "The current state does not allow this." in answer.text and "{" not in answer.text


async def test_htmx_is_redirected_to_sign_in(web: httpx.AsyncClient) -> None:
    answer = await web.get("/me", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")


async def test_t044_no_problem_body_carries_internals(
    web: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in [f"/refused/{kind}" for kind in REFUSALS] + ["/absent", "/wishes/not-a-uuid"]:
        for accept in ("application/json", "text/html"):
            text = (await web.get(path, headers={"Accept": accept})).text
            for inside in ("Rossi", "Traceback", "/srv", "app.py", "RuntimeError", "litestar", "salerno.kernel"):
                assert inside not in text, (path, inside)
    logged = capsys.readouterr()
    assert "Rossi" not in logged.out + logged.err


async def test_t044_absent_and_forbidden_look_the_same_but_for_the_request(web: httpx.AsyncClient) -> None:
    bodies = []
    for path in (f"/absent/{uuid4()}", f"/absent/{uuid4()}"):
        body = (await web.get(path)).json()
        rid = body.pop("request_id")
        bodies.append(json.dumps(body).replace(rid, ""))
    assert bodies[0] == bodies[1]


async def test_unknown_method_and_path_are_problems_too(web: httpx.AsyncClient) -> None:
    absent, wrong = await web.get("/nowhere"), await web.delete("/me")
    assert (absent.status_code, absent.json()["code"]) == (404, "not-found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method-not-allowed")
    assert "GET" in wrong.headers["allow"]


async def test_a_lost_race_is_412_when_the_client_named_a_version(web: httpx.AsyncClient) -> None:
    path = f"/wishes/{uuid4()}/race"
    assert (await web.post(path)).status_code == 409
    refused = await web.post(path, headers={"If-Match": '"3"'})
    assert (refused.status_code, refused.json()["details"]) == (412, {"current_version": 7})
