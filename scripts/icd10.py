"""Build the ICD-10-CM search index from the pinned package simple-icd-10-cm (CDC/NCHS, public domain).

Usage: python scripts/icd10.py          writes src/salerno/contexts/encounters/data/icd10cm.index.gz
"""

import csv
import gzip
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import msgspec

from salerno.contexts.encounters.data import icd10

FOLDER = Path(icd10.__file__).parent
PACKAGE = "simple-icd-10-cm"


class Node(msgspec.Struct, frozen=True):
    code: str
    display: str
    leaf: bool
    texts: tuple[str, ...]


def nodes() -> Iterator[Node]:
    """Every category and everything below; chapters and blocks are no diagnoses."""
    try:
        import simple_icd_10_cm as source
    except ImportError:
        sys.exit(f"{PACKAGE} is not installed. Install the locked dependencies first (make setup).")
    for code in dict.fromkeys(source.get_all_codes(True)):  # a block of one category bears the category's code
        if not icd10.CODE.fullmatch(icd10.bare(code)):
            continue
        display = source.get_description(code)
        inclusions = source.get_inclusion_term(code)
        yield Node(code, display, source.is_leaf(code), (display, *inclusions))


def common() -> dict[str, tuple[int, str, str]]:
    """The commonest codes in order of use, with the words that people say for them."""
    with (FOLDER / "common_codes.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: (nth, row["en"], row["it"]) for nth, row in enumerate(csv.DictReader(file))}


def ranked(everything: list[Node], often: dict[str, tuple[int, str, str]]) -> list[Node]:
    if unknown := set(often) - {node.code for node in everything}:
        sys.exit(f"common_codes.csv names codes that ICD-10-CM does not have: {sorted(unknown)}")

    def rank(node: Node) -> tuple[int, bool, bool, int, str]:
        place = often[node.code][0] if node.code in often else len(often)
        later_encounter = len(icd10.bare(node.code)) == 7 and not node.code.endswith("A")
        return place, not node.leaf, later_encounter, len(node.display), node.code

    return sorted(everything, key=rank)


def pack(ordered: list[Node], often: dict[str, tuple[int, str, str]]) -> icd10.Packed:
    holding: dict[str, set[int]] = defaultdict(set)
    for number, node in enumerate(ordered):
        spoken = often[node.code][1:] if node.code in often else ()
        for text in (*node.texts, *spoken):
            for word in icd10.words_of(text):
                holding[word].add(number)
    words = sorted(holding)
    postings, starts = array("I"), array("I", [0])
    for word in words:
        postings.extend(sorted(holding[word]))
        starts.append(len(postings))
    by_code = array("I", sorted(range(len(ordered)), key=lambda number: icd10.bare(ordered[number].code)))
    return icd10.Packed(
        release=f"{PACKAGE} {metadata.version(PACKAGE)}",
        common=len(often),
        codes="\n".join(node.code for node in ordered),
        displays="\n".join(node.display for node in ordered),
        italian="\n".join(often[node.code][2].split(";")[0] for node in ordered[: len(often)]),
        leaves=bytes(node.leaf for node in ordered),
        words="\n".join(words),
        postings=postings.tobytes(),
        starts=starts.tobytes(),
        by_code=by_code.tobytes(),
    )


def main() -> None:
    often = common()
    ordered = ranked(list(nodes()), often)
    content = msgspec.msgpack.encode(pack(ordered, often))
    target = FOLDER / icd10.FILE
    target.write_bytes(gzip.compress(content, 9, mtime=0))
    print(f"{target.name}: {len(ordered):,} codes, {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
