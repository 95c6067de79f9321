"""Who is who: what a bundle names, what references lead to, and the ids that everything has with us."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from salerno.interfaces.fhir.problems import Broken, Unresolved

LITERAL = re.compile(r"([A-Za-z]{1,64})/([A-Za-z0-9.\-]{1,64})(/_history/[A-Za-z0-9.\-]{1,64})?")
CONDITIONAL = re.compile(r"([A-Za-z]{1,64})\?identifier=(.{1,400})")
ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")


@dataclass(frozen=True, slots=True)
class Target:
    """What a reference leads to: its type ("" where unknown) and its id with us."""

    type: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Link:
    """A reference that was resolved to an id: whether its target is there, or comes along, has to be asked."""

    path: str
    text: str
    id: UUID


def our_id(organisation: UUID, type: str, source_id: str) -> UUID:
    """The same resource of the same source has the same id, however often it comes."""
    return uuid5(organisation, f"fhir/{type}/{source_id}")


@dataclass
class Scope:
    """The names known while one bundle is read. `met` are the identifiers met in earlier files of the run."""

    organisation: UUID
    met: Mapping[tuple[str, str], UUID] = field(default_factory=dict)
    by_url: dict[str, Target] = field(default_factory=dict)
    by_identifier: dict[tuple[str, str], UUID] = field(default_factory=dict)
    resources: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    links: dict[Link, None] = field(default_factory=dict)

    def name(self, raw: dict[str, Any], url: str, path: str) -> Target:
        """Enter a resource under every name that others may use for it."""
        type, source_id = raw["resourceType"], self._source_id(raw, url, path)
        target = Target(type, our_id(self.organisation, type, source_id))
        if target.id in self.resources:
            raise Broken(f"{path}.id", f"{type}/{source_id} stands in this bundle twice")
        self.resources[target.id] = raw
        for known in {url, f"{type}/{source_id}"} - {""}:
            if known in self.by_url:
                raise Broken(path, f"{known} stands in this bundle twice")
            self.by_url[known] = target
        for token in identifiers_of(raw):
            self.by_identifier.setdefault((type, token), target.id)
        return target

    def _source_id(self, raw: dict[str, Any], url: str, path: str) -> str:
        given = raw.get("id")
        if given is not None:
            if not isinstance(given, str) or not ID.fullmatch(given):
                raise Broken(f"{path}.id", "an id has 1 to 64 letters, digits, points and dashes")
            return given
        if url.startswith("urn:uuid:"):
            return url.removeprefix("urn:uuid:")
        raise Broken(path, "neither an id nor a urn:uuid as fullUrl: it could not be told from others")

    def resolve(self, text: str, path: str) -> Target:
        target = self._resolve(text, path)
        self.links[Link(path, text, target.id)] = None
        return target

    def _resolve(self, text: str, path: str) -> Target:
        if found := self.by_url.get(text):
            return found
        if literal := LITERAL.fullmatch(text):
            type, source_id = literal[1], literal[2]
            if found := self.by_url.get(f"{type}/{source_id}"):
                return found
            return Target(type, our_id(self.organisation, type, source_id))
        if conditional := CONDITIONAL.fullmatch(text):
            return self._by_identifier(conditional[1], conditional[2], path)
        raise Broken(path, f"{text[:100]!r} leads to nothing in this bundle")

    def _by_identifier(self, type: str, token: str, path: str) -> Target:
        found = self.by_identifier.get((type, token)) or self.met.get((type, token))
        if found is None:
            raise Unresolved(path, f"no {type} with this identifier is here")
        return Target(type, found)


def identifiers_of(raw: dict[str, Any]) -> list[str]:
    """`system|value` of each identifier."""
    found = raw.get("identifier")
    listed = found if isinstance(found, list) else []
    return [
        f"{each.get('system', '')}|{each['value']}" for each in listed if isinstance(each, dict) and "value" in each
    ]
