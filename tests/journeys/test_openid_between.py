"""The provider where rooms live in two processes: either answers, and what is used once is used once in both."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from bench.harness import answer_of
from joserfc import jwt
from joserfc.jwk import ECKey
from tests.journeys.test_two_processes import Pair, pair

__all__ = ["pair"]
KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_t028_t019_an_assertion_is_used_once_and_an_end_is_heard_in_both(pair: Pair) -> None:
    key = ECKey.generate_key("P-256", {"kid": "one"})
    wish = {
        "name": "Bridge", "kind": "service", "scopes": ["patient-api"],
        "jwks": json.dumps({"keys": [key.as_dict(private=False)]}),
    }  # fmt: skip
    made = pair.client("admin").post("/commands/register-client", json={"payload": wish})
    client = str(answer_of(made)["aggregate_id"])
    told = [httpx.get(f"{one.url}/.well-known/openid-configuration").json() for one in (pair.front, pair.back)]
    assert told[0]["grant_types_supported"] == told[1]["grant_types_supported"]

    def assertion() -> str:
        at = int(datetime.now(UTC).timestamp())
        claims = {"iss": client, "sub": client, "aud": told[0]["issuer"], "iat": at, "exp": at + 60}
        return jwt.encode({"alg": "ES256", "kid": "one"}, claims | {"jti": uuid4().hex}, key)

    def ask(place: Any, signed: str) -> httpx.Response:
        form = {"grant_type": "client_credentials", "client_assertion_type": KIND, "client_assertion": signed}
        return httpx.post(f"{place.url}/token", data=form)

    for _ in range(5):
        signed = assertion()
        with ThreadPoolExecutor(8) as many:
            answers = list(many.map(ask, [pair.front, pair.back] * 4, [signed] * 8))
        assert sorted(one.status_code for one in answers) == [200] + [401] * 7
    token = next(one.json()["access_token"] for one in answers if one.status_code == 200)
    for place in (pair.front, pair.back):
        got = httpx.get(f"{place.url}/api/v1/patients", headers={"Authorization": f"Bearer {token}"})
        assert got.status_code == 200, got.text

    # T019: what is retired is out in both processes, within the five seconds, though each remembers for two
    answer_of(pair.client("admin").post("/commands/retire-client", json={"payload": {"client_id": client}}))
    ended = time.monotonic()
    for place in (pair.front, pair.back):
        bearer = {"Authorization": f"Bearer {token}"}
        while httpx.get(f"{place.url}/api/v1/patients", headers=bearer).status_code != 401:
            assert time.monotonic() - ended < 5
            time.sleep(0.2)
    assert ask(pair.back, assertion()).json()["error"] == "invalid_client"
