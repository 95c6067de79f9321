"""The Merkle tree of RFC 6962: roots, inclusion and consistency proofs, and how to check them. Pure."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import TypeAlias

EMPTY = sha256(b"").digest()
RangeRoot: TypeAlias = Callable[[int, int], bytes]  # the root over leaves [low, high)


def leaf_hash(record: bytes) -> bytes:
    return sha256(b"\x00" + record).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first.

    It is all that is needed to append and to know the root: at most 64 hashes, however large the tree.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise ValueError("a frontier has one hash for each bit set in its size")
        self.size = size
        self._peaks = list(peaks)

    @classmethod
    def from_bytes(cls, size: int, packed: bytes) -> "Frontier":
        return cls(size, unpack(packed))

    def to_bytes(self) -> bytes:
        return b"".join(self._peaks)

    def append(self, hashes: Iterable[bytes], height: int = 0) -> None:
        """Add the roots of complete subtrees of 2**height leaves; the tree must end on such a boundary."""
        width = 1 << height
        if self.size % width:
            raise ValueError(f"a subtree of {width} leaves does not fit at {self.size}")
        peaks, count = self._peaks, self.size >> height
        for each in hashes:
            hashed, carry = each, count
            while carry & 1:
                hashed = sha256(b"\x01" + peaks.pop() + hashed).digest()
                carry >>= 1
            peaks.append(hashed)
            count += 1
        self.size = count << height

    def tail(self, height: int) -> "Frontier":
        """The edge of the last, incomplete subtree of 2**height leaves."""
        rest = self.size & ((1 << height) - 1)
        return Frontier(rest, self._peaks[len(self._peaks) - rest.bit_count() :])

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY
        *rest, hashed = self._peaks
        for left in reversed(rest):
            hashed = node_hash(left, hashed)
        return hashed


def tiles_of(before: Frontier, leaves: Sequence[bytes], height: int) -> list[bytes]:
    """Roots of the complete subtrees of 2**height leaves that these leaves finish, after the tree before them."""
    tail, done, roots = before.tail(height), 0, list[bytes]()
    while done + (missing := (1 << height) - tail.size) <= len(leaves):
        tail.append(leaves[done : done + missing])
        roots.append(tail.root())
        tail, done = Frontier(), done + missing
    return roots


def unpack(packed: bytes) -> list[bytes]:
    """Hashes that lie end to end."""
    if len(packed) % 32:
        raise ValueError("not a whole number of hashes")
    return [packed[at : at + 32] for at in range(0, len(packed), 32)]


def root_of(leaves: Iterable[bytes]) -> bytes:
    frontier = Frontier()
    frontier.append(leaves)
    return frontier.root()


def over(leaves: Sequence[bytes]) -> RangeRoot:
    """Range roots straight from a list of leaf hashes."""
    return lambda low, high: root_of(leaves[low:high])


def inclusion_proof(index: int, size: int, root: RangeRoot) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root of the tree of `size` leaves, leaf first."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    low, high, path = 0, size, list[bytes]()
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(root(middle, high))
            high = middle
        else:
            path.append(root(low, middle))
            low = middle
    return path[::-1]


def consistency_proof(old: int, size: int, root: RangeRoot) -> list[bytes]:
    """The hashes that show the tree of `old` leaves to be the beginning of the tree of `size`."""
    if not 0 < old <= size:
        raise ValueError(f"a tree of {old} cannot begin a tree of {size}")
    low, high, path = 0, size, list[bytes]()
    while old < high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(root(middle, high))
            high = middle
        else:
            path.append(root(low, middle))
            low = middle
    if low:
        path.append(root(low, high))
    return path[::-1]


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from this leaf to this root (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, hashed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            hashed = node_hash(sibling, hashed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and hashed == root


def extends(old: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    """Whether the proof shows the old root to be a beginning of the new one (RFC 9162, section 2.1.4.2)."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not proof and old_root == root
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == root


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)
