"""The exemplar generator: the recording's own material follows a coarser signal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from caw_toolkit import AudioClip, CawError
from caw_toolkit.generators.exemplar import ExemplarGenerator
from caw_toolkit.generators.exemplar_selection import PlaceCosts
from caw_toolkit.pyramid.recording import Recording, join
from caw_toolkit.pyramid.upsampling import upsample_sinc
from caw_toolkit.training.objectives.base import ScaleSpec, ScaleTask
from caw_toolkit.training.objectives.exemplar import ExemplarObjective, ExemplarOptions

RATE, COARSER = 4000, 1000


def task(recording: Recording) -> ScaleTask:
    real = torch.from_numpy(recording.at(RATE))
    coarse = upsample_sinc(torch.from_numpy(recording.at(COARSER)), COARSER, RATE, real.shape[1])
    spec = ScaleSpec(1, 2, RATE, COARSER, recording.channels)
    return ScaleTask(spec, real, coarse, recording.segments_at(RATE), None, 0, torch.device("cpu"))


def generator(given: ScaleTask, **options: Any) -> ExemplarGenerator:
    made = ExemplarObjective(ExemplarOptions(**options)).scale_trainer(given).finish().generator
    assert isinstance(made, ExemplarGenerator)
    return made


def likeness(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a * b).sum() / (a.norm() * b.norm()))


def test_the_recordings_own_coarse_version_gives_the_recording_back(speech: AudioClip) -> None:
    given = task(join([speech]))
    assert given.coarse is not None
    made = generator(given, selection_noise=0.0)(torch.zeros(1, *given.real.shape), given.coarse[None])
    assert made.shape == (1, *given.real.shape)
    assert likeness(made[0], given.real) > 0.95


def test_what_it_makes_has_the_band_that_the_coarser_signal_lacks(speech: AudioClip) -> None:
    given = task(join([speech]))
    assert given.coarse is not None
    elsewhere = torch.roll(given.coarse, 12345, dims=1) * 0.8
    made = generator(given)(torch.randn(1, *given.real.shape), elsewhere[None])[0].numpy()

    def highs(samples: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(samples, axis=-1)) ** 2
        return float(spectrum[..., spectrum.shape[-1] // 4 :].sum() / spectrum.sum())

    assert highs(made) == pytest.approx(highs(given.real.numpy()), rel=0.5)
    assert np.std(made) == pytest.approx(float(given.real.std()) * 0.8, rel=0.3)


def test_stretches_come_from_within_segments(speech: AudioClip) -> None:
    given = task(join([speech, speech]))
    (_, first_end), _ = given.segments
    made = generator(given)
    assert not made.usable[first_end - made.hop : first_end + made.hop].any()


def test_stereo_and_silence(speech: AudioClip) -> None:
    stereo = AudioClip(np.concatenate([speech.samples, speech.samples * 0.5]), speech.sample_rate)
    given = task(join([stereo]))
    made = generator(given)
    assert given.coarse is not None
    out = made(torch.zeros(1, *given.real.shape), given.coarse[None])[0]
    torch.testing.assert_close(out[1], out[0] * 0.5, atol=1e-4, rtol=1e-3)
    silent = made(torch.zeros(1, 2, 4000), torch.zeros(1, 2, 4000))
    assert float(silent.abs().max()) < 0.05 * float(given.real.abs().max())


def test_noise_decides_between_takes(speech: AudioClip) -> None:
    given = task(join([speech]))
    assert given.coarse is not None
    made = generator(given, selection_noise=0.3)
    coarse = torch.roll(given.coarse, 777, dims=1)[None] + 0.01
    noise = torch.randn(2, 1, *given.real.shape)
    assert (made(noise[0], coarse) != made(noise[1], coarse)).any()
    torch.testing.assert_close(made(noise[0], coarse), made(noise[0], coarse), atol=0, rtol=0)


def test_leaving_a_short_segment_costs_extra(speech: AudioClip) -> None:
    given = task(join([speech]))
    assert given.coarse is not None
    selector = generator(given)._selector_for(None)
    # Backwards, nothing of the recording goes on for long.
    matches = selector.index.search(given.coarse[0].flip(0), 8)

    def lengths(cost: float) -> np.ndarray:
        """Of the segments, in hops."""
        bonuses, costs = torch.zeros(len(matches.offsets)), PlaceCosts(selector.index.hop)
        path = selector.select(matches, matches.similarity, bonuses, costs, short_segment_cost=cost)
        return np.diff(np.flatnonzero(path.diff().numpy() != selector.index.hop))

    assert np.count_nonzero(lengths(0.3) <= 3) < np.count_nonzero(lengths(0.0) <= 3) / 2
    assert np.mean(lengths(100.0) <= 3) < 0.1  # where the recording ends, there is no going on


def test_a_recording_shorter_than_a_stretch_is_refused() -> None:
    real = torch.zeros(1, 100)
    short = ScaleTask(ScaleSpec(1, 2, RATE, COARSER, 1), real, real, ((0, 100),), None, 0, torch.device("cpu"))
    with pytest.raises(CawError, match="too short"):
        ExemplarObjective().scale_trainer(short)


def band(seconds: int, seed: int, low: float, high: float) -> torch.Tensor:
    """Noise between two frequencies."""
    spectrum = torch.fft.rfft(torch.randn(1, seconds * RATE, generator=torch.Generator().manual_seed(seed)))
    hertz = torch.fft.rfftfreq(seconds * RATE, 1 / RATE)
    signal: torch.Tensor = torch.fft.irfft(spectrum * ((hertz >= low) & (hertz < high)), seconds * RATE)
    return signal


def switched(seconds: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A signal whose lows say nothing of the highs, while the octave between them comes and goes with them; when."""
    on = torch.arange(seconds * RATE) // (RATE // 2) % 2
    upper = band(seconds, seed + 1, 500, 900) + band(seconds, seed + 2, 1000, 2000)
    return band(seconds, seed, 0, 400) + on * upper, on


@pytest.mark.parametrize(("ratio", "reach", "least", "most"), [(2, 950, 10, 60), (4, 475, -3, 3)])
def test_other_audio_is_extended_by_all_of_the_band_that_it_has(
    ratio: int, reach: int, least: float, most: float
) -> None:
    recording, _ = switched(12, seed=0)
    made = generator(task(join([AudioClip(recording.numpy(), RATE)])))
    audio, on = switched(4, seed=10)
    hertz = torch.fft.rfftfreq(audio.shape[1], 1 / RATE)
    given = torch.fft.irfft(torch.fft.rfft(audio) * (hertz < reach), audio.shape[1])
    extended = made.extend(torch.zeros(1, *given.shape), given[None], ratio)[0]
    highs = torch.fft.irfft(torch.fft.rfft(extended) * (hertz > 1100), audio.shape[1])[0].square()
    assert least < 10 * (highs[on == 1].mean() / highs[on == 0].mean()).log10() < most
