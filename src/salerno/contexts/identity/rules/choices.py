"""What an organisation has chosen for the sign-in of its people; otherwise the installation's policy holds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from salerno.contexts.identity.rules.policy import SignInPolicy
from salerno.contexts.identity.rules.roles import SENSITIVE, is_shipped

LONGEST_IDLE = timedelta(hours=8)  # no organisation may choose more


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """`idle_default` holds for the roles that `idle_minutes` does not name; `zone` is where its clocks are.

    `password_demanded`: nobody does without a password.
    """

    factor_roles: frozenset[str] = SENSITIVE
    idle_default: int | None = None
    idle_minutes: Mapping[str, int] = field(default_factory=dict)
    zone: str = ""
    password_demanded: bool = False

    def idle(self, roles: Collection[str], policy: SignInPolicy) -> timedelta:
        """After how long an unused session of these roles ends: the strictest of the eight counts."""
        chosen = [self.idle_minutes.get(role, self.idle_default) for role in roles if is_shipped(role)]
        return min(policy.idle if minutes is None else timedelta(minutes=minutes) for minutes in chosen)

    def demands_factor(self, roles: Collection[str], policy: SignInPolicy) -> bool:
        """Whether these roles may do nothing before there is a second factor."""
        return policy.second_factor_demanded and not self.factor_roles.isdisjoint(roles)
