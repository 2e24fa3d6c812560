"""Estimating a recording without its noise, from the noisy recording and, if there is one, a cleaner one.

Clicks go first (`clicks`), then hum (`hum`), so that what is left of the noise is steady. A first estimate is the
log-spectral amplitude estimator (Ephraim and Malah, 1985). Rumble below the lowest note is told from music by its
spectrum, which has no peaks, and goes altogether: it comes in bursts that no average describes. Then the signal's power
is estimated once more from all moments at which the recording sounds the same: notes and syllables that come back are
seen several times with different noise. A cleaner recording of the same source shows them with hardly any. The estimate
is the signal in a Wiener filter.

Windows are as long as suits the material: the error to be expected decides, which needs no truth (Stein, 1981). It also
shows a cleaner recording that is of something else altogether.

Where the noise is in doubt, the result is a mean with the first estimate of all that may be noise.

A long recording is cleaned in stretches that overlap (`stretches`). What a stretch alone shows too little of is
measured before over more of it (`survey`): rumble and weak hum over all, noise over two minutes, unless the stretch has
another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from caw_denoising.clicks import remove_clicks
from caw_denoising.findings import Findings
from caw_denoising.hum import Prominence, find_hum
from caw_denoising.log_mmse import first_estimate
from caw_denoising.noise import Noise, find_noise
from caw_denoising.noise_floor import NOISE_QUANTILE
from caw_denoising.repetitions import FEW_FRAMES, MOST_FRAMES
from caw_denoising.stft import Power, power_as_one, signal_of, spectra_of, window_size
from caw_denoising.stretches import FADE_SECONDS, Stretches, in_order
from caw_denoising.survey import NOISE_WINDOW_SECONDS, Survey
from caw_denoising.views import NoisyRecording, View
from caw_toolkit import Array
from caw_toolkit.arrays import FloatArray
from caw_toolkit.dsp.overlap_add import BlockJoiner

#: Shorter ones are continued with silence.
LEAST_SECONDS = 0.5
#: What a cleaner recording may add to the expected error: a little by this measure even where it helps, half as much
#: again and more if it is of something else.
MOST_ERROR = 1.1
#: A shorter window has to be better by this share of the expected error where rumble comes in bursts: above the lowest
#: note there is more of it than its floor says, and a shorter window shows less of that.
BETTER = 0.015
#: The window of a stretch of a longer recording is chosen by so many seconds of every so many.
EXCERPT_SECONDS = (2.5, 10.0)
#: Share of the time that the survey of a long recording takes.
SURVEY_SHARE = 0.05


@dataclass(frozen=True)
class Cleaned:
    """A recording, or a part of one, without its noise.

    Attributes:
        samples: `(channels, samples)`.
        findings: what was found in it.
    """

    samples: FloatArray
    findings: Findings


@dataclass(frozen=True)
class Settings:
    """How a recording is cleaned.

    Attributes:
        strength: from 0 (nothing is removed) to 1.
        reference: a cleaner recording of the same source at the same rate, `(any channels, samples)`, at any level.
        declick: whether to look for clicks and crackle.
    """

    strength: float = 1.0
    reference: Array | None = None
    declick: bool = True


def denoise(
    samples: Array, sample_rate: int, *, strength: float = 1.0, reference: Array | None = None, declick: bool = True
) -> Array:
    """Clean a recording; its level, length and alignment are kept. `clean` says what was found, too.

    Returns:
        `(channels, samples)` float32.
    """
    cleaned = clean(samples, sample_rate, strength=strength, reference=reference, declick=declick)
    return np.asarray(cleaned.samples, np.float32)


def clean(
    samples: Array,
    sample_rate: int,
    *,
    strength: float = 1.0,
    reference: Array | None = None,
    declick: bool = True,
    on_progress: Callable[[float], None] | None = None,
) -> Cleaned:
    """Remove clicks, hum and steady noise from a recording; its level, length and alignment are kept.

    Args:
        samples: `(channels, samples)`.
        sample_rate: Hz.
        strength: from 0 (nothing is removed) to 1.
        reference: a cleaner recording of the same source at the same rate, `(any channels, samples)`, at any level.
        declick: whether to look for clicks and crackle.
        on_progress: called with the share that is done, from 0 to 1.
    """
    settings = Settings(strength, reference, declick)
    parts = list(clean_blocks(lambda: [samples], sample_rate, settings, channels=len(samples), on_progress=on_progress))
    findings = Findings()
    for part in parts:
        findings = findings.joined(part.findings)
    return Cleaned(np.concatenate([part.samples for part in parts], axis=1), findings)


def clean_blocks(
    read: Callable[[], Iterable[FloatArray]],
    sample_rate: int,
    settings: Settings,
    *,
    channels: int,
    on_progress: Callable[[float], None] | None = None,
) -> Iterator[Cleaned]:
    """Clean a recording of any length in memory that does not grow with it.

    Args:
        read: returns the recording from its beginning, `(channels, samples)` at a time; called twice.
        sample_rate: Hz.
        settings: what to do.
        channels: of the recording.
        on_progress: called with the share that is done, from 0 to 1.

    Yields:
        part after part; samples that nothing has changed are those of `read`, to their last bit.
    """
    report = on_progress or (lambda share: None)
    survey = Survey.of(read(), sample_rate, channels=channels)
    stretches = Stretches.of(survey.samples, sample_rate, channels=channels)
    joiner = BlockJoiner(np.linspace(0, 1, round(FADE_SECONDS * sample_rate), dtype=np.float32))
    begun = SURVEY_SHARE if stretches.count > 1 else 0.0

    def clean_one(numbered: tuple[int, FloatArray], check: Callable[[], None]) -> Cleaned:
        index, given = numbered
        noise = survey.noise_near(stretches.middle(index) / sample_rate)
        is_whole = stretches.count == 1
        return _Stretch(sample_rate, settings, noise, survey.rumble_hz, survey.hum, is_whole, check).cleaned(given)

    cleaned = in_order(clean_one, enumerate(stretches.cut(read())), at_once=stretches.at_once)
    for index, part in enumerate(cleaned):
        # what a stretch shares with the next one counts there
        keep = stretches.size if index < stretches.count - 1 else part.samples.shape[1]
        yield Cleaned(joiner.join(part.samples, keep=keep), part.findings)
        share = (index + 1) / stretches.count
        report(share + begun * (1 - share))


@dataclass(frozen=True)
class _Stretch:
    """A stretch that is short enough to compare all its frames with each other, and what is known of its surroundings.

    Attributes:
        sample_rate: Hz.
        settings: what to do.
        noise: that of the surroundings, if there is any.
        rumble_hz: as for `NoisyRecording.of`.
        hum: what of it is in all stretches, as for `find_hum`.
        is_whole: whether it is all of the recording.
        check: called before every step, to end early.
    """

    sample_rate: int
    settings: Settings
    noise: Noise | None
    rumble_hz: float | None
    hum: Prominence
    is_whole: bool
    check: Callable[[], None]

    def cleaned(self, given: FloatArray) -> Cleaned:
        """Clean it; where that changes nothing, its samples are the given ones."""
        samples = np.asarray(given, np.float32)
        length, least = samples.shape[1], round(LEAST_SECONDS * self.sample_rate)
        padded = np.pad(samples, ((0, 0), (0, max(0, least - length))))
        cleaned = self._without_disturbances(padded)
        strength = self.settings.strength
        made = np.asarray(padded + strength * (cleaned.samples - padded), np.float32)[:, :length]
        return replace(cleaned, samples=np.where(made == samples, given, made))

    def _without_disturbances(self, samples: Array) -> Cleaned:
        """Without clicks, hum and noise."""
        energy = float(np.square(samples, dtype=np.float64).sum())
        findings = Findings(seconds=samples.shape[1] / self.sample_rate, sample_count=samples.size, energy=energy)
        if self.settings.declick:
            self.check()
            repaired = remove_clicks(samples, self.sample_rate)
            samples = repaired.samples
            findings = replace(findings, clicks=repaired.clicks, touched=repaired.touched)
        self.check()
        hum = find_hum(samples, self.sample_rate, all_along=self.hum)
        samples = samples - hum.signal
        findings = replace(findings, hum_lines=hum.lines)
        self.check()
        measured = window_size(NOISE_WINDOW_SECONDS, samples, self.sample_rate)
        power = power_as_one(spectra_of(samples, measured))
        noise = find_noise(power)
        if self.noise is not None:
            noise = noise.as_around(self.noise)
        if not noise.is_heard:
            return Cleaned(samples, replace(findings, quiet_db=_quiet_db(power)))
        findings = replace(findings, noise_db=float(10 * np.log10(noise.power.sum() / power.mean(1).sum())))
        del power  # as large as what comes
        return Cleaned(self._without_noise(samples, noise), findings)

    def _without_noise(self, samples: Array, noise: Noise) -> Array:
        """The estimate, and where the noise is in doubt, the first one of all that may be noise."""
        noisy = NoisyRecording.of(samples, noise.power, self.sample_rate, rumble_hz=self.rumble_hz)
        if not noise.doubt.any():
            return self._estimate(noisy)
        size = 2 * (len(noise.power) - 1)
        self.check()
        doubtful = signal_of(noise.doubt[:, None] * first_estimate(noisy.samples, noise.most), size, samples.shape[1])
        if noise.doubt.min() >= 1:
            return doubtful
        cleaned = spectra_of(self._estimate(noisy), size)
        return doubtful + signal_of((1 - noise.doubt[:, None]) * cleaned, size, samples.shape[1])

    def _estimate(self, noisy: NoisyRecording) -> Array:
        """The estimate through the window that suits the recording."""
        if self.is_whole:
            view = self._best_view(noisy)
        else:
            length, every = (round(seconds * self.sample_rate) for seconds in EXCERPT_SECONDS)
            view = noisy.view(self._best_view(noisy.excerpts(length, every)).size)
        most_frames = MOST_FRAMES if self.is_whole else FEW_FRAMES
        self.check()
        gain = view.wiener_gain(view.from_repetitions(most_frames))
        reference = self.settings.reference
        if reference is not None:
            self.check()
            informed = view.wiener_gain(view.from_reference(reference, most_frames))
            expected = view.expected_error(gain)
            if view.expected_error(informed) - expected < (MOST_ERROR - 1) * abs(expected):
                gain = informed
        return signal_of(view.spectra * gain, view.size, noisy.samples.shape[1])

    def _best_view(self, noisy: NoisyRecording) -> View:
        """That of the least expected error, from the longest window on."""
        views = noisy.views()
        best = next(views)
        least, margin = best.first_error, BETTER if noisy.has_bursts else 0.0
        for view in views:
            self.check()
            error = view.first_error
            if error < least - margin * abs(least):
                best, least = view, error
        return best


def _quiet_db(power: Power) -> float | None:
    """Power of the quietest tenth of a recording over all of it, in dB; None where that is silent.

    Args:
        power: `(bins, frames)`.
    """
    frames = power.sum(0, dtype=np.float64)
    quiet = np.quantile(frames, NOISE_QUANTILE)
    return float(10 * np.log10(quiet / frames.mean())) if quiet > 0 else None
