"""Seeds of the parts of a computation."""

from __future__ import annotations

import hashlib

#: Largest seed that options and parameters take.
LARGEST_SEED = 2**63 - 1


def derived_seed(seed: int, *path: int | str, bits: int = 31) -> int:
    """A seed for one part of a computation, independent of the other parts' seeds.

    Args:
        seed: of the whole.
        path: names or numbers that lead to the part.
        bits: of the result; 64 at the most.

    >>> derived_seed(1, "take", 0) != derived_seed(1, "take", 1)
    True
    """
    key = "/".join(map(str, (seed, *path))).encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") >> (64 - bits)
