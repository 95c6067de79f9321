"""Examples of bodies that name none themselves: what is needed, and beside it what is commonly said."""

from typing import Any

DEEP = 5
ID = "019a7f3c-5b00-7000-8000-000000000001"
FORMATS = {
    "uuid": ID, "date": "2026-11-24", "date-time": "2026-11-24T09:30:00Z", "time": "09:30:00", "byte": "c2FsZXJubw==",
}  # fmt: skip
KNOWN: dict[str, Any] = {
    "given_name": "Maria", "family_name": "Rossi", "full_name": "Maria Rossi", "date_of_birth": "1948-03-12",
    "gender": "female", "email": "maria.rossi@example.com", "phone": "+390895550123", "language": "it",
    "reason": "Follow-up", "name": "Salerno Clinic", "city": "Salerno", "country": "IT", "postal_code": "84121",
    "line1": "Via Trotula de Ruggiero 11", "timezone": "Europe/Rome", "code": "I10", "display": "Hypertension",
    "weekday": 0, "start": "08:30", "end": "13:00", "duration_minutes": 30, "minutes": 30, "visit_type": "follow-up",
    "subjective": "Headache in the morning.", "assessment": "Essential hypertension.", "dosage": "5 mg",
    "frequency": "once a day", "duration": "30 days", "systolic": 134, "diastolic": 82, "heart_rate": 71,
    "substance": "Penicillin", "password": "a long sentence of your own", "text": "Seen again today.",
    "content_hash": "0" * 64, "scope": "treatment", "role": "NURSE", "otp": "123456", "colour": 3,
}  # fmt: skip


def example_of(schema: dict[str, Any], components: dict[str, Any]) -> Any:
    """One value that this schema accepts."""
    return _value("", schema, components, 0)


def _value(name: str, given: dict[str, Any], components: dict[str, Any], level: int) -> Any:
    schema = components[given["$ref"].rpartition("/")[2]] if "$ref" in given else given
    if "properties" in schema:
        return _object(schema, components, level)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        real = [one for one in choices if one.get("type") != "null"]
        return _value(name, real[0], components, level)
    if "enum" in schema:
        return KNOWN[name] if KNOWN.get(name) in schema["enum"] else schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if schema.get("type") == "array":
        return _list(name, schema, components, level)
    if schema.get("format") in FORMATS and not (schema["format"] == "date" and name in KNOWN):
        return FORMATS[schema["format"]]
    return _plain(name, schema)


def _plain(name: str, schema: dict[str, Any]) -> Any:
    kind = schema.get("type")
    known = KNOWN.get(name)
    if kind == "string" and name.endswith(("_at", "_datetime")):  # with or without an offset: no format says so
        return FORMATS["date-time"]
    if kind == "string":
        return known if isinstance(known, str) and _fits(known, schema) else "text"[: schema.get("maxLength", 4)]
    if kind in ("integer", "number"):
        if isinstance(known, int):
            return known
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        return low + 1 if "exclusiveMinimum" in schema else low
    if kind == "boolean":
        return True
    return {} if kind == "object" else "text"


def _fits(text: str, schema: dict[str, Any]) -> bool:
    return bool(schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", 1_000_000))


def _object(schema: dict[str, Any], components: dict[str, Any], level: int) -> dict[str, Any]:
    needed = set(schema.get("required", ()))
    names = [name for name in schema["properties"] if name in needed or (name in KNOWN and level < DEEP)]
    return {name: _value(name, schema["properties"][name], components, level + 1) for name in names}


def _list(name: str, schema: dict[str, Any], components: dict[str, Any], level: int) -> list[Any]:
    if "prefixItems" in schema:
        return [_value(name, one, components, level + 1) for one in schema["prefixItems"]]
    if not schema.get("items") or level >= DEEP:
        return []
    count = max(1, schema.get("minItems", 0))
    return [_value(name, schema["items"], components, level + 1)] * count
