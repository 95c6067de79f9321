"""What an account may do, role by role: the one place where roles become permissions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from salerno.contexts.identity.rules.roles import ENROLMENT, is_shipped, of_everybody, permissions_of


@dataclass(frozen=True, slots=True)
class Share:
    """What one role brings. `replaced`: another role stands in its place; `retired`: it gives nothing any more."""

    role: str
    held: frozenset[str] = frozenset()
    made: bool = False
    replaced: bool = False
    retired: bool = False

    @property
    def given(self) -> frozenset[str]:
        return frozenset() if self.replaced else self.held


def shares_of(
    role: str, also: Sequence[str], instead: Collection[str], made: Mapping[str, frozenset[str]], *, alone: bool
) -> list[Share]:
    """`made` says what the organisation's own roles give now; one that is not there gives nothing.

    `alone`: there is one organisation, and its administrator reaches all of it.
    """
    own = Share(role, permissions_of(role, alone=alone), replaced=bool(set(instead) & set(also)))
    return [own, *(_further(one, made, alone) for one in also)]


def _further(role: str, made: Mapping[str, frozenset[str]], alone: bool) -> Share:
    if is_shipped(role):
        return Share(role, permissions_of(role, alone=alone))
    return Share(role, made.get(role, frozenset()), made=True, retired=not made.get(role))


def names_of(shares: Sequence[Share]) -> tuple[str, ...]:
    """The roles that give something here: not one in whose place another stands, and none that has retired."""
    return tuple(share.role for share in shares if not share.replaced and not share.retired)


def permissions_in(shares: Sequence[Share], *, enrol: bool = False) -> frozenset[str]:
    """Everything together. `enrol`: nothing but setting up the second factor that is missing."""
    if enrol:
        return ENROLMENT
    return of_everybody().union(*(share.given for share in shares))
