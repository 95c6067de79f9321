"""T019, T043: broken glass opens a chart in every process; ended in one it is shut in all within five seconds."""

import time
from collections.abc import Callable
from typing import Any

import httpx
from bench.harness import answer_of
from tests.journeys.test_ending_access import HTML, LONGEST, Clinic, Stream, clinic, cookie_of, seconds_until_shut

from salerno.interfaces.cli.demo.clinic import PASSWORD

__all__ = ["clinic"]


class Person:
    """Somebody of the clinic with a token and a browser's session."""

    def __init__(self, clinic: Clinic, who: str) -> None:
        self.urls = clinic.urls
        login = {"email": f"test.{who}@example.com", "password": PASSWORD}
        self.headers = {
            "Authorization": f"Bearer {answer_of(httpx.post(f'{self.urls[0]}/auth/login', json=login))['token']}"
        }
        self.cookie = cookie_of(self.urls[0], login)

    def send(self, nth: int, path: str, body: Any) -> httpx.Response:
        return httpx.post(f"{self.urls[nth]}/api/v1{path}", json=body, headers=self.headers, timeout=30)

    def sees(self, nth: int, patient: str) -> bool:
        got = httpx.get(f"{self.urls[nth]}/api/v1/patients/{patient}", headers=self.headers, timeout=30)
        assert got.status_code in (200, 403), got.text
        assert got.status_code == 200 or got.json()["code"] == "restricted"
        return got.status_code == 200

    def page(self, nth: int, patient: str) -> bool:
        headers = {**HTML, "Cookie": f"__Host-sid={self.cookie}", "X-Background": "1"}
        return httpx.get(f"{self.urls[nth]}/chart/{patient}", headers=headers, timeout=30).status_code == 200


def _seconds_until(holds: Callable[[], bool]) -> float:
    since = time.monotonic()
    while not holds():
        assert time.monotonic() - since < LONGEST
        time.sleep(0.05)
    return time.monotonic() - since


def test_t019_break_glass_ended_in_one_process_shuts_the_chart_in_both_and_its_streams(clinic: Clinic) -> None:
    admin, doctor = Person(clinic, "admin"), Person(clinic, "doctor")
    patient = answer_of(admin.send(0, "/patients", {"full_name": "Zelda Amaranto", "confirmed_not_duplicate": True}))[
        "id"
    ]
    assert doctor.sees(1, patient)
    assert admin.send(0, f"/patients/{patient}/restriction", {"reason": "vip"}).status_code == 201
    restricted = _seconds_until(lambda: not doctor.sees(1, patient))
    assert not doctor.sees(0, patient)
    wish = {"patient_id": patient, "reason": "emergency", "explanation": "She collapsed in the corridor."}
    broken = doctor.send(0, "/break-glass", wish)
    assert broken.status_code == 201, broken.text
    opened = _seconds_until(lambda: doctor.sees(1, patient) and doctor.page(1, patient))
    streams = [Stream(url, doctor.cookie, f"/live?chart={patient}") for url in clinic.urls]
    doors: dict[str, Callable[[], bool]] = {}
    for nth in (0, 1):
        doors[f"REST {nth}"] = lambda nth=nth: doctor.sees(nth, patient)
        doors[f"page {nth}"] = lambda nth=nth: doctor.page(nth, patient)
        doors[f"stream {nth}"] = lambda nth=nth: streams[nth].open
    assert all(opens() for opens in doors.values())
    assert doctor.send(0, f"/break-glass/{broken.json()['aggregate_id']}/end", {}).status_code == 200
    took = seconds_until_shut(doors, time.monotonic())
    assert max(took.values()) < LONGEST, took
    print(
        f"restricted in {restricted:.2f} s, opened in {opened:.2f} s, the last door shut in {max(took.values()):.2f} s"
    )
