from __future__ import annotations

import numpy as np
import pytest
import torch
from caw_toolkit import AudioClip, CawUsageError, train
from caw_toolkit.plugins import get_host
from caw_toolkit.training.objectives.base import ScaleSpec

from caw_linear.generator import LinearGenerator
from caw_linear.objective import LinearObjective, synthesis_filter

RATE = 2000


def tones(seconds: float, channels: int = 1) -> AudioClip:
    """A tone of 220 Hz, then one of 330 Hz."""
    time = np.arange(round(seconds * RATE)) / RATE
    frequency = np.where(time < seconds / 2, 220, 330)
    samples = 0.3 * np.sin(2 * np.pi * np.cumsum(frequency) / RATE)
    return AudioClip(np.tile(samples, (channels, 1)).astype(np.float32), RATE)


def learnt(channels: int = 1, frames: int = 5) -> LinearGenerator:
    generator = LinearGenerator(audio_channels=channels, frames=frames, hop=50, taps=120)
    generator.responses.copy_(torch.randn(frames, channels, 120, generator=torch.Generator().manual_seed(1)))
    generator.learnt.fill_(frames)
    return generator


def test_the_plugin_adds_its_parts() -> None:
    (record,) = [record for record in get_host().plugins if record.name == "linear"]
    assert record.error is None and record.problems == ()
    for kind in ("generators", "objectives", "presets"):
        assert record.items[kind] == ("linear",)


def test_a_synthesis_filter_has_the_power_and_the_pitch_of_its_frame() -> None:
    frame = 0.5 * np.sin(2 * np.pi * 200 * np.arange(400) / RATE)
    response, unpredicted = synthesis_filter(frame, order=8, taps=1000)
    assert unpredicted < 0.05
    assert np.abs(np.fft.rfft(response)).argmax() * RATE / 1000 == pytest.approx(200, abs=5)
    noise, _ = synthesis_filter(np.random.default_rng(0).standard_normal(400), order=8, taps=1000)
    assert np.sum(noise**2) == pytest.approx(1, rel=0.2)
    assert not synthesis_filter(np.zeros(400), order=8, taps=100)[0].any()


@pytest.mark.parametrize("samples", [1, 49, 50, 51, 1000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_length_can_be_made(samples: int, channels: int) -> None:
    made = learnt(channels)(torch.randn(3, channels, samples), None)
    assert made.shape == (3, channels, samples) and made.isfinite().all()


def test_a_stretch_on_the_grid_is_the_same_within_a_longer_one() -> None:
    generator = learnt(frames=200)  # many, so that a little other noise makes another walk
    noise = torch.randn(1, 1, 6000, generator=torch.Generator().manual_seed(2))
    context = generator.receptive_field // 2  # as much as is rendered on each side
    whole, part = generator(noise, None), generator(noise[..., 1000:], None)
    torch.testing.assert_close(part[..., context:-context], whole[..., 1000 + context : -context], rtol=0, atol=1e-4)


def test_noise_walks_through_all_of_the_recording_without_jumping() -> None:
    generator = learnt()
    padded = torch.randn(1, 50 * 4000, generator=torch.Generator().manual_seed(3))
    walk = generator.walk(padded, 4000)
    assert set(walk.tolist()) == {0, 1, 2, 3, 4}
    assert (walk.diff().abs() <= 1).float().mean() > 0.95


def test_takes_hold_the_pitches_of_the_recording() -> None:
    model = train(tones(4), preset=get_host().preset_paths["linear"], material="music", rates=[1000], seed=1)
    take = model.generate(10, seed=2)[0]
    spectrum = np.abs(np.fft.rfft(take * np.hanning(len(take)))) ** 2
    frequency = np.fft.rfftfreq(len(take), 1 / RATE)
    near = sum(spectrum[np.abs(frequency - pitch) < 15].sum() for pitch in (220, 330))
    assert near > 0.8 * spectrum.sum()


def test_stereo_trains_too() -> None:
    model = train(tones(3, channels=2), preset=get_host().preset_paths["linear"], material="music", seed=1)
    assert model.generate(2).shape == (2, 2 * RATE)


def test_it_makes_no_other_scale() -> None:
    spec = ScaleSpec(index=1, count=2, rate=4000, coarser_rate=1000, channels=1)
    with pytest.raises(CawUsageError, match="the coarsest scale only"):
        LinearObjective.from_options({}).untrained_generator(spec)


@pytest.mark.parametrize(
    ("option", "value"), [("order", 0), ("frame_seconds", 0.0), ("frame_seconds", 0.6), ("ring_seconds", 3.0)]
)
def test_options_out_of_bounds_are_refused(option: str, value: float) -> None:
    with pytest.raises(CawUsageError, match=f"{option} must be"):
        LinearObjective.from_options({option: value})
