"""How often a case is tried: in full by `make soak`, a part of that otherwise."""

import os


def times(full: int, part: int = 10) -> int:
    return full if "SOAK" in os.environ else max(1, full // part)
