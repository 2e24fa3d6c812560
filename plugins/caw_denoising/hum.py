"""Mains hum: lines at multiples of 50 or 60 Hz, steady or drifting a little.

A line is told from a tone by never resting: it stands out of its surroundings at the quietest moments, too. Where the
mains run is looked for by all lines together and by the strongest alone, for notes beside the others lead astray; a
single line is enough that keeps its amplitude and phase. Both are measured where the rest is quiet, over seconds, so
that nothing but the line is taken away (a notch filter as wide would take what is beside it).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from caw_denoising.hum_lines import Line
from caw_denoising.line_bands import AVERAGE_SECONDS, Bands, Complex, Signal, slow_amplitude, smooth
from caw_toolkit import Array
from caw_toolkit.dsp.resampling import resample

#: How far each harmonic of a mains frequency in Hz stands out at quiet moments, `(harmonics,)`.
Prominence = Mapping[float, Signal]

#: Mains frequencies in Hz.
MAINS = (50.0, 60.0)
#: How far the mains may be off, as a share, where hum is looked for.
DRIFT = 0.006
#: Steps in which that is searched.
STEP_HZ = 0.02
#: Lines are looked for up to this frequency.
HIGHEST_HZ = 1000.0
#: Harmonics at the most.
MOST_LINES = 16
#: Windows in which lines are looked for.
WINDOW_SECONDS = 2.0
#: Quantile of the power over time that counts: a line is there at quiet moments, too.
QUIET_QUANTILE = 0.2
#: Least ratio of a line's power to the median of that around it.
PROMINENCE = 5.0
#: What is around a line lies between so near and so far.
SURROUNDINGS_HZ = (3.0, 8.0)
#: Least number of such lines.
LEAST_LINES = 2
#: Ratio from which on a single one is enough. In a long recording one is enough that is there in every part of it.
ALONE = 300.0
#: One line has to be certainly one (`Line.is_certain`). A single one is enough if it is one of so many lowest ones.
LOWEST_LINES = 3
#: Where none of those is a line, it takes so many.
LEAST_HIGHER_LINES = 3
#: Most nepers that a line counts for at a moment.
MOST_EVIDENCE = 4.0
#: What staying at a frequency is worth beside them.
STAY = 0.5
#: The frequency is refined by the turning of the lines' phases, averaged over these times one after the other.
REFINING_SECONDS = (1.0, 1.5, 2.0)
#: By so much at a moment at the most.
MOST_TURN_HZ = 0.3
#: Where it ends more than this share from that of the mains, it followed a note.
MOST_DRIFT = 0.007
#: Scatter of a line's amplitude as a share of it below which all lines are as good.
LEAST_SCATTER = 0.03
#: What holds more than this share of the energy below `HIGHEST_HZ` is the sound, such as a test tone.
MOST_SHARE = 0.97
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
    bands = Bands.of(low, rate)
    found = _search(low.mean(0), rate, bands, all_along or {})
    if found is None:
        return nothing
    times = np.arange(low.shape[1]) / rate
    estimate = np.zeros_like(low)
    for harmonic in found.harmonics:
        carrier = np.exp(1j * harmonic * np.interp(times, bands.times, found.phase))
        for channel, hum in enumerate(estimate):
            amplitude = slow_amplitude(found.demodulated(harmonic, channel), bands.rate)
            hum += 2 * (np.interp(times, bands.times, amplitude) * carrier).real
    if np.square(estimate).sum() > MOST_SHARE * np.square(low).sum():
        return nothing
    full = resample(estimate.astype(np.float32), rate, sample_rate)[:, : samples.shape[1]]
    full = np.pad(full, ((0, 0), (0, samples.shape[1] - full.shape[1])))
    return Hum(full, tuple(round(found.hertz * harmonic, 1) for harmonic in found.harmonics))


def lows(samples: Array, sample_rate: int) -> tuple[Signal, int]:
    """A recording at the rate at which lines are looked for, and that rate in Hz."""
    rate = min(sample_rate, round(4 * HIGHEST_HZ))
    return resample(samples, sample_rate, rate).astype(np.float64), rate


def prominence_of_lines(signal: Signal, rate: int) -> Prominence:
    """How far the lines of a recording stand out; nothing of one that is too short to say.

    Args:
        signal: mono, `(samples,)`.
        rate: Hz.
    """
    if len(signal) < LEAST_SECONDS * rate:
        return {}
    return {mains: next(courses).steady for mains, courses in _courses(signal, rate)}


def least_prominence(parts: Iterable[Prominence]) -> Prominence:
    """How far lines stand out of the part that shows them least."""
    joined: dict[float, Signal] = {}
    for part in parts:
        joined = {mains: np.minimum(steady, joined.get(mains, steady)) for mains, steady in part.items()}
    return joined


@dataclass(frozen=True)
class _Course:
    """Where the fundamental may run.

    Attributes:
        lines: which harmonics show it.
        steady: how far each harmonic stands out at quiet moments, `(harmonics,)`.
        times: seconds.
        hertz: at these.
    """

    lines: slice
    steady: Signal
    times: Signal
    hertz: Signal

    @classmethod
    def of(cls, prominence: Signal, lines: slice, times: Signal, fundamentals: Signal) -> _Course:
        """That which some lines show.

        Args:
            prominence: of all lines, `(times, fundamentals, harmonics)`.
            lines: which ones decide.
            times: seconds.
            fundamentals: Hz.
        """
        path = _track(np.log(prominence[..., lines]).clip(0, MOST_EVIDENCE).sum(2))
        steady = np.quantile(prominence[np.arange(len(path)), path], QUIET_QUANTILE, axis=0)
        return cls(lines, steady, times, fundamentals[path])


@dataclass(frozen=True)
class _Hum:
    """The phase of a fundamental, and its harmonics.

    Attributes:
        bands: of the recording.
        mains: Hz, about.
        phase: of the fundamental in radians at the times of the bands.
        harmonics: numbers of those that are lines.
    """

    bands: Bands
    mains: float
    phase: Signal
    harmonics: tuple[int, ...] = ()

    @property
    def hertz(self) -> float:
        """Mean frequency of the fundamental."""
        return float((self.phase[-1] - self.phase[0]) / (2 * np.pi * (self.bands.times[-1] - self.bands.times[0])))

    def demodulated(self, harmonic: int, channel: int | None = None) -> Complex:
        """What is around a harmonic of one channel or of their mean, the harmonic at 0 Hz, `(samples,)`."""
        return self.bands.demodulated(harmonic * self.mains, harmonic * self.phase, channel)


def _search(signal: Signal, rate: int, bands: Bands, all_along: Prominence) -> _Hum | None:
    """The hum whose lines stand out most; None if there is none."""
    best, highest = None, 0.0
    for mains, courses in _courses(signal, rate):
        for course in courses:
            found = _hum_along(course, mains, bands, all_along.get(mains, 0 * course.steady))
            if found is not None and found[1] > highest:
                best, highest = found
    return best and _refined(best, list(best.harmonics))


def _hum_along(course: _Course, mains: float, bands: Bands, all_along: Signal) -> tuple[_Hum, float] | None:
    """The hum whose fundamental runs about along a course, and how much its lines stand out; None if it is none.

    Args:
        course: that is looked at.
        mains: Hz, about.
        bands: of the recording.
        all_along: least prominence of each harmonic in all parts of the recording, `(harmonics,)`.
    """
    known = all_along > PROMINENCE
    clear = (course.steady > PROMINENCE) | known
    if not clear[course.lines].any():
        return None
    numbers = [int(number) for number in (np.arange(len(clear)) + 1)[course.lines] if clear[number - 1]]
    hertz = np.interp(bands.times, course.times, course.hertz)
    hum = _refined(_Hum(bands, mains, _turned(hertz, bands)), numbers)
    if abs(hum.hertz / mains - 1) > MOST_DRIFT:
        return None
    lowest = [Line.of(hum.demodulated(number), bands) for number in numbers if number <= LOWEST_LINES]
    many = clear.sum() >= LEAST_LINES or (course.steady > ALONE).any() or known.any()
    if not many and not any(line.is_certain for line in lowest):
        return None
    lines = {number: Line.of(hum.demodulated(number), bands) for number in range(1, len(clear) + 1)}
    lines = {number: line for number, line in lines.items() if line.is_there}
    if not known.any() and not any(line.is_certain for line in lines.values()):
        return None
    score = sum(math.log(line.distinct / max(line.deviation, LEAST_SCATTER)) for line in lines.values())
    if not lines or (min(lines) > LOWEST_LINES and len(lines) < LEAST_HIGHER_LINES):
        return None
    return replace(hum, harmonics=tuple(lines)), score


def _courses(signal: Signal, rate: int) -> Iterator[tuple[float, Iterator[_Course]]]:
    """For each mains frequency, where the fundamental may run: by all harmonics, and by each of the lowest alone."""
    size = round(WINDOW_SECONDS * rate)
    length = 2 ** math.ceil(math.log2(4 * size))  # interpolates between the bins
    frames = np.lib.stride_tricks.sliding_window_view(signal, size)[:: size // 8]
    power = np.abs(np.fft.rfft(frames * np.hanning(size), length)) ** 2
    power = power[power.sum(1) > 0]
    centres = (np.arange(len(power)) * (size // 8) + size / 2) / rate
    highest = min(HIGHEST_HZ, rate / 2 - 2 * SURROUNDINGS_HZ[1])
    for mains in MAINS if len(power) else ():
        fundamentals = np.arange(mains * (1 - DRIFT), mains * (1 + DRIFT), STEP_HZ)
        harmonics = np.arange(1, min(MOST_LINES, int(highest / mains)) + 1)
        if len(harmonics):
            prominence = _prominence(power, np.outer(fundamentals, harmonics), rate / length)
            some = (slice(None), *(slice(line, line + 1) for line in range(min(LOWEST_LINES, len(harmonics)))))
            yield mains, (_Course.of(prominence, lines, centres, fundamentals) for lines in some)


def _prominence(power: Signal, lines: Signal, hertz: float) -> Signal:
    """Power at lines over the median of that around each, `(frames, *shape of lines)`.

    Args:
        power: `(frames, bins)`.
        lines: frequencies in Hz.
        hertz: from bin to bin.
    """
    near, far = (round(distance / hertz) for distance in SURROUNDINGS_HZ)
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


def _turned(hertz: Signal, bands: Bands) -> Signal:
    """Phase in radians of a frequency at the times of bands."""
    smoothed = smooth(hertz, round(WINDOW_SECONDS * bands.rate)).real
    return np.asarray(2 * np.pi * np.cumsum(smoothed) / bands.rate)


def _refined(hum: _Hum, harmonics: list[int]) -> _Hum:
    """The same with the phase that the turns of the harmonics make, of those most that scatter least."""
    rate = hum.bands.rate
    limit = 2 * np.pi * MOST_TURN_HZ / rate
    for seconds in REFINING_SECONDS:
        drifts, weights = [], []
        for harmonic in harmonics:
            demodulated = hum.demodulated(harmonic)
            line, slow = (slow_amplitude(demodulated, rate, each) for each in (seconds, AVERAGE_SECONDS))
            turn = np.angle(line[1:] * line[:-1].conj()) / harmonic
            drifts.append(np.concatenate([turn[:1], turn]).clip(-limit, limit))
            # the phase of a line under music is as unsure as its amplitude
            scatter = smooth(np.abs(line - slow) ** 2, round(AVERAGE_SECONDS * rate)).real
            power = np.abs(slow) ** 2
            weights.append(harmonic**2 * power / (np.maximum(scatter, 0) + LEAST_SCATTER**2 * power + 1e-20))
        drift = np.average(drifts, axis=0, weights=np.array(weights) + 1e-30)
        hum = replace(hum, phase=hum.phase + np.cumsum(smooth(drift, round(seconds * rate)).real))
    return hum
