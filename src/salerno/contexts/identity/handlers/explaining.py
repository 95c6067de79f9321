"""Why somebody may or may not do something: the steps that a request of theirs would take, with the verdict of the bus.

What is asked is what decides: the standing that sessions are described by, and the judgement of the kernel's permits.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec.structs import replace

from salerno.contexts.identity.commands.explaining import ExplainAccess, Explanation, Right, RightsOf, Step
from salerno.contexts.identity.errors import NoSuchAccount
from salerno.contexts.identity.handlers.standing import Standing, caller_of, standing_of
from salerno.contexts.identity.projections import ACCOUNTS, MEMBERS, SQL, AccountView
from salerno.contexts.identity.rules.roles import CONDITIONS, cell_in, named_permissions
from salerno.contexts.identity.rules.scopes import narrowed, split
from salerno.kernel.bus import Bus, kebab
from salerno.kernel.desk import Desk
from salerno.kernel.errors import Invalid
from salerno.kernel.messages import INSTALLATION, Caller, Command, Disclosure, Query
from salerno.kernel.permits import Judgement, names_chart
from salerno.kernel.room import Answer
from salerno.kernel.wards import reach_of

Message = type[Command] | type[Query]
LISTS = Step(name="lists", code="these-charts-only")


async def explain_access(desk: Desk, errand: ExplainAccess, caller: Caller) -> Disclosure[Explanation]:
    message, permission = _asked(desk.bus, errand)
    view, home, is_member = await _account(desk, errand.account_id, caller.organisation)
    standing = await standing_of(desk.bus, view, home, caller.organisation if is_member else None)
    steps = [*_who(view, standing, is_member=is_member)]
    allowed = False
    if standing is not None and view.status == "active":
        who = await _behind(desk.bus, standing, errand)
        steps += _roles(standing, permission)
        steps += _program(who, permission, errand)
        allowed, found = await _verdict(desk.bus, message, permission, who, errand.patient_id)
        steps += found
        steps += await _opened(desk.bus, who, errand.patient_id)
        steps += _again(desk.bus, message)
    told = Explanation(
        allowed=allowed, account_id=errand.account_id, permission=permission, patient_id=errand.patient_id,
        message=message.__name__ if message else "", steps=tuple(steps),
    )  # fmt: skip
    return Disclosure(value=told, subjects=[errand.patient_id] if errand.patient_id else [])


def _asked(bus: Bus, errand: ExplainAccess) -> tuple[Message | None, str]:
    """The message or the permission that was named; refuses neither, both, or one that there is not."""
    if bool(errand.message) == bool(errand.permission):
        raise Invalid.field("message", "one-of-both", "Name a message or a permission, and not both.")
    if errand.permission:
        if errand.permission not in named_permissions():
            raise Invalid.field("permission", "unknown-permission", "There is no such permission.")
        return None, errand.permission
    messages: dict[str, Message] = {**bus.commands(), **bus.queries()}
    found = messages.get(errand.message) or messages.get(kebab(errand.message))
    if found is None:
        raise Invalid.field("message", "unknown-message", "There is no such message.")
    return found, bus.needs(found).permission


async def _account(desk: Desk, account: UUID, here: UUID) -> tuple[AccountView, UUID, bool]:
    """The account, its home, and whether it works here as a member of another organisation."""
    async with desk.bus.reading("identity", here) as tx:
        held, member = await ACCOUNTS.get(tx, account), await MEMBERS.get(tx, account)
    if held is not None:
        return held.doc, here, False
    if member is None:
        raise NoSuchAccount()
    async with desk.bus.reading("identity", INSTALLATION) as tx:
        home = UUID(bytes=(await tx.fetchval(SQL["home_of"], account)).bytes)
    async with desk.bus.reading("identity", home) as tx:
        there = await ACCOUNTS.get(tx, account)
    if there is None:
        raise NoSuchAccount()
    return there.doc, home, True


def _who(view: AccountView, standing: Standing | None, *, is_member: bool) -> Iterable[Step]:
    active = view.status == "active"
    yield Step(name="account", code="active" if active else "not-active", passed=active, about=(view.status,))
    if standing is None:
        yield Step(name="organisation", code="no-longer-here", passed=False)
        return
    yield Step(name="organisation", code="member-here" if is_member else "at-home", passed=True)
    code = "missing" if standing.enrol else ("demanded-and-there" if standing.demanded else "not-demanded")
    yield Step(name="second-factor", code=code, passed=not standing.enrol)


async def _behind(bus: Bus, standing: Standing, errand: ExplainAccess) -> Caller:
    """The account as a caller; with scopes, as the caller behind a program's token for this chart."""
    who = caller_of(standing, None, standing.permissions)
    if not errand.scopes.strip():
        return who
    chart = errand.patient_id
    met = [one for one in CONDITIONS if chart and await bus.permits.wards.reach(who, (one,), (chart,))]
    left = narrowed(who.permissions, split(errand.scopes), with_patient=chart is not None, met=met)
    return replace(who, permissions=left, subject=who.subject or chart)


