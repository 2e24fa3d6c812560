"""Joining a recording's own band with generated highs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from caw_bandwidth_extension.roll_off import AverageSpectrum, RollOff, frame_powers, measure
from caw_toolkit import Array, CawError, PyramidModel
from caw_toolkit.dsp.resampling import resample

#: Width of the crossfade between the recording's own band and the generated one, just below its cutoff.
CROSSFADE_HZ = 100.0
#: What lies this far below the strongest band is not content but what a codec or resampler has left.
FLOOR_DB = 75.0
#: A scale is given a recording whose roll-off ends below the scale's band by at most this factor.
ROLL_OFF_REACH = 1.2
#: Level differences to the training recording up to which the model is given the recording as it is.
LEVEL_RANGE = (0.25, 2.0)
#: Nobody is told to train a coarser scale.
LOWEST_SCALE_HZ = 250

#: Share of the sample rate from which on a recording has its whole band, as resamplers leave it.
_FULL_BAND = 0.475


def bandwidth(samples: Array, sample_rate: int) -> float:
    """The frequency in Hz up to which a recording has content: at most half its rate, less if it was upsampled.

    Args:
        samples: `(channels, samples)`.
        sample_rate: Hz.
    """
    return bandwidth_of_parts([samples], sample_rate)


def bandwidth_of_parts(parts: Iterable[Array], sample_rate: int) -> float:
    """The same of a recording of any length.

    Args:
        parts: `(channels, samples)` each.
        sample_rate: Hz.
    """
    size = 1024
    total, count = np.zeros(size // 2 + 1), 0
    for part in parts:
        powers = frame_powers(part, size)
        total += powers.sum(0)
        count += len(powers)
    power = total / max(1, count)
    audible = np.flatnonzero(power > power.max() * 10 ** (-FLOOR_DB / 10))
    highest = audible[-1] + 1 if len(audible) else 0
    return float(min(highest * sample_rate / size, sample_rate / 2))


def lacks_nothing(own: float, sample_rate: int) -> bool:
    """Whether a band that ends at `own` Hz is all that a sample rate has room for."""
    return own >= _FULL_BAND * sample_rate


def extend(
    model: PyramidModel,
    samples: Array,
    sample_rate: int,
    *,
    seed: int,
    cutoff_hz: float | None = None,
    peak: float | None = None,
    roll_off: RollOff | None = None,
    first_second: int = 0,
) -> Array:
    """Add the highs that a recording lacks.

    The recording enters the pyramid at the first scale that adds what it lacks (paper, section 4.3); of the result only
    the band above its own is kept.

    Args:
        model: trained on a recording of the same source at the full rate.
        samples: `(channels, samples)`.
        sample_rate: Hz.
        seed: of the noise.
        cutoff_hz: where the recording's own band ends; by default it is found.
        peak: of the recording, if `samples` are a part of it.
        roll_off: how its own band fades out below the cutoff; by default it is measured.
        first_second: where `samples` begin in the recording, if they are a part of it.

    Returns:
        `(channels, samples)` float32 at the model's rate.

    Raises:
        CawError: if the recording has no band below the model's scales, or needs no extension, or if its roll-off is
            not known up to its cutoff.
    """
    length = round(samples.shape[1] * model.sample_rate / sample_rate)
    peak = float(np.abs(samples).max()) if peak is None else peak
    if peak == 0:
        return np.zeros((samples.shape[0], length), np.float32)
    own = bandwidth(samples, sample_rate) if cutoff_hz is None else cutoff_hz
    roll_off = roll_off or measure(AverageSpectrum.of_training(model), samples, sample_rate, own)
    entry = _entry(model, own, roll_off.reach)
    if roll_off.frequencies[-1] < 0.99 * own:  # the last bin may lie just below half the rate
        raise CawError(
            f"the filter's response is given up to {roll_off.frequencies[-1]:.0f} Hz, and the recording reaches "
            f"{own:.0f} Hz: give it at a higher sample rate"
        )
    kept = roll_off.undo(samples, sample_rate)
    ratio = peak / model.peak
    gain = 1.0 if LEVEL_RANGE[0] <= ratio <= LEVEL_RANGE[1] else 1 / ratio
    cutoff = min(own, roll_off.reach)
    made = model.inject(
        kept * gain,
        sample_rate,
        at_rate=model.rates[entry],
        content_hz=cutoff,
        seed=seed,
        first_second=first_second,
    )
    kept = resample(kept, sample_rate, model.sample_rate)
    return _crossover(_fit(kept, length), _fit(made, length) / np.float32(gain), model.sample_rate, cutoff)


def _entry(model: PyramidModel, own: float, reach: float) -> int:
    """The scale that adds what a recording lacks, whose own band ends at `own` and is attenuated from `reach` on."""
    if lacks_nothing(own, model.sample_rate):
        raise CawError(
            f"the recording reaches {own:.0f} Hz, which is all that this model has ({model.sample_rate / 2:.0f} Hz): "
            "nothing is missing"
        )
    limit = min(own * 1.05, reach * ROLL_OFF_REACH)
    below = [index for index, rate in enumerate(model.rates[:-1]) if rate / 2 <= limit]
    if not below:
        rates, reached = ", ".join(map(str, model.rates)), min(own, reach)
        advice = ""
        if 2 * reached >= LOWEST_SCALE_HZ:
            advice = f". Train one with a preset whose candidate_rates begin at {2 * reached:.0f} Hz or below "
            advice += "(caw train --preset FILE)"
        raise CawError(
            f"the recording has content up to {reached:.0f} Hz, too little to go by: this model was trained with "
            f"scales of {rates} Hz, and the coarsest needs {model.rates[0] / 2:.0f} Hz{advice}"
        )
    return below[-1] + 1


def _fit(samples: Array, length: int) -> Array:
    return np.pad(samples[:, :length], ((0, 0), (0, max(0, length - samples.shape[1]))))


def _crossover(low: Array, high: Array, sample_rate: int, cutoff: float) -> Array:
    """`low` below the cutoff, `high` above it; zero phase, gains that sum to one."""
    frequencies = np.fft.rfftfreq(low.shape[1], 1 / sample_rate)
    ramp = np.clip((frequencies - (cutoff - CROSSFADE_HZ)) / CROSSFADE_HZ, 0, 1)
    share = 0.5 - 0.5 * np.cos(np.pi * ramp)
    spectrum = np.fft.rfft(low, axis=1) * (1 - share) + np.fft.rfft(high, axis=1) * share
    return np.fft.irfft(spectrum, low.shape[1], axis=1).astype(np.float32)
