"""A SMART application in Python, with the SMART team's own client (PyPI fhirclient) and nothing of Salerno's.

Said to it as JSON: the settings of FHIRClient. It answers a line for each thing it needs or has seen.
"""

import json
import sys

from fhirclient.client import FHIRClient


def tell(**said: object) -> None:
    print(json.dumps(said), flush=True)


def main() -> None:
    kept: list[dict[str, object]] = []
    smart = FHIRClient(settings=json.loads(sys.argv[1]), save_func=kept.append)
    assert not smart.prepare(), "nobody has signed in yet"
    tell(visit=smart.authorize_url)
    smart.handle_callback(json.loads(sys.stdin.readline())["back"])
    assert smart.ready
    patient = smart.patient
    seen = {
        "patient": smart.patient_id, "name": smart.human_name(patient.name[0]), "born": patient.birthDate.isostring,
        "launch": smart.launch_context, "server": smart.server.capabilityStatement.software.name,
    }  # fmt: skip
    again = FHIRClient(state=kept[-1])  # as after a restart of the application
    assert again.ready and again.patient.id == patient.id
    if again.server.auth.refresh_token:
        before = again.server.auth.access_token
        assert again.reauthorize() and again.server.auth.access_token != before
        assert again.server.request_json(f"Patient/{patient.id}")["id"] == patient.id
        seen["renewed"] = True
    tell(seen=seen)


main()
