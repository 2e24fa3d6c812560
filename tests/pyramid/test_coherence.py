"""Coherence: what is asked for in seconds, and how much of the recording takes then follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner

from caw_toolkit import AudioClip, CawUsageError, PyramidModel
from caw_toolkit.cli import main
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.generators.dilated import DilatedGenerator
from caw_toolkit.generators.flow import FlowGenerator
from caw_toolkit.metrics import source_map
from caw_toolkit.processors import Generate
from caw_toolkit.pyramid.coherence import Coherence
from caw_toolkit.pyramid.scale import Scale
from caw_toolkit.pyramid.upsampling import upsample_sinc
from caw_toolkit.seeds import derived_seed
from held_recording import exemplar_of

COARSER, RATE = 1000, 4000


@pytest.fixture(scope="module")
def model(speech: AudioClip) -> PyramidModel:
    """An untrained flow, which leaves noise as it is, and speech above it."""
    recording = resample(speech.samples, speech.sample_rate, RATE)
    recording = recording / np.abs(recording).max()
    real, below = (torch.from_numpy(resample(recording, RATE, rate)) for rate in (RATE, COARSER))
    flow = FlowGenerator(
        audio_channels=1, conditional=False, frame_samples=4, widths=(8, 8), companding=0.6, solver_steps=2
    )
    flow.fit_levels(below, None)
    exemplar = exemplar_of(real, upsample_sinc(below, COARSER, RATE, real.shape[1]), hop=125)
    return PyramidModel(
        [Scale(COARSER, flow.eval(), 1.0), Scale(RATE, exemplar, 1.0)], channels=1, peak=1.0, upsampling="sinc"
    )


@pytest.fixture(scope="module")
def model_path(model: PyramidModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("coherence") / "speaker.pt"
    model.save(path)
    return path


def test_more_seconds_are_more_of_the_recording_and_longer_segments_and_less_chance() -> None:
    rising = [Coherence(seconds) for seconds in (1, 2, 3, 4, 6, 8, 16, 60)]
    assert [each.inverted_noise for each in rising] == sorted(each.inverted_noise for each in rising)
    assert rising[0].inverted_noise == rising[1].inverted_noise == 0 and 0.9 < rising[-1].inverted_noise < 1
    assert [each.segment_seconds for each in rising] == sorted(each.segment_seconds for each in rising)
    assert [each.selection_noise for each in rising] == sorted((each.selection_noise for each in rising), reverse=True)


@pytest.mark.parametrize("seconds", [0.9, 61, -1, float("nan"), float("inf")])
def test_it_has_bounds(model: PyramidModel, seconds: float) -> None:
    with pytest.raises(CawUsageError, match="coherence must be from 1 to 60 seconds"):
        model.generate(1, coherence=seconds)


def longest_run(model: PyramidModel, coherence: float) -> float:
    """Of a take, seconds, the mean of three."""
    recording = model.recording()
    assert recording is not None
    takes = [model.generate(8, seed=seed, coherence=coherence)[0].astype(float) for seed in range(3)]
    runs = [source_map(take, recording[0].astype(float), model.sample_rate) for take in takes]
    return float(np.mean([max((run.stop - run.start for run in take), default=0.0) for take in runs]))


def test_runs_of_the_recording_grow_with_it(model: PyramidModel) -> None:
    little, much = (longest_run(model, seconds) for seconds in (2, 32))
    assert much > 1.5 * little


def test_takes_of_a_seed_are_the_same_on_any_way(model: PyramidModel, model_path: Path) -> None:
    take = model.generate(4, seed=3, coherence=6)
    assert not np.array_equal(take, model.generate(4, seed=3))
    assert np.array_equal(take, PyramidModel.load(model_path, "cpu").generate(4, seed=3, coherence=6))
    stream = model.stream(block_seconds=0.5, seed=3, coherence=6)
    streamed = np.concatenate([next(stream) for _ in range(6)], axis=1)
    assert np.array_equal(streamed, take[:, : streamed.shape[1]])
    silence = np.zeros((1, 3 * model.sample_rate), np.float32)
    played = Generate(model=model, mix=1.0, seed=3, coherence=6)(silence, model.sample_rate)
    assert np.array_equal(played, take[:, : played.shape[1]])


def test_a_model_whose_training_settled_it_says_so() -> None:
    trained = Scale(500, DilatedGenerator(hidden_channels=4, blocks=3).eval(), noise_std=1.0)
    of_a_network = PyramidModel([trained], channels=1, peak=0.5, upsampling="keys")
    with pytest.raises(CawUsageError, match=r"its receptive field is 0\.\d s\): coherence is chosen for models of"):
        of_a_network.generate(1, coherence=4)


def test_the_command_takes_it(model: PyramidModel, model_path: Path, tmp_path: Path) -> None:
    arguments = ["generate", "-m", str(model_path), "--duration", "2", "--seed", "4", "--bit-depth", "float"]
    arguments += ["-o", str(tmp_path / "take.wav"), "--device", "cpu"]
    made = CliRunner().invoke(main, [*arguments, "--coherence", "8"])
    assert made.exit_code == 0, made.stderr
    expected = model.generate(2, seed=derived_seed(4, "take", 0), coherence=8)[0]
    assert np.allclose(soundfile.read(tmp_path / "take.wav")[0], expected, atol=1e-6)
    refused = CliRunner().invoke(main, [*arguments, "--coherence", "0.5", "-f"])
    assert refused.exit_code == 2 and "0.5 is not in the range 1<=x<=60" in refused.stderr
