"""Takes: new audio from a model, several of one seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from caw_toolkit import Array, PyramidModel, derived_seed


def takes(
    model: PyramidModel,
    seconds: float,
    *,
    count: int,
    seed: int,
    rates: Sequence[int],
    keep_edges: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Iterator[tuple[int, int, Iterator[Array]]]:
    """Generate takes, each at one or several scales of the pyramid.

    Args:
        model: that generates.
        seconds: length of each take.
        count: number of takes.
        seed: of all of them; takes differ from each other.
        rates: of the scales to stop at, Hz.
        keep_edges: begin and end as the recording does, if the model has memorised its ends.
        on_progress: called with the share of a take that is done, from 0 to 1.

    Yields:
        Number of the take, from 0 on; rate in Hz; its blocks, `(channels, samples)` float32 each.
    """
    for take in range(count):
        for rate in rates:
            take_seed = derived_seed(seed, "take", take)
            blocks = model.blocks(seconds, seed=take_seed, keep_edges=keep_edges, up_to_rate=rate)
            yield take, rate, _reported(blocks, seconds * rate, on_progress)


def _reported(blocks: Iterator[Array], samples: float, on_progress: Callable[[float], None] | None) -> Iterator[Array]:
    """The blocks of a take of about so many samples; what is done is reported after each."""
    done = 0
    for block in blocks:
        yield block
        done += block.shape[1]
        if on_progress is not None:
            on_progress(min(1.0, done / samples))
