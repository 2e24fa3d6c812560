"""Repeated buffers: a block of samples that was played again, once or many times, in place of what should follow.

Recorded sound never repeats exactly. What a synthesizer or a sequencer makes does, all the time; and so a repetition
counts only where repetitions are rare, and where recorded sound goes on into the block that is played again.

Repetitions are found by a rolling polynomial hash of all windows (Karp and Rabin, "Efficient randomized
pattern-matching algorithms", 1987), of which those are compared whose hash says so: the same content is chosen wherever
it is.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from caw_inpainting.gaps import SampleReader, find_runs, gaps_within, join_gaps
from caw_toolkit import Array, Gap

#: Start and end of what is repeated, and how far before it the same is.
Run = tuple[int, int, int]
Sound = npt.NDArray[np.float64]

#: Lengths of blocks, in samples.
SHORTEST_BLOCK, LONGEST_BLOCK = 64, 16384
#: Samples that are repeated at the least.
SHORTEST_REPETITION = 128
#: A block with fewer values than this is no recorded sound.
LEAST_VALUES = 12
#: Share of the surroundings above which repetitions are how the sound is made.
LARGEST_SHARE = 0.2
#: The surroundings reach so far on each side.
AROUND_SECONDS = 10.0
#: So much of a recording breaks off at the most.
LONGEST_SECONDS = 2.0
#: More repetitions than this near to each other are those of a tone whose periods are not all the same.
MOST_REPETITIONS = 4
#: What is as near to each other as this.
BESIDE_SECONDS = 0.5
#: No recorded sound stands still for so long within a block.
STILL_SECONDS = 0.003
#: Order of the linear prediction that shows where sound breaks.
ORDER = 16
#: Samples of sound that it learns from.
CONTEXT = 1024
#: All but a few errors of the prediction are as small as this quantile of them.
ORDINARY = 0.98
#: A block begins anew whose first errors are so many times as large as ordinary ones before it.
BREAK_FACTOR = 3.0
#: So does one whose errors are so many times as large as those before it, on average.
CHANGE_FACTOR = 15.0
#: Samples of a block over which they are averaged.
CHANGE_SAMPLES = 256
#: A tone fades in whose last samples before the block, so many, are almost those that it repeats.
FADE_SAMPLES = 32
#: They are if they differ by less than this share of the sound.
FADE_SHARE = 0.15
#: Where half of the errors are smaller than this share of a step, the sound is computed: recorded sound has noise.
NOISELESS_STEPS = 0.6
#: In shorter blocks the share is smaller, since a prediction learns those by heart.
NOISELESS_SAMPLES = 512
#: Where errors are larger than this share of the sound, it is noise, in which no seam shows.
NOISE_SHARE = 0.025

_WINDOW, _CHOSEN_BITS = 32, 3
_MULTIPLIER, _GOLDEN = 0x9E3779B97F4A7C15 | 1, np.uint64(0x9E3779B97F4A7C15)
_CHUNK, _OVERLAP = 1 << 19, 2 * LONGEST_BLOCK + _WINDOW
#: Lags that are looked at in a chunk: more only occur in what repeats everywhere.
_MOST_LAGS = 32


def find_repeated_buffers(recording: SampleReader) -> list[Gap]:
    """Stretches in which a recording repeats, sample for sample, what was just before them."""
    runs = sorted({run for chunk in _chunks(recording) for run in chunk})
    everywhere = join_gaps([(start, stop) for start, stop, _ in runs], recording.samples)
    found = [
        (cluster[0][0], max(stop for _, stop, _ in cluster))
        for cluster in _clusters(runs)
        if all(_is_rare(run, everywhere, recording) for run in cluster) and _is_played_again(cluster[0], recording)
    ]
    return join_gaps(found, recording.samples)


def _clusters(runs: Sequence[Run]) -> list[list[Run]]:
    """Repetitions that repeat each other, in order: what the first one is, the others are as well."""
    clusters: list[list[Run]] = []
    end = 0
    for run in runs:
        start, stop, lag = run
        if clusters and start - lag < end:
            clusters[-1].append(run)
        else:
            clusters.append([run])
        end = max(end, stop)
    return clusters


def _chunks(recording: SampleReader) -> Iterator[set[Run]]:
    for start in range(0, recording.samples, _CHUNK - _OVERLAP):
        samples = recording.read(start, start + _CHUNK).astype(np.float32)
        yield {(start + first, start + last, lag) for first, last, lag in _repetitions(samples)}


def _repetitions(samples: Array) -> Iterator[Run]:
    """Start and end of what is repeated, and how far before it the same is."""
    if samples.shape[1] <= _WINDOW + SHORTEST_BLOCK:
        return
    for lag, _ in Counter(_lags(samples).tolist()).most_common(_MOST_LAGS):
        same = (samples[:, lag:] == samples[:, :-lag]).all(axis=0)
        shortest = max(SHORTEST_REPETITION, lag - 1)
        for start, stop in find_runs(same, shortest=shortest):
            if stop - start >= shortest and _is_sound(samples[:, start : start + lag]):
                yield start + lag, stop + lag, lag


def _lags(samples: Array) -> npt.NDArray[np.int64]:
    """How far apart equal windows are, each and the last one before it."""
    changes = np.concatenate([[0], np.cumsum((np.diff(samples) != 0).any(axis=0))])
    varied = changes[_WINDOW - 1 :] - changes[: 1 - _WINDOW] >= _WINDOW // 2
    hashes = _hashes(samples)
    places = np.flatnonzero(varied & (hashes * _GOLDEN >> np.uint64(64 - _CHOSEN_BITS) == 0))
    order = np.argsort(hashes[places], kind="stable")
    before, after = places[order[:-1]], places[order[1:]]
    lags = (after - before)[hashes[before] == hashes[after]]
    near: npt.NDArray[np.int64] = lags[(lags >= SHORTEST_BLOCK) & (lags <= LONGEST_BLOCK)]
    return near


def _hashes(samples: Array) -> npt.NDArray[np.uint64]:
    """A hash of each window, from its first sample on; unsigned integers wrap around, which is the modulus."""
    powers, inverse_powers = _powers()
    bits = np.zeros(samples.shape[1], np.uint64)
    for channel in samples:
        bits = bits * np.uint64(31) + (channel + np.float32(0)).view(np.uint32)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(bits * powers[: len(bits)], dtype=np.uint64)])
    count = len(bits) - _WINDOW + 1
    hashes: npt.NDArray[np.uint64] = (sums[_WINDOW:] - sums[:count]) * inverse_powers[:count]
    return hashes


@functools.cache
def _powers() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Powers of the multiplier, and of its inverse modulo 2^64."""
    factors = np.full((2, _CHUNK), [[_MULTIPLIER], [pow(_MULTIPLIER, -1, 1 << 64)]], np.uint64)
    factors[:, 0] = 1
    powers = np.cumprod(factors, axis=1, dtype=np.uint64)
    return powers[0], powers[1]


