"""How often a case is tried: in full by `make soak`, a tenth of that otherwise."""

import os


def times(full: int) -> int:
    return full if "SOAK" in os.environ else max(1, full // 10)
