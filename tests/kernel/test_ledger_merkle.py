"""The tree against the vectors of RFC 6962's reference implementation, a second implementation, and chance."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pymerkle import InmemoryTree

from salerno.kernel.ledger import merkle

# The eight inputs and the roots of their beginnings that Certificate Transparency's reference trees are tested with.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [merkle.leaf_hash(each) for each in INPUTS]
SIZES = some.integers(1, 300)


def some_leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(str(n).encode()) for n in range(count)]


def second_opinion(count: int) -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for n in range(count):
        tree.append_entry(str(n).encode())
    return tree


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert merkle.Frontier().root() == sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_t088_roots_are_those_of_the_rfc_vectors(size: int) -> None:
    assert merkle.root_of(LEAVES[:size]).hex() == ROOTS[size - 1]


def test_t088_an_inclusion_path_is_the_one_in_the_vectors() -> None:
    path = merkle.inclusion_proof(0, 8, merkle.over(LEAVES))
    assert [step.hex() for step in path] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


def test_t088_a_consistency_path_is_the_one_in_the_vectors() -> None:
    path = merkle.consistency_proof(6, 8, merkle.over(LEAVES))
    assert [step.hex() for step in path] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(SIZES)
def test_t088_a_second_implementation_finds_the_same_root(size: int) -> None:
    assert merkle.root_of(some_leaves(size)) == second_opinion(size).get_root()


@given(some.data())
def test_t088_a_second_implementation_finds_the_same_inclusion_proofs(data: some.DataObject) -> None:
    size = data.draw(SIZES)
    index = data.draw(some.integers(0, size - 1))
    theirs = second_opinion(size)
    ours = merkle.over(some_leaves(size))
    inclusion = theirs.prove_inclusion(index + 1, size).serialize()["path"]
    assert [step.hex() for step in merkle.inclusion_proof(index, size, ours)] == inclusion[1:]


@given(some.data())
def test_any_leaf_is_proved_and_no_other_is(data: some.DataObject) -> None:
    size = data.draw(SIZES)
    index, other = data.draw(some.integers(0, size - 1)), data.draw(some.integers(0, size - 1))
    leaves = some_leaves(size)
    root, proof = merkle.root_of(leaves), merkle.inclusion_proof(index, size, merkle.over(leaves))
    assert merkle.includes(leaves[index], index, size, proof, root)
    assert merkle.includes(leaves[other], index, size, proof, root) is (other == index)
    assert merkle.includes(leaves[index], other, size, proof, root) is (other == index)
    assert not merkle.includes(leaves[index], index, size, [*proof, root], root)
    assert not merkle.includes(leaves[index], index, size, proof[:-1], root) or size == 1


@given(some.data())
def test_any_beginning_is_proved_and_no_rewritten_one_is(data: some.DataObject) -> None:
    size = data.draw(SIZES)
    old = data.draw(some.integers(1, size))
    rewritten = data.draw(some.integers(0, old - 1))
    leaves = some_leaves(size)
    root, old_root = merkle.root_of(leaves), merkle.root_of(leaves[:old])
    proof = merkle.consistency_proof(old, size, merkle.over(leaves))
    assert merkle.extends(old, size, proof, old_root, root)
    leaves[rewritten] = merkle.leaf_hash(b"another past")
    forged = merkle.root_of(leaves)
    assert not merkle.extends(old, size, proof, old_root, forged)
    assert not merkle.extends(old, size, merkle.consistency_proof(old, size, merkle.over(leaves)), old_root, forged)


@given(SIZES, some.lists(some.integers(1, 40), max_size=12))
def test_a_frontier_kept_between_batches_gives_the_same_root(size: int, cuts: list[int]) -> None:
    leaves, kept, done = some_leaves(size), merkle.Frontier(), 0
    for cut in [*cuts, size]:
        kept.append(leaves[done : done + cut])
        done = min(size, done + cut)
        kept = merkle.Frontier.from_bytes(kept.size, kept.to_bytes())
    assert (kept.size, kept.root()) == (size, merkle.root_of(leaves))


@given(some.integers(0, 5), some.integers(0, 15))
def test_whole_subtrees_may_stand_for_their_leaves(subtrees: int, rest: int) -> None:
    leaves = some_leaves(subtrees * 16 + rest)
    frontier = merkle.Frontier()
    frontier.append((merkle.root_of(leaves[at : at + 16]) for at in range(0, subtrees * 16, 16)), height=4)
    frontier.append(leaves[subtrees * 16 :])
    assert frontier.root() == merkle.root_of(leaves)


def test_a_subtree_that_does_not_fit_is_refused() -> None:
    frontier = merkle.Frontier()
    frontier.append(LEAVES[:3])
    with pytest.raises(ValueError, match="does not fit at 3"):
        frontier.append([merkle.root_of(LEAVES[:2])], height=1)


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_there_is_no_proof_for_a_leaf_outside(index: int, size: int) -> None:
    with pytest.raises(ValueError):
        merkle.inclusion_proof(index, size, merkle.over(LEAVES))
    assert not merkle.includes(LEAVES[0], index, size, [], LEAVES[0])
