"""What a scale is trained on is what it will be given: the coarser scales' output, silence around it included."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from caw_toolkit import AudioClip, PyramidModel, Trainer, make_plan
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.pyramid.upsampling import UPSAMPLERS
from caw_toolkit.training.coarse_signals import coarse_signals
from caw_toolkit.training.plan import Plan
from caw_toolkit.training.run_settings import RunSettings

RATE = 2000
PRESET = """\
[scales]
candidate_rates = [500, 1000]
lowest_speech_rate = 500

[objective]
name = "adversarial"
hidden_channels = 8
coarsest_hidden_channels = 8
blocks = 4
epochs = 2
"""


@pytest.fixture(scope="module")
def plan(speech: AudioClip, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Of a clip that ends in the middle of a second."""
    path = tmp_path_factory.mktemp("preset") / "small.toml"
    path.write_text(PRESET, encoding="utf-8")
    samples = resample(speech.samples, speech.sample_rate, RATE)[:, : round(3.3 * RATE)]
    return make_plan(AudioClip(samples, RATE), preset=path, material="speech", seed=1)


@pytest.fixture(scope="module")
def model(plan: Plan) -> PyramidModel:
    return Trainer(plan, RunSettings(device="cpu")).run()


def test_the_reconstruction_is_the_one_of_generation_to_its_end(plan: Plan, model: PyramidModel) -> None:
    samples = plan.recording.at(RATE).shape[1]
    below = PyramidModel(model.scales[:-1], 1, 1.0, model.upsampling, reconstruction_noise=model.reconstruction_noise)
    drawn = coarse_signals(below, RATE, plan.recording.seconds)(0, samples, None)
    whole = torch.from_numpy(below.reconstruct())
    expected = UPSAMPLERS["keys"](whole, 1000, RATE, samples)
    torch.testing.assert_close(drawn[0], expected, rtol=0, atol=1e-6)


def test_a_fake_signal_ends_with_the_recording(plan: Plan, model: PyramidModel) -> None:
    samples = plan.recording.at(RATE).shape[1]
    below = PyramidModel(model.scales[:-1], 1, 1.0, model.upsampling)
    drawn = coarse_signals(below, RATE, plan.recording.seconds)(0, samples, 7)
    generated = below.generate(plan.recording.seconds, seed=7, keep_edges=True)
    expected = UPSAMPLERS["keys"](torch.from_numpy(generated), 1000, RATE, samples)
    torch.testing.assert_close(drawn[0], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("start", "stop"), [(0, 300), (1700, 2500), (6100, 6600)])
def test_a_crop_is_a_part_of_the_whole(plan: Plan, model: PyramidModel, start: int, stop: int) -> None:
    below = PyramidModel(model.scales[:-1], 1, 1.0, model.upsampling)
    draw = coarse_signals(below, RATE, plan.recording.seconds)
    whole, crop = draw(0, plan.recording.at(RATE).shape[1], 3), draw(start, stop, 3)
    assert crop.shape == (1, 1, stop - start)
    error = (crop - whole[..., start:stop]).norm() / whole.norm() * np.sqrt(whole.shape[-1] / (stop - start))
    assert error < 1e-4
