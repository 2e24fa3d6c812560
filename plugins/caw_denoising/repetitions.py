"""What the same note or syllable looks like elsewhere: in the rest of the recording, or in a cleaner one.

Everything is compared band by band, in frames with their neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from caw_toolkit import Array

Power = npt.NDArray[np.floating]

#: Bands that are compared by themselves.
BANDS = 6
#: Bins beyond their edges that are compared, too.
BEYOND = 4
#: Frames on each side of one that are compared with it.
CONTEXT = 2
#: Alike frames that are averaged.
NEIGHBOURS = 48
#: Distances of which only the smallest is looked at first, to find the smallest of all.
TOGETHER = 8
#: Frames of a recording that the others are compared with.
MOST_FRAMES = 8192
#: Of a stretch of a long one: more are not better.
FEW_FRAMES = 1024
#: Remembered frames may be louder or quieter than what was recorded by these factors of power.
LEVELS = (0.5, 1.0, 2.0)
#: Differences of log likelihood count by this less, because neighbouring bins and frames say much the same.
TEMPERATURE = 16


def average_over_neighbours(features: Power, power: Power, *, most_frames: int = MOST_FRAMES) -> Power:
    """For every band and frame, the mean of `power` over the frames whose features around the band are nearest.

    Non-local means (Buades, Coll and Morel, 2005).

    Args:
        features: what is compared, `(bins, frames)`.
        power: what is averaged, `(bins, frames)`.
        most_frames: with how many frames each is compared.
    """
    chosen = _at_most(features.shape[1], most_frames)
    averaged = np.empty_like(power)
    for band, compared in _bands(len(power)):
        described = _with_context(features[compared])
        others, values = described[:, chosen], _by_frame(power[band], chosen)
        energies, other_energies = (described**2).sum(0), (others**2).sum(0)
        # Squared distances as a matrix product, some hundred frames at a time: all at once would not fit in memory.
        # What is the same for all others of a frame is added to the smallest alone.
        factors, terms = np.vstack([others, other_energies]), np.vstack([-2 * described, np.ones_like(energies)])
        for rows in _batches(power.shape[1]):
            neighbours, distances_of_neighbours = _smallest(terms[:, rows].T @ factors, NEIGHBOURS)
            distances_of_neighbours += energies[rows, None]
            weights = (
                np.exp(-2 * np.maximum(distances_of_neighbours, 0) / (np.median(distances_of_neighbours) + 1e-9)) + 1e-6
            )
            averaged[band, rows] = _weighted_mean(values, neighbours, weights)
    return averaged


def expect_from_reference(power: Power, noise: Power, reference: Power, *, most_frames: int = MOST_FRAMES) -> Power:
    """Expected power of the signal, if every frame of it is one of the frames of the reference at one of a few levels.

    Signal and noise are Gaussian in every bin, so that the likelihood of a frame is that of an exponential distribution
    of power with the mean `reference + noise`.

    Args:
        power: of the noisy recording, `(bins, frames)`.
        noise: `(bins,)`.
        reference: power of the other recording, `(bins, its frames)`.
        most_frames: with how many frames of the reference each is compared.
    """
    expected = np.empty_like(power)
    for band, compared in _bands(len(power)):
        seen = _with_context(power[compared] / noise[compared, None])
        candidates = _at_levels(reference[compared]) / noise[compared, None]
        chosen = _at_most(candidates.shape[1], most_frames)
        variance = _with_context(candidates, chosen) + 1
        precision, log_determinant = 1 / variance, np.log(variance).sum(0)
        values = _by_frame(_at_levels(reference[band]), chosen)
        for rows in _batches(power.shape[1]):
            neighbours, unlikelihood = _smallest(seen[:, rows].T @ precision + log_determinant, 2 * NEIGHBOURS)
            weights = np.exp((unlikelihood.min(1, keepdims=True) - unlikelihood) / TEMPERATURE)
            expected[band, rows] = _weighted_mean(values, neighbours, weights)
    return expected


def _bands(bins: int) -> Iterator[tuple[slice, slice]]:
    """The bins of each band, and those by which it is compared."""
    edges = np.unique(np.round(np.geomspace(min(8, bins), bins, BANDS + 1)).astype(int))
    edges[0] = 0
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        yield slice(low, high), slice(max(0, low - BEYOND), high + BEYOND)


def _with_context(frames: Power, chosen: npt.NDArray[np.int64] | None = None) -> Array:
    """Chosen frames, or all, above their neighbours: `(bins, frames)` to `(bins * (2 * CONTEXT + 1), chosen)`."""
    last = frames.shape[1] - 1
    columns = np.arange(last + 1) if chosen is None else chosen
    offsets = range(-CONTEXT, CONTEXT + 1)
    return np.concatenate([frames[:, np.clip(columns + offset, 0, last)].astype(np.float32) for offset in offsets])


def _at_levels(power: Power) -> Power:
    return np.concatenate([level * power for level in LEVELS], axis=1)


def _at_most(count: int, most: int) -> npt.NDArray[np.int64]:
    """Indices of at most `most` of `count` frames, evenly spread."""
    return np.arange(0, count, -(-count // most))


def _batches(frames: int) -> Iterator[slice]:
    for start in range(0, frames, 256):
        yield slice(start, start + 256)


def _smallest(distances: Array, count: int) -> tuple[npt.NDArray[np.int64], Array]:
    """Columns of the smallest distances in every row, and these distances."""
    rows, width = distances.shape
    count = min(count, width)
    apart = width // TOGETHER
    if apart > count:  # the smallest are in those groups whose own smallest are: most columns need no sorting
        grouped = distances[:, : apart * TOGETHER].reshape(rows, TOGETHER, apart)
        groups = np.argpartition(grouped.min(1), count - 1, axis=1)[:, :count]
        members = (groups[:, None] + apart * np.arange(TOGETHER)[:, None]).reshape(rows, -1)
        left_over = np.broadcast_to(np.arange(apart * TOGETHER, width), (rows, width % TOGETHER))
        among = np.concatenate([members, left_over], axis=1)
        nearest = np.argpartition(np.take_along_axis(distances, among, axis=1), count - 1, axis=1)[:, :count]
        columns = np.take_along_axis(among, nearest, axis=1)
    else:
        columns = np.argpartition(distances, count - 1, axis=1)[:, :count]
    return columns, np.take_along_axis(distances, columns, axis=1)


def _by_frame(power: Power, chosen: npt.NDArray[np.int64]) -> Power:
    """The chosen of some frames one after the other, `(bins, frames)` to `(chosen, bins)`."""
    return np.ascontiguousarray(power[:, chosen].T)


def _weighted_mean(values: Power, columns: npt.NDArray[np.int64], weights: Array) -> Power:
    """Mean over the chosen frames of `values`, `(frames, bins)`, to `(bins, rows)`; the others are `(rows, chosen)`."""
    shares = (weights / weights.sum(1, keepdims=True)).astype(values.dtype)
    begins = np.arange(0, columns.size + 1, columns.shape[1])
    mean: Power = (csr_matrix((shares.ravel(), columns.ravel(), begins), (len(columns), len(values))) @ values).T
    return mean
