"""What this interface can do, and nothing else (https://hl7.org/fhir/R4/capabilitystatement.html)."""

from datetime import datetime
from typing import Any

from salerno.interfaces.fhir.served.resources import Json

OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SECURITY = "http://terminology.hl7.org/CodeSystem/restful-security-service"
ENDPOINTS = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "introspect": "introspection_endpoint",
    "revoke": "revocation_endpoint",
}


def capability_statement(resources: tuple[str, ...], provider: Json, base: str, version: str, since: datetime) -> Json:
    """`provider` is what the authorization server says of itself; `resources` are those that can be read by id."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": since.isoformat(timespec="seconds"),
        "kind": "instance",
        "software": {"name": "Salerno", "version": version},
        "implementation": {"description": "Salerno", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(provider),
                "resource": [
                    {"type": type, "interaction": [{"code": "read"}], "versioning": "versioned"} for type in resources
                ],
            }
        ],
    }


def _security(provider: Json) -> Json:
    uris: list[dict[str, Any]] = [{"url": name, "valueUri": provider[key]} for name, key in ENDPOINTS.items()]
    return {
        "cors": False,
        "service": [{"coding": [{"system": SECURITY, "code": "SMART-on-FHIR"}]}],
        "extension": [{"url": OAUTH_URIS, "extension": uris}],
    }
