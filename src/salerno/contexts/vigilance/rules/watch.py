"""How watchful this installation is, as its settings say."""

from dataclasses import dataclass

from salerno.contexts.vigilance.rules.networks import Networks


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchfulness:
    """`bulk_charts` may be opened in ten minutes, and `probes` be tried in vain; `usual` countries stand beside that of
    the organisation.
    """

    bulk_charts: int = 60
    probes: int = 20
    networks: Networks = Networks()
    usual: frozenset[str] = frozenset()