def _roles(standing: Standing, permission: str) -> Iterable[Step]:
    """Each role with the cell by which it gives the permission."""
    for share in standing.shares:
        cell = cell_in(share.held, permission) if permission else ""
        if share.replaced:
            yield Step(name="role", code="replaced", about=(share.role, cell))
        elif share.retired:
            yield Step(name="role", code="retired", about=(share.role,))
        else:
            yield Step(name="role", code="gives" if cell else "does-not-give", about=(share.role, cell))


def _program(who: Caller, permission: str, errand: ExplainAccess) -> Iterable[Step]:
    if errand.scopes.strip():
        left = not permission or bool(cell_in(who.permissions, permission))
        yield Step(name="scopes", code="leave" if left else "take-away", passed=left, about=split(errand.scopes))


async def _verdict(
    bus: Bus, message: Message | None, permission: str, who: Caller, patient: UUID | None
) -> tuple[bool, list[Step]]:
    if message is not None:
        judged = await bus.permits.judge(message, who, patient)
        lists = judged.allowed and _lists(bus, message, judged)
        return judged.allowed, [*_judged(bus, judged, who, permission, patient), *([LISTS] if lists else [])]
    reach = reach_of(permission, who, own=True)
    if reach is None:
        return False, [Step(name="permission", code="not-held", passed=False, about=(permission,))]
    judged = await bus.permits.judge_permission(permission, who, patient)
    return judged.allowed, [*_judged(bus, judged, who, permission, patient)]


def _lists(bus: Bus, message: Message, judged: Judgement) -> bool:
    """Whether it is a question about nobody by name, which is answered from the charts that the right carries to."""
    asks = issubclass(message, Query) and bus.needs(message).opens is not None and not names_chart(message)
    return asks and judged.reach is not None and not judged.reach.everybody


def _judged(bus: Bus, judged: Judgement, who: Caller, permission: str, patient: UUID | None) -> Iterable[Step]:
    if not permission:
        yield Step(name="permission", code="for-anybody", passed=True)
        return
    if judged.reach is None:
        yield Step(name="permission", code="not-held", passed=False, about=(permission,))
        return
    cell = cell_in(who.permissions, permission)
    if judged.opens_nobody:
        yield Step(name="permission", code="only-about-charts", passed=False, about=(permission, cell))
        return
    yield Step(name="permission", code="held", passed=True, about=(permission, cell))
    if not judged.reach.everybody:
        yield from _conditions(judged, patient)
    if judged.within is not None:
        yield Step(name="chart", code="hidden" if judged.hidden else "open", passed=not judged.hidden)


def _conditions(judged: Judgement, patient: UUID | None) -> Iterable[Step]:
    assert judged.reach is not None
    asked: Sequence[str] = [*(["own"] if judged.reach.own else []), *sorted(judged.reach.conditions)]
    if judged.within is None:
        yield Step(name="condition", code="depends" if judged.allowed else "names-nobody", passed=None, about=(*asked,))
        return
    for one in asked:
        met = judged.is_own if one == "own" else one in judged.met
        yield Step(name="condition", code=f"{one}-met" if met else f"{one}-not-met", about=(one,))
    yield Step(name="reach", code="within" if judged.within else "beyond", passed=judged.within)


async def _opened(bus: Bus, who: Caller, patient: UUID | None) -> list[Step]:
    """Whether the chart is open to this account for a time only, because it broke the glass."""
    if patient is None:
        return []
    purpose = (await bus.permits.wards.opened_by(who)).get(patient)
    return [Step(name="chart", code="glass-broken", about=(purpose,))] if purpose is not None else []


def _again(bus: Bus, message: Message | None) -> Iterable[Step]:
    if message is not None and bus.needs(message).fresh:
        yield Step(name="fresh", code="asked-again")


async def rights_of(desk: Desk, errand: RightsOf, caller: Caller) -> list[Right]:
    view, home, is_member = await _account(desk, errand.account_id, caller.organisation)
    standing = await standing_of(desk.bus, view, home, caller.organisation if is_member else None)
    if standing is None:
        return []
    held = standing.permissions if view.status == "active" else frozenset[str]()
    rights = []
    for permission in sorted(named_permissions()):
        if cell := cell_in(held, permission):
            by = tuple(share.role for share in standing.shares if cell_in(share.given, permission))
            rights.append(Right(permission=permission, cell=cell, by=by))
    return rights


EXPLAINING: dict[type[Query], Answer] = {ExplainAccess: explain_access, RightsOf: rights_of}
