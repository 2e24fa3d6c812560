"""Takes: new audio from a model, several of one seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caw_toolkit import Array, PyramidModel, derived_seed


def takes(
    model: PyramidModel,
    seconds: float,
    *,
    count: int,
    seed: int,
    rates: Sequence[int],
    keep_edges: bool = False,
    keep_beat: bool = True,
    coherence: float | None = None,
) -> Iterator[tuple[int, int, Iterator[Array]]]:
    """Generate takes, each at one or several scales of the pyramid.

    Args:
        model: that generates.
        seconds: length of each take.
        count: number of takes.
        seed: of all of them; takes differ from each other.
        rates: of the scales to stop at, Hz.
        keep_edges: begin and end as the recording does, if the model has memorised its ends.
        keep_beat: keep to the pulse of the recording, if it has one.
        coherence: how long what is made holds together, s; None leaves it as the preset has it.

    Yields:
        Number of the take, from 0 on; rate in Hz; its blocks, `(channels, samples)` float32 each.
    """
    for take in range(count):
        for rate in rates:
            take_seed = derived_seed(seed, "take", take)
            blocks = model.blocks(
                seconds,
                seed=take_seed,
                keep_edges=keep_edges,
                keep_beat=keep_beat,
                coherence=coherence,
                up_to_rate=rate,
            )
            yield take, rate, blocks
