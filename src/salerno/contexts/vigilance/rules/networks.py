"""Which country a network address belongs to, by a list that whoever runs the installation supplies."""

import csv
import ipaddress
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

Version = int  # 4 or 6
Table = dict[tuple[Version, int], dict[int, str]]  # by length of the prefix: its first bits, and the country


class BadNetworks(Exception):
    """A list that cannot be followed; the text names the line."""


@dataclass(frozen=True, slots=True)
class Networks:
    """The narrowest network that holds an address counts."""

    by_length: Table = field(default_factory=dict)

    def country_of(self, address: str) -> str:
        """Two letters, or nothing where the list does not say or this is no address."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return ""
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        bits, size = int(found), found.max_prefixlen
        lengths = sorted((length for version, length in self.by_length if version == found.version), reverse=True)
        for length in lengths:
            if country := self.by_length[found.version, length].get(bits >> (size - length)):
                return country
        return ""


def networks_in(text: str) -> Networks:
    """Lines of `network,country`, such as `192.0.2.0/24,IT`. Empty lines and lines beginning with # are skipped."""
    table: Table = defaultdict(dict)
    for number, row in _rows(text):
        if len(row) != 2:
            raise BadNetworks(f"line {number}: a network and a country are expected, with a comma between")
        try:
            network = ipaddress.ip_network(row[0].strip())
        except ValueError:
            raise BadNetworks(f"line {number}: this is not a network, such as 192.0.2.0/24") from None
        country = row[1].strip().upper()
        if len(country) != 2 or not country.isascii() or not country.isalpha():
            raise BadNetworks(f"line {number}: a country is two letters, such as IT")
        bits = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
        table[network.version, network.prefixlen][bits] = country
    return Networks(dict(table))


def _rows(text: str) -> Iterable[tuple[int, list[str]]]:
    reader = csv.reader(text.splitlines())
    for row in reader:
        if row and not row[0].lstrip().startswith("#"):
            yield reader.line_num, row
