"""Making an account for oneself, and showing that a chart is one's own."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from salerno.contexts.identity.commands.accounts import Address, Language, Name
from salerno.contexts.identity.commands.sign_in import Password
from salerno.kernel.messages import Errand


class Register(Errand):
    """A wish for an account. The answer is the same whether or not the address has one already.

    `code` is what the clinic handed out for a chart: with it a patient's account is active at once.
    """

    email: Address
    password: Password
    given_name: Name = ""
    family_name: Name = ""
    role: str = "PATIENT"
    language: Language = ""
    code: Annotated[str, Meta(max_length=100)] = ""

    def __repr__(self) -> str:
        return f"Register(role={self.role})"


class RegisterFounder(Errand):
    """A wish to start an organisation, of which the account will be the administrator.

    The answer is the same whether or not the address has an account already.
    """

    email: Address
    password: Password
    given_name: Name = ""
    family_name: Name = ""
    language: Language = ""

    def __repr__(self) -> str:
        return "RegisterFounder()"


class WaitingFounders(Errand):
    """Who waits for approval to start an organisation."""


class Registered(Struct, frozen=True, kw_only=True):
    """`status` says what a new account of this kind is: "active" or "pending"."""

    user_id: UUID
    email: str
    given_name: str
    family_name: str
    role: str
    status: str


class IssueChartCode(Errand):
    """A code for a patient to link their account with, handed over in person. Older ones are void."""

    patient_id: UUID


class ChartCode(Struct, frozen=True, kw_only=True):
    code: str
    expires_at: datetime

    def __repr__(self) -> str:
        return "ChartCode()"


class ClaimChart(Errand):
    """Link the caller's account with the chart that this code was handed out for."""

    code: Annotated[str, Meta(max_length=100)]

    def __repr__(self) -> str:
        return "ClaimChart()"
