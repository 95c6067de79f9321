"""What happens to the protection of a chart. This file is the room's published language."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from salerno.kernel.messages import Event

WhyRestricted: TypeAlias = Literal["vip", "staff", "sensitive", "own-wish"]
WhyBroken: TypeAlias = Literal["emergency", "care", "legal", "other"]
Outcome: TypeAlias = Literal["justified", "unjustified", "follow-up"]


class ChartRestricted(Event, tag="protection.chart_restricted.v1", omit_defaults=True):
    """`named_only` leaves out those who have the patient in care: only the named accounts see the chart."""

    restriction: UUID
    patient: UUID
    reason: WhyRestricted
    note: str = ""
    accounts: tuple[UUID, ...] = ()
    named_only: bool = False


class RestrictionChanged(Event, tag="protection.restriction_changed.v1", omit_defaults=True):
    """The whole restriction as it is from now on."""

    restriction: UUID
    patient: UUID
    reason: WhyRestricted
    note: str = ""
    accounts: tuple[UUID, ...] = ()
    named_only: bool = False


class RestrictionLifted(Event, tag="protection.restriction_lifted.v1", omit_defaults=True):
    restriction: UUID
    patient: UUID
    note: str = ""


class GlassBroken(Event, tag="protection.glass_broken.v1", omit_defaults=True):
    """From now until `until` this account sees this chart. It ends by itself."""

    glass: UUID
    patient: UUID
    account: UUID
    role: str
    reason: WhyBroken
    explanation: str
    from_: datetime
    until: datetime


class GlassEnded(Event, tag="protection.glass_ended.v1", omit_defaults=True):
    """Ended before its time, by whoever broke it or by a reviewer."""

    glass: UUID
    patient: UUID
    account: UUID


class GlassReviewed(Event, tag="protection.glass_reviewed.v1", omit_defaults=True):
    glass: UUID
    patient: UUID
    outcome: Outcome
    note: str = ""


RestrictionEvent: TypeAlias = ChartRestricted | RestrictionChanged | RestrictionLifted
GlassEvent: TypeAlias = GlassBroken | GlassEnded | GlassReviewed
ProtectionEvent: TypeAlias = RestrictionEvent | GlassEvent

EVENTS = (ChartRestricted, RestrictionChanged, RestrictionLifted, GlassBroken, GlassEnded, GlassReviewed)
