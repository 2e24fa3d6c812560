"""Content of files, damaged at random but the same each time: for tests that nothing of it is more than an error."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator

from caw_toolkit.errors import CawError

#: How many cases a test runs; more by hand, with CAW_FUZZ_CASES.
CASES = int(os.environ.get("CAW_FUZZ_CASES", "150"))
LONGEST_SECONDS = 10.0

_SIZES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def damaged(content: bytes, seed: int) -> bytes:
    """The content with some of its bytes changed, removed, doubled or replaced by sizes that make trouble.

    Args:
        content: of a good file.
        seed: of what is done.
    """
    draw = random.Random(seed)
    data = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 3, 8])):
        # Headers are what decides: half of what is done is done there.
        at = draw.randrange(min(len(data), 96) if draw.random() < 0.5 else len(data))
        kind = draw.randrange(6)
        if kind == 0:
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            data[at] = draw.randrange(256)
        elif kind == 2:
            data[at : at + 4] = draw.choice(_SIZES).to_bytes(4, draw.choice(["little", "big"]))
        elif kind == 3:
            del data[at : at + draw.randrange(1, 64)]
        elif kind == 4:
            data[at:at] = data[at : at + draw.randrange(1, 64)]
        else:
            del data[at:]
        if not data:
            break
    return bytes(data)


def cases(contents: dict[str, bytes]) -> Iterator[tuple[str, int, bytes]]:
    """Name, seed and damaged content, in turn of every content."""
    names = sorted(contents)
    for seed in range(CASES):
        name = names[seed % len(names)]
        yield name, seed, damaged(contents[name], seed)


def assert_only_errors_of_ours(work: Callable[[], object], case: str) -> None:
    """Run something that may refuse its input, in no more than ten seconds."""
    began, said = time.monotonic(), ""
    try:
        work()
    except CawError as error:
        said = str(error)
    except Exception as error:
        raise AssertionError(f"{case}: {type(error).__name__}: {error}") from error
    assert "unexpected" not in said and "\n" not in said, case
    assert time.monotonic() - began < LONGEST_SECONDS, case
