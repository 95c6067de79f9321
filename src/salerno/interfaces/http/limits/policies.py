"""How often what may be asked: every limit by its name, what it is counted by, and the setting of its rate."""

from dataclasses import dataclass

from salerno.kernel.settings import Settings

ANONYMOUS, SIGNED_IN, SECRET, ROOM, REPORT, PROBE = "anonymous", "signed-in", "secret", "room", "report", "probe"

SECOND = "a second"
WINDOW = "rate_limit_window_ms"
TABLE = (
    # name       counted by  rate                       window  of what
    (ANONYMOUS, "address", "rate_limit_max_requests", WINDOW, "everything that is asked without a session or token"),
    (SIGNED_IN, "account", "rate_limit_max_signed_in", WINDOW, "everything that is asked with one"),
    (SECRET, "address", "rate_limit_max_secrets", WINDOW, "what verifies a secret, beside the two above"),
    (ROOM, "room", "rate_limit_max_per_room", SECOND, "what is asked of one room by everybody together"),
    (REPORT, "address", "rate_limit_max_reports", WINDOW, "browsers' reports of a breached policy"),
    (PROBE, "address", "rate_limit_max_probes", WINDOW, "/livez, /readyz and the like, instead of `anonymous`"),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """`rate` requests per `seconds`, all of them at once if need be."""

    name: str
    rate: int
    seconds: float = 60.0

    @property
    def header(self) -> str:
        return f'"{self.name}";q={self.rate};w={max(1, round(self.seconds))}'


def policies_of(settings: Settings) -> tuple[Policy, ...]:
    """The limits of this installation; one whose rate is 0 is none."""
    found = []
    for name, _, rate, window, _ in TABLE:
        if most := getattr(settings, rate):
            found.append(Policy(name, most, 1.0 if window == SECOND else getattr(settings, window) / 1000))
    return tuple(found)
