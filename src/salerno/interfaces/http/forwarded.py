"""Whose request it is when proxies stand before us: what a proxy of ours says of its client, and nobody else's word."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from salerno.kernel.addresses import Network, is_within, plain

FOR = re.compile(r"""(?:^|;)\s*for\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)""", re.IGNORECASE)
PORT = re.compile(r":\d{1,5}$")


@dataclass(frozen=True, slots=True)
class Proxies:
    """Those whose word counts, and the one header in which they give it: the other one a client may have sent."""

    networks: tuple[Network, ...] = ()
    header: bytes = b"x-forwarded-for"

    def client_of(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The nearest address that is none of our proxies': everything to its left it may have made up itself."""
        try:
            nearest = plain(peer)
        except ValueError:
            return peer
        if not self.networks or not is_within(nearest, self.networks):
            return nearest
        for hop in self._hops(headers):
            try:
                nearest = plain(hop)
            except ValueError:
                return nearest
            if not is_within(nearest, self.networks):
                return nearest
        return nearest

    def _hops(self, headers: Iterable[tuple[bytes, bytes]]) -> Iterator[str]:
        """From the nearest to the farthest, over all lines of the header."""
        lines = [value.decode("latin-1") for name, value in headers if name == self.header]
        for part in reversed(",".join(lines).split(",")) if lines else ():
            yield _without_port(_named(part) if self.header == b"forwarded" else part.strip())


def _named(element: str) -> str:
    found = FOR.search(element)
    return found[1].strip('"') if found else ""


def _without_port(text: str) -> str:
    """192.0.2.1:80, [2001:db8::1]:80 and [2001:db8::1] as their addresses."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return PORT.sub("", text) if text.count(":") == 1 else text
