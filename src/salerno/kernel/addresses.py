"""Network addresses: where a service is, from which place somebody asks, which proxies stand before us."""

import ipaddress
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import urlsplit

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

HOME_PREFIX = 64  # one household or one rented machine has all of these IPv6 addresses


@lru_cache(4096)
def plain(text: str) -> str:
    """The address in its one spelling, an IPv4 address in IPv6's clothes as itself. ValueError for anything else."""
    found = ipaddress.ip_address(text)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def place_of(address: str) -> str:
    """What is counted as one: an IPv4 address, an IPv6 network of 64 bits, or the text where it is neither."""
    return _network_of(address) if ":" in address else address


@lru_cache(4096)
def _network_of(address: str) -> str:
    try:
        known = plain(address)
        return str(ipaddress.ip_network(f"{known}/{HOME_PREFIX}", strict=False)) if ":" in known else known
    except ValueError:
        return address


def networks_in(text: str) -> tuple[Network, ...]:
    """Addresses and networks with commas between. ValueError for anything else."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


@lru_cache(4096)
def is_within(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address, in its plain spelling, lies in one of them."""
    found = ipaddress.ip_address(address)
    return any(found.version == network.version and found in network for network in networks)


def scheme_of(url: str) -> str:
    """Of an address that has a host or a path to one; "" of anything else."""
    try:
        parts = urlsplit(url)
        local = parts.scheme == "unix" and parts.path
        return parts.scheme if parts.port != 0 and (parts.netloc or parts.query or local) else ""
    except ValueError:
        return ""
