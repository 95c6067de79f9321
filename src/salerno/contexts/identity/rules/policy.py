"""How strict this installation is with sign-in. The defaults are production's."""

from dataclasses import dataclass
from datetime import timedelta

FHIR = "/fhir/R4"  # where the FHIR interface begins


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPolicy:
    """`development` lets registrations pass that would wait for approval, and nothing else.

    Failures are counted in `window`; `floor` is the least time that a failed attempt takes, so that the
    answer's time does not tell whether an account exists.
    """

    development: bool = False
    registration: bool = False  # whether programs may ask by themselves to be registered
    mails: bool = False  # whether letters can be sent: addresses are confirmed then
    second_factor_demanded: bool = True
    issuer: str = "http://localhost:8000"
    audience: str = "salerno"
    idle: timedelta = timedelta(minutes=15)
    absolute: timedelta = timedelta(hours=12)
    access_token: timedelta = timedelta(minutes=15)
    password_token: timedelta = timedelta(hours=24)
    refresh_token: timedelta = timedelta(days=7)
    refresh_grace: timedelta = timedelta(seconds=10)
    challenge: timedelta = timedelta(minutes=5)
    window: timedelta = timedelta(minutes=5)
    failures_per_account: int = 10
    failures_per_address: int = 50
    failures_in_a_row: int = 100
    chart_code: timedelta = timedelta(days=7)
    known_device: timedelta = timedelta(days=365)
    confirm_link: timedelta = timedelta(days=1)
    reset_link: timedelta = timedelta(minutes=30)
    email_way_back: timedelta = timedelta(days=7)  # how long whoever reads the old address may undo a change
    invitation: timedelta = timedelta(days=7)
    proof: timedelta = timedelta(minutes=5)  # how long somebody counts as having just shown who they are
    lock: timedelta = timedelta(minutes=10)  # after how long without a person's action the screen locks
    floor: timedelta = timedelta(milliseconds=250)

    @property
    def audiences(self) -> tuple[str, str]:
        """The programming interfaces that tokens are made for: the REST one, and the FHIR one by its address."""
        return self.audience, self.fhir

    @property
    def fhir(self) -> str:
        """The address of the FHIR interface."""
        return self.issuer + FHIR
