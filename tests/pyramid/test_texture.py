"""Textures are found in recordings, and takes of them repeat nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner

from caw_toolkit import AudioClip, PyramidModel
from caw_toolkit.arrays import Array
from caw_toolkit.cli import main
from caw_toolkit.generators.dilated import DilatedGenerator
from caw_toolkit.generators.exemplar import ExemplarGenerator
from caw_toolkit.generators.grains import GRAIN_HOPS, SHUFFLED, Scattering, join_gains, nearest_usable
from caw_toolkit.metrics import copied_share
from caw_toolkit.pyramid.findings import Findings
from caw_toolkit.pyramid.scale import Scale
from caw_toolkit.pyramid.texture import is_texture
from caw_toolkit.training.plan import make_plan
from held_recording import exemplar_of
from strokes import strokes

COARSER, RATE = 2000, 8000


def claps(seconds: float, rate: int, *, a_second: float = 60) -> Array:
    """Short bursts of noise at random moments, `(1, samples)`, peak 1."""
    random = np.random.default_rng(0)
    made = np.zeros(round(seconds * rate))
    decay = np.exp(-np.arange(round(0.02 * rate)) / (0.005 * rate))
    for start in random.integers(0, len(made) - len(decay), round(a_second * seconds)):
        made[start : start + len(decay)] += random.uniform(0.3, 1) * decay * random.standard_normal(len(decay))
    return np.asarray(made / np.abs(made).max(), np.float32)[None]


def chords(seconds: float, rate: int) -> Array:
    """Three partials that change every half second, with noise 20 dB below."""
    random = np.random.default_rng(0)
    time = np.arange(rate // 2) / rate
    parts = [
        sum(np.sin(2 * np.pi * hertz * time) for hertz in random.uniform(200, 2000, 3)) for _ in range(int(2 * seconds))
    ]
    made = np.concatenate(parts)
    return (made + 0.1 * random.standard_normal(len(made)))[None].astype(np.float32)


@pytest.mark.parametrize("level", [1.0, 1e-3])
def test_claps_are_a_texture(level: float) -> None:
    assert is_texture(level * claps(8, 16000), 16000)
    assert is_texture(level * np.tile(claps(8, 44100), (2, 1)), 44100)


def test_what_is_none(speech: AudioClip) -> None:
    others = [
        speech.samples,
        chords(8, speech.sample_rate),
        strokes(np.arange(0.1, 8, 0.3), 8, speech.sample_rate),
        claps(8, speech.sample_rate, a_second=2),
        claps(1, speech.sample_rate),
        np.zeros((1, 80000), np.float32),
    ]
    assert not any(is_texture(samples, speech.sample_rate) for samples in others)


def test_only_what_is_no_speech_is_one() -> None:
    clip = AudioClip(0.5 * claps(6, 16000), 16000)
    plans = [make_plan(clip, material=material) for material in ("speech", "music", "ambience")]
    assert [plan.findings.is_texture for plan in plans] == [False, True, True]


def test_none_is_where_grains_are_not_what_takes_are_made_of() -> None:
    clip = AudioClip(0.5 * claps(6, 16000), 16000)
    assert not make_plan(clip, preset="paper").findings.is_texture
    assert not make_plan(clip, rates=[16000]).findings.is_texture


def exemplar(*clips: Array) -> ExemplarGenerator:
    real = torch.from_numpy(np.concatenate(clips, axis=1))
    ends = np.cumsum([0, *(clip.shape[1] for clip in clips)]).tolist()
    return exemplar_of(real, real, hop=250, segments=tuple(zip(ends[:-1], ends[1:], strict=True)))


def scattered(made: ExemplarGenerator, seconds: float, *, seed: int = 0) -> torch.Tensor:
    scattering = Scattering(seed, made.real.shape[1] / RATE)
    return made.scatter(scattering, RATE, 0, round(seconds * RATE))[0]


def test_grains_leave_the_recording_and_keep_its_level() -> None:
    made = exemplar(claps(8, RATE))
    grains = scattered(made, 8)
    likeness = (grains * made.real).sum() / (grains.norm() * made.real.norm())
    assert abs(float(likeness)) < 0.2
    assert float(grains.std() / made.real.std()) == pytest.approx(1, abs=0.1)
    assert torch.equal(grains, scattered(made, 8))
    assert not torch.equal(grains, scattered(made, 8, seed=1))


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (-2100, -1), (123, 9777)])
def test_a_stretch_is_the_same_alone_and_within_a_longer_one(start: int, stop: int) -> None:
    made, scattering = exemplar(claps(4, RATE)), Scattering(1, 4.0)
    whole = made.scatter(scattering, RATE, -3000, 12000)
    assert torch.equal(made.scatter(scattering, RATE, start, stop), whole[..., start + 3000 : stop + 3000])


def test_channels_stay_together() -> None:
    mono = claps(4, RATE)
    grains = scattered(exemplar(np.concatenate([mono, 0.5 * mono])), 4)
    assert np.allclose(grains[1], 0.5 * grains[0], atol=1e-6)


def test_every_grain_comes_once_and_none_where_it_would_go_on() -> None:
    hop, rate, seconds = 25, 1000, SHUFFLED * GRAIN_HOPS / 40 * 8
    frames = round(seconds * rate / hop)
    offsets = Scattering(3, seconds).offsets(rate, hop, 0, 2 * frames)
    for each in np.split(offsets, 2):  # a round each
        assert len(np.unique(each // hop)) > 0.75 * frames  # but for what ends a hop early or late
    jumps = np.flatnonzero(np.diff(offsets) % (frames * hop) != hop)
    lengths = np.diff(jumps)
    assert lengths.mean() == pytest.approx(GRAIN_HOPS, abs=0.1)
    assert lengths.max() <= 2 * GRAIN_HOPS + 1
    # What changes slowly goes on changing: moments of a second are from within two stretches of shuffled grains.
    near = np.abs(np.diff(offsets)) < SHUFFLED * GRAIN_HOPS * hop
    assert near.mean() > 0.95


def test_nothing_comes_from_where_clips_meet() -> None:
    made = exemplar(claps(3, RATE), -claps(3, RATE))
    offsets = nearest_usable(np.arange(6 * RATE), made.usable.numpy())
    assert made.usable.numpy()[offsets].all()
    assert np.abs(offsets - np.arange(6 * RATE)).max() <= made.hop + 1


def test_joins_keep_the_power() -> None:
    before, after = torch.randn(2, 1, 4000, generator=torch.Generator().manual_seed(0))
    rise = torch.linspace(0, 1, 4000)
    joined = (before * (1 - rise) + after * rise) * join_gains(before, after, rise)
    assert [part.std().item() for part in joined.chunk(4, dim=-1)] == pytest.approx([1] * 4, abs=0.06)
    same = (before * (1 - rise) + before * rise) * join_gains(before, before, rise)
    assert np.allclose(same, before, atol=1e-5)


@pytest.fixture(scope="module")
def model() -> PyramidModel:
    torch.manual_seed(0)
    below = Scale(COARSER, DilatedGenerator(hidden_channels=4, blocks=3).eval(), 1.0)
    return PyramidModel(
        [below, Scale(RATE, exemplar(claps(10, RATE)), 1.0)],
        channels=1,
        peak=1.0,
        upsampling="sinc",
        inverted_noise=0.3,
        reconstruction_noise=torch.randn(1, 10 * COARSER),
        findings=Findings(is_texture=True),
    )


def test_takes_repeat_nothing(model: PyramidModel) -> None:
    take, recording = model.generate(15, seed=1), model.recording()
    assert recording is not None
    assert copied_share(recording[0], take[0], RATE, shortest_seconds=0.25) < 0.05


def test_streams_are_the_same_and_blocks_take_the_same_grains(model: PyramidModel) -> None:
    take = model.generate(25, seed=1)[:, : 22 * RATE]
    stream = model.stream(block_seconds=1, seed=1)
    assert np.array_equal(np.concatenate([next(stream) for _ in range(22)], axis=1), take)
    renderer = model._take(1, keep_beat=True)
    before, after = (renderer.render(*ends, context_before=True, context_after=True) for ends in ((0, 21), (19, 25)))
    assert torch.equal(before[:, 19 * RATE :], after[:, : 2 * RATE])


def test_scales_without_material_are_made_as_ever(model: PyramidModel) -> None:
    other = dataclasses.replace(model, findings=Findings())
    assert np.array_equal(model.generate(3, up_to_rate=COARSER), other.generate(3, up_to_rate=COARSER))


def test_files_hold_it_and_earlier_ones_have_it_found(model: PyramidModel) -> None:
    content = model.content()
    assert PyramidModel.from_content(content).findings.is_texture
    del content["is_texture"]
    content["gain"] = 1.5  # measured on takes that were made otherwise
    earlier = PyramidModel.from_content(content)
    assert earlier.findings.is_texture
    assert np.array_equal(earlier.generate(1, seed=1), model.generate(1, seed=1))
    content["training"] = {"material": "speech"}
    assert not PyramidModel.from_content(content).findings.is_texture


def test_other_models_are_as_they_were(model: PyramidModel) -> None:
    other = dataclasses.replace(model, findings=Findings())
    assert not np.array_equal(other.generate(3, seed=1), model.generate(3, seed=1))
    assert not PyramidModel.from_content(other.content()).findings.is_texture


def test_a_model_without_material_of_the_recording_has_no_grains(tiny_model: PyramidModel) -> None:
    texture = dataclasses.replace(tiny_model, findings=Findings(is_texture=True))
    assert np.array_equal(texture.generate(3, seed=1), tiny_model.generate(3, seed=1))


def test_commands_say_it(model: PyramidModel, tmp_path: Path) -> None:
    path, clip = tmp_path / "claps.pt", tmp_path / "claps.wav"
    model.save(path)
    assert "texture     takes are made of grains" in CliRunner().invoke(main, ["info", str(path)]).stdout
    soundfile.write(clip, 0.5 * claps(6, RATE)[0], RATE)
    shown = CliRunner().invoke(main, ["train", str(clip), "-o", str(path), "-f", "--dry-run", "--minutes", "1"])
    assert "a texture: takes are made of grains of it" in shown.stdout
    options = ["generate", "-m", str(path), "--duration", "0.5", "-f", "-o", str(clip)]
    assert "a texture: takes are made of grains" in CliRunner().invoke(main, options).stderr
    assert "texture" not in CliRunner().invoke(main, [*options, "-q"]).stderr


def test_nothing_is_said_of_grains_where_there_are_none(tiny_model: PyramidModel, tmp_path: Path) -> None:
    dataclasses.replace(tiny_model, findings=Findings(is_texture=True)).save(tmp_path / "a.pt")
    options = ["generate", "-m", str(tmp_path / "a.pt"), "--duration", "0.5", "-o", str(tmp_path / "a.wav")]
    assert "texture" not in CliRunner().invoke(main, options).stderr
