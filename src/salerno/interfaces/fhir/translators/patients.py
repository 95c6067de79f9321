"""Patient → the patients room."""

from collections.abc import Iterator
from uuid import UUID

import phonenumbers

from salerno.contexts.patients.commands import RegisterPatient
from salerno.interfaces.fhir.reading import Json, Node
from salerno.interfaces.fhir.translators.places import postal
from salerno.interfaces.fhir.translators.wishes import Wish, asked, saying_less

NEEDED = frozenset({"given_name", "family_name", "full_name", "date_of_birth"})


def patient(node: Node, id: UUID) -> Iterator[Wish]:
    country, address = _address(node)
    phones, fields = _telecom(node, country)
    fields |= (
        _names(node)
        | _death(node)
        | {
            "date_of_birth": node.day("birthDate"),
            "gender": node.text("gender") or None,
            "address": address,
            "identifiers": _identifiers(node),
            "contacts": phones,
            "emergency_contacts": _contacts(node),
            "language": _language(node),
            "marital_status": _marital(node),
        }
    )
    if node.flag("active") is False:
        node.dropped()
    command = asked(RegisterPatient, node.path, patient_id=id, confirmed_not_duplicate=True, **fields)
    yield saying_less(Wish(id, command, node.path), NEEDED)


def _names(node: Node) -> Json:
    names = sorted(node.nodes("name"), key=lambda each: each.text("use") not in ("official", "usual", ""))
    if not names:
        raise node.broken("name", "a patient needs a name")
    if len(names) > 1 or any(names[0].has(part) for part in ("prefix", "suffix", "period")):
        node.dropped()
    given = names[0].texts("given")
    family, text = names[0].text("family"), names[0].text("text")
    if not given and not family:
        return {"full_name": text or None}
    return {"given_name": " ".join(given), "family_name": family}


def _death(node: Node) -> Json:
    died = node.day("deceasedDateTime")
    if died or node.has("deceasedDateTime"):
        return {"deceased": True, "deceased_on": died}
    return {"deceased": node.flag("deceasedBoolean")}


def _address(node: Node) -> tuple[str, Json | None]:
    found = node.first("address")
    address = postal(found) if found else None
    return (address["country"] if address else ""), address


def _telecom(node: Node, country: str) -> tuple[list[Json], Json]:
    """The first phone and e-mail in their places, what cannot be dialled or was more among the further contacts."""
    main: Json = {}
    others: list[Json] = []
    for each in node.nodes("telecom"):
        system, value, use = each.text("system"), each.text("value"), each.text("use")
        if not value:
            node.dropped()
        elif system in ("phone", "email") and system not in main and _usable(system, value, country):
            main[system] = value
        else:
            usable = system in ("phone", "email", "fax") and _usable(system, value, country)
            others.append({"kind": system if usable else "other", "value": value, "use": use})
    return others, main


def _usable(system: str, value: str, country: str) -> bool:
    if system == "email":
        return "@" in value
    try:
        number = phonenumbers.parse(value, country.upper() if len(country) == 2 else None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number)


def _identifiers(node: Node) -> list[Json]:
    found = []
    for each in node.nodes("identifier"):
        system, value = each.text("system"), each.text("value")
        if any(each.has(part) for part in ("period", "assigner")) or not (system and value):
            node.dropped()
        if system and value:
            found.append({"system": system, "value": value})
    return found


def _contacts(node: Node) -> list[Json]:
    found = []
    for each in node.nodes("contact"):
        name = each.node("name")
        words = [*name.texts("given"), name.text("family")] if name else []
        spoken = (name.text("text") if name else "") or " ".join(filter(None, words))
        if not spoken:
            node.dropped()
            continue
        kin = [concept.display for concept in each.concepts("relationship")]
        ways = {way.text("system"): way.text("value") for way in each.nodes("telecom")}
        contact = {"name": spoken, "relationship": ", ".join(kin)}
        found.append(contact | {way: ways[way] for way in ("phone", "email") if ways.get(way)})
        if set(each.raw) - {"name", "relationship", "telecom"} or set(ways) - {"phone", "email"}:
            node.dropped()
    return found


def _language(node: Node) -> str | None:
    spoken = node.nodes("communication")
    preferred = sorted(spoken, key=lambda each: each.flag("preferred") is not True)
    if len(spoken) > 1:
        node.dropped()
    concept = preferred[0].concept("language", required=True) if preferred else None
    return (concept.code or None) if concept else None


def _marital(node: Node) -> str | None:
    concept = node.concept("maritalStatus")
    return (concept.code or concept.display) if concept else None
