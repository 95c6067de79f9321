"""What an account is and may do in the organisation that it acts in: asked for sessions, and to explain decisions."""

from dataclasses import dataclass
from uuid import UUID

from msgspec.structs import replace

from salerno.contexts.identity.handlers.choices import choices_of, made_among
from salerno.contexts.identity.handlers.counting import policy_of
from salerno.contexts.identity.projections import MEMBERS, SQL, AccountView, MemberView
from salerno.contexts.identity.rules.choices import Choices
from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.identity.rules.roles import Role, is_shipped
from salerno.contexts.identity.rules.standing import Share, permissions_in, shares_of
from salerno.kernel.bus import Bus
from salerno.kernel.messages import INSTALLATION, Caller


@dataclass(frozen=True, slots=True)
class Standing:
    """`view` is the account as it is known where it acts. `enrol`: a second factor is demanded and missing."""

    view: AccountView
    acting: UUID
    choices: Choices
    shares: tuple[Share, ...]
    demanded: bool
    enrol: bool

    @property
    def permissions(self) -> frozenset[str]:
        return permissions_in(self.shares, enrol=self.enrol)


def must_enrol(view: AccountView, policy: SignInPolicy, choices: Choices) -> bool:
    """Whether one of its roles demands a second factor that the account does not have."""
    return choices.demands_factor(view.roles, policy) and not view.has_factor


async def acting_in(bus: Bus, home: UUID) -> tuple[UUID, bool]:
    """The organisation to act in, and whether it is the only one. Somebody above all acts in the only one."""
    async with bus.reading("identity", INSTALLATION) as tx:
        homes = [UUID(bytes=row["home"].bytes) for row in await tx.fetch(SQL["homes"])]
    alone = not homes or homes == [home]
    return (homes[0] if home == INSTALLATION and len(homes) == 1 else home), alone


async def standing_of(
    bus: Bus, view: AccountView, home: UUID, elsewhere: UUID | None, chosen: Choices | None = None
) -> Standing | None:
    """Of an account at home there, acting at home or, as a member, elsewhere; None where it works there no longer.

    `chosen` are the choices at home for its roles, where they were just read: somebody waits, and most are at home.
    """
    acting, alone = home, False
    if home == INSTALLATION or Role.ADMIN in view.roles:  # to nobody else it matters how many organisations there are
        acting, alone = await acting_in(bus, home)
    chooses = home
    if elsewhere is not None:
        member = await member_view(bus, elsewhere, view)
        if member is None:
            return None
        view, acting, alone, chooses, chosen = member, elsewhere, False, elsewhere, None
    choices, made = chosen, dict[str, frozenset[str]]()
    if choices is None or not all(is_shipped(role) for role in view.roles):
        async with bus.reading("identity", chooses) as tx:
            choices = choices or await choices_of(tx, view.roles)
            made = {name: role.held for name, role in (await made_among(tx, view.roles)).items()}
    shares = shares_of(view.role, view.also, view.instead, made, alone=alone)
    policy = policy_of(bus)
    demanded = choices.demands_factor(view.roles, policy)
    return Standing(view, acting, choices, tuple(shares), demanded, must_enrol(view, policy, choices))


async def member_view(bus: Bus, acting: UUID, view: AccountView) -> AccountView | None:
    """The account as what it is in another organisation; None where it works there no longer."""
    async with bus.reading("identity", acting) as tx:
        held = await MEMBERS.get(tx, view.account)
    return None if held is None or held.doc.status != "active" else as_member(view, held.doc)


def as_member(view: AccountView, member: MemberView) -> AccountView:
    """An account as what it is where it is not at home."""
    known = {"role": member.role, "also": member.also, "instead": member.instead, "staff": member.staff}
    return replace(view, patient=None, **known)


def caller_of(standing: Standing, session: UUID | None, permissions: frozenset[str]) -> Caller:
    view = standing.view
    return Caller(
        actor=view.account,
        organisation=standing.acting,
        permissions=permissions,
        role=view.role,
        name=view.full_name,
        subject=view.patient if view.role == Role.PATIENT else None,
        session=session,
    )