def _is_sound(block: Array) -> bool:
    """Whether a block has as many values as recorded sound has."""
    return len(np.unique(block[0])) >= LEAST_VALUES or len(np.unique(block[-1])) >= LEAST_VALUES


def _is_rare(run: Run, everywhere: list[Gap], recording: SampleReader) -> bool:
    """Whether little is repeated around a run."""
    length = run[1] - run[0]
    rate = recording.sample_rate
    near = [
        gap for gap in everywhere if gap[0] < run[1] + BESIDE_SECONDS * rate and gap[1] > run[0] - BESIDE_SECONDS * rate
    ]
    if length > LONGEST_SECONDS * rate or len(near) > MOST_REPETITIONS:
        return False
    reach = round(AROUND_SECONDS * rate)
    first, last = max(0, run[0] - reach), min(recording.samples, run[1] + reach)
    repeated = sum(stop - start for start, stop in gaps_within(everywhere, first, last))
    return repeated - length <= LARGEST_SHARE * (last - first - length)


def _is_played_again(run: Run, recording: SampleReader) -> bool:
    """Whether a block of recorded sound was played again; a synthesizer's tone repeats exactly by itself.

    A tone begins anew, or fades in, where the block begins that it repeats; recorded sound goes on there, and breaks
    where the repetition begins.
    """
    start, _, lag = run
    begin = start - lag
    if begin < CONTEXT // 2 or _stands_still(recording.read(begin, start), recording.sample_rate):
        return False
    before = _mono(recording, begin - CONTEXT, begin)
    block = _mono(recording, begin, start)
    faded = block[-FADE_SAMPLES:] - before[-FADE_SAMPLES:]
    if is_noiseless(block) or _begins_anew(before, block) or np.sqrt(np.mean(faded**2)) < FADE_SHARE * block.std():
        return False
    sound = np.concatenate([before, block, _mono(recording, start, start + ORDER)])[-2 * CONTEXT :]
    errors = _prediction_errors(sound, len(sound) - ORDER)
    usual, seam = errors[: -2 * ORDER], errors[-ORDER:]
    return bool(
        np.median(usual) > NOISE_SHARE * sound.std() or seam.max() > np.quantile(usual[-CONTEXT // 2 :], ORDINARY)
    )


def _begins_anew(before: Sound, block: Sound) -> bool:
    """Whether a sound does not go on in a block, but another one begins."""
    errors = _prediction_errors(np.concatenate([before, block[:CHANGE_SAMPLES]]), len(before))
    ordinary, new = errors[: len(before) - ORDER], errors[len(before) - ORDER :]
    breaks = new[:ORDER].max() > BREAK_FACTOR * np.quantile(ordinary, ORDINARY)
    changes = np.mean(new**2) > CHANGE_FACTOR**2 * np.mean(ordinary**2)
    return bool(breaks or changes)


def is_noiseless(block: Sound) -> bool:
    """Whether a block is predicted to less than the steps that it is stored in."""
    differences = np.abs(np.diff(block))
    steps = NOISELESS_STEPS * min(1, len(block) / NOISELESS_SAMPLES)
    return bool(np.median(_prediction_errors(block, len(block))) < steps * differences[differences > 0].min())


def _prediction_errors(samples: Sound, known: int) -> Sound:
    """How far samples after the first `ORDER` are from what those before them say, as learnt from the first `known`."""
    pasts, truth = sliding_window_view(samples[:-1], ORDER), samples[ORDER:]
    predictor = np.linalg.lstsq(pasts[: known - ORDER], truth[: known - ORDER], rcond=None)[0]
    errors: Sound = np.abs(truth - pasts @ predictor)
    return errors


def _stands_still(block: Array, sample_rate: int) -> bool:
    still = (block[:, 1:] == block[:, :-1]).all(axis=0)
    return any(stop - start >= STILL_SECONDS * sample_rate for start, stop in find_runs(still))


def _mono(recording: SampleReader, start: int, stop: int) -> Sound:
    mixed: Sound = recording.read(start, stop).sum(axis=0, dtype=np.float64)
    return mixed
