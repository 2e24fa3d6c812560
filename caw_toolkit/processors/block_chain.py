"""A whole signal through plugins that read it as often as they need, in little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from caw_toolkit.arrays import Array
from caw_toolkit.audio.spool import SampleSpool
from caw_toolkit.processors.contract import CallContract
from caw_toolkit.processors.protocols import Reader


def blocks_through(
    sections: Iterable[CallContract],
    read: Reader,
    channels: int,
    sample_rate: float,
    *,
    buffer_size: int,
    beside: Path | None,
) -> Iterator[Array]:
    """A signal after plugins one after the other, part after part.

    What a section reads more than once is kept in a temporary file, but for the signal itself.

    Args:
        sections: of a chain, first to last; each can stream or read a signal as often as it needs.
        read: gives the signal from its beginning.
        channels: of the signal.
        sample_rate: Hz.
        buffer_size: samples that native plugins get at a time.
        beside: the file that the result is for.
    """
    first, *others = sections
    made = first.process_blocks(read, channels, sample_rate, buffer_size=buffer_size, beside=beside)
    with ExitStack() as spools:
        for section in others:
            signal: Reader = partial(iter, made)
            if not section.can_stream:
                spool = spools.enter_context(SampleSpool(channels, beside))
                for block in made:
                    spool.append(block)
                signal = spool.blocks
            made = section.process_blocks(signal, channels, sample_rate, buffer_size=buffer_size, beside=beside)
        yield from made
