"""Where one can go: the rail in the order of a role's day, the actions of the palette, and what each of them needs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from salerno.interfaces.web.words import mark


@dataclass(frozen=True, slots=True)
class Place:
    """`needs` is any one of these permissions, held for everybody's data; empty means everybody who is signed in.

    `also` are words that one would look for it by. `{own}` in a path is the chart of whoever asks.
    `count` is an address that answers how much waits there.
    """

    path: str
    icon: str
    label: str
    key: str = ""
    needs: tuple[str, ...] = ()
    last: bool = False
    also: str = ""
    count: str = ""


OF_THE_PRACTICE = (
    Place("/settings/organisation", "flag", mark("Organisation"), needs=("organisations.manage",),
          also=mark("name address languages time zone")),
    Place("/settings/practice", "settings", mark("How we work"), needs=("organisations.manage",),
          also=mark("visit minutes calendar hours second factor idle duplicates")),
    Place("/settings/locations", "target", mark("Locations"), needs=("organisations.manage",),
          also=mark("sites opening hours")),
    Place("/settings/catalogue", "tags", mark("Visit types and rooms"), needs=("scheduling.configure",),
          also=mark("services durations colours")),
)  # fmt: skip
OF_PEOPLE = (
    Place("/settings/staff", "stethoscope", mark("Staff"), needs=("staff.manage", "staff.plan"),
          also=mark("doctors nurses working hours time off")),
    Place("/settings/accounts", "key", mark("Accounts"), needs=("identity.read_users",),
          also=mark("users roles sessions approve")),
    Place("/settings/roles", "table", mark("Roles"), needs=("identity.read_users",),
          also=mark("permissions who may do what why explain decision")),
    Place("/settings/clients", "apps", mark("Applications"), needs=("identity.manage_clients",),
          also=mark("programs clients secrets scopes")),
)  # fmt: skip
OF_PRIVACY = (
    Place("/settings/security", "shield-check", mark("Security"), needs=("vigilance.read",),
          also=mark("alerts unusual access privacy")),
    Place("/settings/restricted", "eye-off", mark("Restricted charts"), needs=("protection.restrict",),
          also=mark("hidden confidential staff as patients")),
)  # fmt: skip
SECTIONS = (
    (mark("Practice"), OF_THE_PRACTICE),
    (mark("People and programs"), OF_PEOPLE),
    (mark("Privacy"), OF_PRIVACY),
)
SETTINGS = OF_THE_PRACTICE + OF_PEOPLE + OF_PRIVACY
PLACES = (
    Place("/today", "sun", mark("Today"), "g t"),
    Place("/calendar", "calendar", mark("Calendar"), "g c", ("scheduling.read",)),
    Place("/people", "users", mark("Patients"), "g p", ("patients.find",)),
    Place("/chart/{own}", "heart", mark("My chart"), "g m"),
    Place(
        "/privacy",
        "shield",
        mark("Privacy"),
        "g v",
        ("protection.review",),
        also=mark("break-glass review"),
        count="/privacy/waiting",
    ),
    Place("/settings", "settings", mark("Settings"), "g ,", tuple(n for tab in SETTINGS for n in tab.needs), last=True),
)
ACTIONS = (
    Place("/people/new", "user-plus", mark("New patient"), "n p", ("patients.register",), also=mark("register")),
    Place("/calendar/new", "calendar-plus", mark("New appointment"), "n a", ("scheduling.book",), also=mark("book")),
    Place(
        "/glass",
        "eye",
        mark("Open a restricted chart"),
        needs=("protection.break_glass",),
        also=mark("break-glass emergency"),
    ),
    *SETTINGS,
    Place("/account/security", "shield-check", mark("Sign-ins and alerts"), also=mark("history devices countries")),
    Place("/account", "user-circle", mark("My account"), also=mark("password second factor sessions language colours")),
)
DAYS = {
    "RECEPTIONIST": ("/calendar", "/people", "/today"),
    "PHARMACIST": ("/today", "/people"),
    "LAB_TECHNICIAN": ("/today", "/people"),
    "PATIENT": ("/today", "/chart/{own}"),
}


class _Reader(Protocol):
    @property
    def role(self) -> str: ...

    @property
    def permissions(self) -> frozenset[str]: ...

    @property
    def own_chart(self) -> str: ...


def rail_of(reader: _Reader) -> tuple[Place, ...]:
    """What stands in the rail: first what the role's day begins with, the rest in the order of the house."""
    first = DAYS.get(reader.role, ())
    order = {path: number for number, path in enumerate(first)}
    return tuple(open_to(reader, sorted(PLACES, key=lambda place: order.get(place.path, len(order)))))


def actions_of(reader: _Reader) -> tuple[Place, ...]:
    """What the palette offers beside the rail."""
    return tuple(open_to(reader, ACTIONS))


def sections_of(reader: _Reader) -> list[tuple[str, tuple[Place, ...]]]:
    """The pages of the settings in their groups; what a role may not use is not there."""
    open_ones = [(label, tuple(open_to(reader, places))) for label, places in SECTIONS]
    return [(label, places) for label, places in open_ones if places]


def open_to(reader: _Reader, places: Iterable[Place]) -> Iterable[Place]:
    for place in places:
        if "{own}" in place.path:
            if reader.own_chart:
                yield replace(place, path=place.path.format(own=reader.own_chart))
        elif not place.needs or reader.permissions.intersection(place.needs):
            yield place
