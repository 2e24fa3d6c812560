"""Mains hum: lines at multiples of 50 or 60 Hz, steady or drifting a little.

A line is told from a tone by never resting: it stands out of its surroundings at the quietest moments, too. Its
amplitude and phase are measured where the rest is quiet, over seconds, so that nothing but the line is taken away
(a notch filter as wide would take what is beside it).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve

from caw_toolkit import Array
from caw_toolkit.dsp.resampling import resample

Signal = npt.NDArray[np.float64]
#: How far each harmonic of a mains frequency in Hz stands out at quiet moments, `(harmonics,)`.
Prominence = Mapping[float, Signal]
Complex = npt.NDArray[np.complex128]

#: Mains frequencies in Hz, how far they may be off, and the steps in which that is searched.
MAINS, DRIFT, STEP_HERTZ = (50.0, 60.0), 0.006, 0.02
#: Lines are looked for up to this frequency, and at most so many.
HIGHEST_HERTZ, MOST_LINES = 1000.0, 16
#: Windows in which they are looked for, in seconds, and the quantile of their power that counts.
WINDOW_SECONDS, QUIET_QUANTILE = 2.0, 0.2
#: Least ratio of a line's power to that of its surroundings, 3 to 8 Hz away; and least number of such lines, or the
#: ratio from which on a single one is enough. In a long recording one is enough that is there in every part of it.
PROMINENCE, SURROUNDINGS, LEAST_LINES, ALONE = 5.0, (3.0, 8.0), 2, 300.0
#: Every harmonic of a hum goes whose amplitude at quiet moments is so many times that of what is so far beside it, in
#: Hz, and varies less than by this factor (90 to 10 % quantile): what varies more is music, or hum that was faded.
#: For a tenth of the time it may fall below this share of its mean.
DISTINCT, BESIDE_HERTZ, STEADY, RESTING = 2.0, 5.0, 3.0, 0.3
#: Most nepers that a line counts for at a moment, and what staying at a frequency is worth beside them.
MOST_EVIDENCE, STAY = 4.0, 0.5
#: Time over which a line is averaged, and over which what is so far aside of it, in Hz, is measured.
AVERAGE_SECONDS, LOCAL_SECONDS, ASIDE_HERTZ = 5.0, 0.2, 7.5
#: The frequency is refined by the turning of the lines' phases, averaged over these times in seconds, and by how much.
REFINING_SECONDS, MOST_TURN_HERTZ = (1.0, 1.5, 2.0), 0.3
#: A shorter recording says too little.
LEAST_SECONDS = 4.0


@dataclass(frozen=True)
class Hum:
    """The hum of a recording.

    Attributes:
        signal: `(channels, samples)`; subtract it.
        lines: frequencies in Hz.
    """

    signal: Array
    lines: tuple[float, ...]


def find_hum(samples: Array, sample_rate: int, *, all_along: Prominence | None = None) -> Hum:
    """Estimate the hum of a recording; silence and no lines, if there is none.

    Args:
        samples: `(channels, samples)`.
        sample_rate: Hz.
        all_along: least prominence in all parts of the recording that this is one of, as of `prominence_of_lines`.
    """
    nothing = Hum(np.zeros_like(samples), ())
    if samples.shape[1] < LEAST_SECONDS * sample_rate:
        return nothing
    low, rate = lows(samples, sample_rate)
    mono = low.mean(0)
    fundamental, harmonics = _search(mono, rate, all_along or {})
    if not harmonics:
        return nothing
    phase = _phase(mono, rate, fundamental, harmonics)
    count = min(MOST_LINES, int(HIGHEST_HERTZ / fundamental.mean()))
    harmonics = [number for number in range(1, count + 1) if _is_line(mono, rate, number * phase)]
    if not harmonics:
        return nothing
    estimate = np.zeros_like(low)
    for harmonic in harmonics:
        carrier = np.exp(1j * harmonic * phase)
        for channel, hum in zip(low, estimate, strict=True):
            hum += 2 * (_amplitude(channel * carrier.conj(), rate) * carrier).real
    full = resample(estimate.astype(np.float32), rate, sample_rate)[:, : samples.shape[1]]
    full = np.pad(full, ((0, 0), (0, samples.shape[1] - full.shape[1])))
    mean = float(fundamental.mean())
    return Hum(full, tuple(round(mean * harmonic, 1) for harmonic in harmonics))


def lows(samples: Array, sample_rate: int) -> tuple[Signal, int]:
    """A recording at the rate at which lines are looked for, and that rate in Hz."""
    rate = min(sample_rate, round(4 * HIGHEST_HERTZ))
    return resample(samples, sample_rate, rate).astype(np.float64), rate


def prominence_of_lines(signal: Signal, rate: int) -> Prominence:
    """How far the lines of a recording stand out; nothing of one that is too short to say.

    Args:
        signal: mono, `(samples,)`.
        rate: Hz.
    """
    if len(signal) < LEAST_SECONDS * rate:
        return {}
    return {mains: steady for mains, (steady, _) in _tracked_lines(signal, rate).items()}


def least_prominence(parts: Iterable[Prominence]) -> Prominence:
    """How far lines stand out of the part that shows them least."""
    joined: dict[float, Signal] = {}
    for part in parts:
        joined = {mains: np.minimum(steady, joined.get(mains, steady)) for mains, steady in part.items()}
    return joined


def _search(signal: Signal, rate: int, all_along: Prominence) -> tuple[Signal, list[int]]:
    """Frequency of the fundamental in Hz at every sample, and the numbers of the harmonics that never rest."""
    best: tuple[float, Signal, list[int]] = (0.0, signal[:0], [])
    for mains, (steady, fundamental) in _tracked_lines(signal, rate).items():
        known = all_along.get(mains, 0 * steady) > PROMINENCE
        clear = (steady > PROMINENCE) | known
        is_hum = clear.sum() >= LEAST_LINES or (steady > ALONE).any() or known.any()
        score = float(np.log(np.maximum(steady[clear], PROMINENCE)).sum())
        if is_hum and score > best[0]:
            best = (score, fundamental, (np.flatnonzero(clear) + 1).tolist())
    return best[1], best[2]


def _tracked_lines(signal: Signal, rate: int) -> dict[float, tuple[Signal, Signal]]:
    """For each mains frequency, how far its harmonics stand out at quiet moments, and its course in Hz."""
    size = round(WINDOW_SECONDS * rate)
    length = 2 ** math.ceil(math.log2(4 * size))  # interpolates between the bins
    frames = np.lib.stride_tricks.sliding_window_view(signal, size)[:: size // 8]
    power = np.abs(np.fft.rfft(frames * np.hanning(size), length)) ** 2
    power = power[power.sum(1) > 0]
    found = {}
    for mains in MAINS if len(power) else ():
        fundamentals = np.arange(mains * (1 - DRIFT), mains * (1 + DRIFT), STEP_HERTZ)
        harmonics = np.arange(1, min(MOST_LINES, int(HIGHEST_HERTZ / mains)) + 1)
        prominence = _prominence(power, np.outer(fundamentals, harmonics), rate / length)
        path = _track(np.log(prominence).clip(0, MOST_EVIDENCE).sum(2))
        steady = np.quantile(prominence[np.arange(len(path)), path], QUIET_QUANTILE, axis=0)
        centres = (np.arange(len(path)) * (size // 8) + size / 2) / rate
        found[mains] = (steady, np.interp(np.arange(len(signal)) / rate, centres, fundamentals[path]))
    return found


def _prominence(power: Signal, lines: Signal, hertz: float) -> Signal:
    """Power at lines over the median of that around each, `(frames, *shape of lines)`.

    Args:
        power: `(frames, bins)`.
        lines: frequencies in Hz.
        hertz: from bin to bin.
    """
    near, far = (round(distance / hertz) for distance in SURROUNDINGS)
    offsets = np.concatenate([np.arange(-far, -near), np.arange(near, far) + 1])
    centres = np.round(lines / hertz).astype(int)
    around = power[:, np.abs(centres[..., None] + offsets)]
    prominence: Signal = power[:, centres] / (np.median(around, axis=-1) + 1e-30)
    return prominence.clip(1e-3)


def _track(evidence: Signal) -> npt.NDArray[np.int64]:
    """The path through `(frames, frequencies)` with most evidence, a step a frame at most (Viterbi)."""
    total, came_from = evidence[0], []
    for now in evidence[1:]:
        beside = np.pad(total, 1, constant_values=-np.inf)
        options = np.stack([beside[:-2], total + STAY, beside[2:]])
        came_from.append(options.argmax(0) - 1)
        total = options.max(0) + now
    path = [int(total.argmax())]
    for steps in reversed(came_from):
        path.append(path[-1] + int(steps[path[-1]]))
    return np.array(path[::-1])


def _phase(signal: Signal, rate: int, fundamental: Signal, harmonics: list[int]) -> Signal:
    """Phase of the fundamental at every sample, in radians: what its frequency and the turns of the harmonics make."""
    phase = 2 * np.pi * np.cumsum(_smooth(fundamental, round(WINDOW_SECONDS * rate)).real) / rate
    limit = 2 * np.pi * MOST_TURN_HERTZ / rate
    for seconds in REFINING_SECONDS:
        drifts, weights = [], []
        for harmonic in harmonics:
            line = _amplitude(signal * np.exp(-1j * harmonic * phase), rate, seconds)
            turn = np.angle(line[1:] * line[:-1].conj()) / harmonic
            drifts.append(np.concatenate([turn[:1], turn]).clip(-limit, limit))
            weights.append(harmonic**2 * np.abs(line) ** 2)
        drift = np.average(drifts, axis=0, weights=np.array(weights) + 1e-30)
        phase = phase + np.cumsum(_smooth(drift, round(seconds * rate)).real)
    return np.asarray(phase)


def _amplitude(demodulated: Complex, rate: int, seconds: float = AVERAGE_SECONDS) -> Complex:
    """Slowly varying complex amplitude at 0 Hz, mostly from the moments at which little is beside it.

    What is beside it decides, not what is at it: that would prefer moments at which the sound cancels the line.
    """
    size = round(LOCAL_SECONDS * rate)
    turning = np.exp(2j * np.pi * ASIDE_HERTZ * np.arange(len(demodulated)) / rate)
    aside = sum(np.abs(_smooth(demodulated * each, size)) ** 2 for each in (turning, turning.conj()))
    power = _smooth(np.asarray(aside), size).real
    weights = (power + np.quantile(power, QUIET_QUANTILE) + 1e-20) ** -1.5
    average = round(seconds * rate)
    return np.asarray(_smooth(weights * _smooth(demodulated, size), average) / _smooth(weights, average).real)


def _is_line(signal: Signal, rate: int, phase: Signal) -> bool:
    """Whether there is a line of that phase: apart from its surroundings, steady, and never resting."""
    beside = 2 * np.pi * BESIDE_HERTZ * np.arange(len(signal)) / rate
    here, below, above = (
        np.abs(_amplitude(signal * np.exp(-1j * each), rate)) for each in (phase, phase - beside, phase + beside)
    )
    low, high = np.quantile(here, [0.1, 0.9])
    is_distinct = np.median(here) > DISTINCT * max(np.median(below), np.median(above))
    at_once = np.abs(_smooth(signal * np.exp(-1j * phase), round(LOCAL_SECONDS * rate)))
    rests = np.quantile(at_once, 0.1) < RESTING * np.median(here)
    return bool(is_distinct and high < STEADY * low and not rests)


def _smooth(signal: npt.NDArray[np.generic], size: int) -> Complex:
    """Weighted mean around every sample, with a Hann window that is cut at the ends."""
    window = np.hanning(min(size, len(signal)) + 2)[1:-1]
    return np.asarray(fftconvolve(signal, window, "same") / fftconvolve(np.ones(len(signal)), window, "same"))
