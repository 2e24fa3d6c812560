"""Takes of a recording with a pulse keep to it, on any way to them; others are what they would be without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner

from caw_toolkit import AudioClip
from caw_toolkit.cli import main
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.generators.dilated import DilatedGenerator
from caw_toolkit.processors import Generate
from caw_toolkit.pyramid.findings import Findings
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.pyramid.pulse import find_pulse
from caw_toolkit.pyramid.scale import Scale
from caw_toolkit.pyramid.upsampling import upsample_sinc
from caw_toolkit.seeds import derived_seed
from held_recording import exemplar_of
from strokes import onset_coherence, strokes

COARSER, RATE, PERIOD = 1000, 4000, 0.23


def model_of(recording: np.ndarray) -> PyramidModel:
    """Untrained noise below, the recording above: what rhythm there is comes from where segments are taken."""
    real = torch.from_numpy(recording)
    below = torch.from_numpy(resample(recording, RATE, COARSER))
    exemplar = exemplar_of(real, upsample_sinc(below, COARSER, RATE, real.shape[1]), hop=125)
    torch.manual_seed(0)
    scales = [Scale(COARSER, DilatedGenerator(hidden_channels=4, blocks=3).eval(), 1.0), Scale(RATE, exemplar, 1.0)]
    return PyramidModel(
        scales, channels=1, peak=1.0, upsampling="sinc", inverted_noise=0.3, reconstruction_noise=torch.randn(1, 12000)
    )


@pytest.fixture(scope="module")
def model() -> PyramidModel:
    recording = strokes(np.arange(0.1, 12, PERIOD), 12, RATE)
    made = model_of(recording)
    made.findings = Findings(pulse=find_pulse(recording, RATE))
    assert made.findings.pulse is not None
    return made


@pytest.fixture(scope="module")
def take(model: PyramidModel) -> np.ndarray:
    return model.generate(25, seed=1)


def test_takes_keep_the_beat_from_end_to_end(model: PyramidModel, take: np.ndarray) -> None:
    recording = model.recording()
    assert recording is not None
    assert onset_coherence(take, RATE, PERIOD) > 0.9 * onset_coherence(recording, RATE, PERIOD)


def test_they_do_not_where_they_need_not(model: PyramidModel) -> None:
    assert onset_coherence(model.generate(25, seed=1, keep_beat=False), RATE, PERIOD) < 0.5


def test_streams_are_the_same(model: PyramidModel, take: np.ndarray) -> None:
    stream = model.stream(block_seconds=0.7, seed=1)
    streamed = np.concatenate([next(stream) for _ in range(30)], axis=1)
    assert np.array_equal(streamed, take[:, : streamed.shape[1]])


def test_the_processor_keeps_it_unless_told_not_to(model: PyramidModel, take: np.ndarray) -> None:
    silence = np.zeros((1, 15 * RATE), np.float32)
    assert np.array_equal(Generate(model=model, mix=1.0, seed=1)(silence, RATE), take[:, : 15 * RATE])
    free = Generate(model=model, mix=1.0, seed=1, keep_beat=False)(silence, RATE)
    assert np.array_equal(free, model.generate(25, seed=1, keep_beat=False)[:, : 15 * RATE])


def test_takes_without_a_pulse_are_what_they_would_be_without_all_this(speech: AudioClip) -> None:
    without = model_of(resample(speech.samples, speech.sample_rate, RATE))
    assert without.findings.pulse is None
    assert np.array_equal(without.generate(5, seed=2), without.generate(5, seed=2, keep_beat=False))


def test_files_hold_the_pulse_and_earlier_ones_have_it_found(model: PyramidModel, take: np.ndarray) -> None:
    content = model.content()
    assert PyramidModel.from_content(content).findings.pulse == model.findings.pulse
    del content["pulse"]
    earlier = PyramidModel.from_content(content)
    assert earlier.findings.pulse == model.findings.pulse
    assert np.array_equal(earlier.generate(25, seed=1), take)


def test_the_command_says_it_and_can_do_without(model: PyramidModel, tmp_path: Path) -> None:
    path = tmp_path / "loop.pt"
    model.save(path)
    shown = CliRunner().invoke(main, ["info", str(path)])
    assert "beat        a pulse every 0.230 s" in shown.stdout
    for options, keep_beat in ([], True), (["--no-beat"], False):
        arguments = ["generate", "-m", str(path), "--duration", "3", "--seed", "4", "--bit-depth", "float", *options]
        made = CliRunner().invoke(main, [*arguments, "-o", str(tmp_path / "take.wav"), "-f", "--device", "cpu"])
        assert made.exit_code == 0, made.stderr
        seed = derived_seed(4, "take", 0)
        expected = model.generate(3, seed=seed, keep_beat=keep_beat)[0]
        assert np.allclose(soundfile.read(tmp_path / "take.wav")[0], expected, atol=1e-6)


def test_the_plan_says_it(tmp_path: Path) -> None:
    clip = tmp_path / "loop.wav"
    soundfile.write(clip, 0.5 * strokes(np.arange(0.1, 8, PERIOD), 8, RATE)[0], RATE)
    arguments = ["train", str(clip), "-o", str(tmp_path / "loop.pt"), "--dry-run", "--minutes", "1"]
    shown = CliRunner().invoke(main, arguments)
    assert "a pulse every 0.230 s, which takes keep to" in shown.stdout
