"""The pyramid model: exact lengths, level, seeds, streams, injection, reconstruction, and files that give it back."""

from __future__ import annotations

import itertools
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.generators.exemplar import ExemplarGenerator
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.pyramid.renderer import BLOCK_SECONDS, CROSSFADE_SECONDS
from caw_toolkit.training.trainer import train

RATE = 4000


def decibels(signal: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(signal, dtype=np.float64)) + 1e-20))


def error_decibels(made: np.ndarray, expected: np.ndarray) -> float:
    """Level of the difference, relative to what was expected."""
    return decibels(made - expected) - decibels(expected)


@pytest.fixture(scope="module")
def stereo_model(speech: AudioClip, tiny_preset: Path) -> PyramidModel:
    left = speech.samples[0, : 3 * speech.sample_rate]
    clip = AudioClip(np.stack([left, np.roll(left, 900)]), speech.sample_rate)
    return train(clip, preset=tiny_preset, sample_rate=RATE, material="speech", device="cpu")


def test_what_it_is(tiny_model: PyramidModel) -> None:
    assert tiny_model.rates == (500, 2000, 4000) and tiny_model.sample_rate == RATE
    assert tiny_model.channels == 1
    assert {"generate", "inject", "reconstruct"} <= set(tiny_model.capabilities)
    assert 0.5 < tiny_model.receptive_field_seconds < 30


class TestGenerate:
    @pytest.mark.parametrize(
        "seconds",
        [0.001, 0.0101, 0.25, 1 / 3, 1, 2.7182, 11.75, 11.9, 12, 12.1, 12.25, 12.2501, 12.26, 12.5, 23.99, 24.3, 25.7],
    )
    @pytest.mark.parametrize("keep_edges", [False, True])
    def test_the_length_is_exact(self, tiny_model: PyramidModel, seconds: float, keep_edges: bool) -> None:
        audio = tiny_model.generate(seconds, seed=1, keep_edges=keep_edges)
        assert audio.shape == (1, round(seconds * RATE)) and audio.dtype == np.float32
        assert np.isfinite(audio).all()

    @pytest.mark.parametrize("rate", [500, 2000, 4000])
    def test_it_can_stop_at_a_scale(self, tiny_model: PyramidModel, rate: int) -> None:
        assert tiny_model.generate(13.3, up_to_rate=rate).shape == (1, round(13.3 * rate))

    def test_finer_scales_keep_what_the_coarser_ones_made(self, tiny_model: PyramidModel) -> None:
        coarse = tiny_model.generate(6, seed=2, up_to_rate=500)
        fine = resample(tiny_model.generate(6, seed=2), RATE, 500)
        assert np.corrcoef(coarse[0, 50:-50], fine[0, 50:-50])[0, 1] > 0.75

    def test_the_level_is_that_of_the_recording(self, tiny_model: PyramidModel, speech: AudioClip) -> None:
        """Within 6 dB even for a barely trained model; the recording's peak is applied."""
        recorded = resample(speech.samples, speech.sample_rate, RATE)
        assert tiny_model.peak == pytest.approx(np.abs(recorded).max(), rel=0.01)
        assert decibels(tiny_model.generate(20, seed=1)) == pytest.approx(decibels(recorded), abs=6)

    def test_the_same_seed_gives_the_same_and_another_another(self, tiny_model: PyramidModel) -> None:
        first, again, other = (tiny_model.generate(3, seed=seed) for seed in (4, 4, 5))
        np.testing.assert_array_equal(first, again)
        assert abs(np.corrcoef(first[0], other[0])[0, 1]) < 0.3

    def test_a_shorter_take_begins_a_longer_one(self, tiny_model: PyramidModel) -> None:
        short, long = tiny_model.generate(5, seed=1), tiny_model.generate(9, seed=1)
        assert error_decibels(long[:, : 5 * RATE], short) < -60

    def test_nothing_is_heard_of_the_joins_of_blocks(self, tiny_model: PyramidModel) -> None:
        """The level around a join, where two renderings of the same noise are crossfaded, is as elsewhere."""
        joins, elsewhere = [], []
        width = round(CROSSFADE_SECONDS * RATE / 2)
        for seed in range(6):
            audio = tiny_model.generate(2 * BLOCK_SECONDS + 6, seed=seed, up_to_rate=RATE)[0]
            for block in (1, 2):
                centre = block * BLOCK_SECONDS * RATE
                joins.append(audio[centre - width : centre + width])
                elsewhere += [audio[centre + away - width : centre + away + width] for away in (-9000, 9000)]
        assert decibels(np.stack(joins)) == pytest.approx(decibels(np.stack(elsewhere)), abs=2.5)

    @pytest.mark.parametrize("seconds", [0.0, -1.0, math.nan, math.inf])
    def test_durations_without_sense(self, tiny_model: PyramidModel, seconds: float) -> None:
        with pytest.raises(CawUsageError, match="the duration must be positive"):
            tiny_model.generate(seconds)

    def test_a_rate_that_is_no_scale(self, tiny_model: PyramidModel) -> None:
        with pytest.raises(CawUsageError, match="no scale of 1000 Hz: its scales are 500, 2000, 4000"):
            tiny_model.generate(1, up_to_rate=1000)

    def test_stereo(self, stereo_model: PyramidModel) -> None:
        audio = stereo_model.generate(13.1, seed=1)
        assert audio.shape == (2, 52400)
        assert not np.allclose(audio[0], audio[1])


class TestStream:
    @pytest.mark.parametrize("block_seconds", [0.1, 1.0, 5.3, 30.0])
    def test_blocks_have_the_length_asked_for(self, tiny_model: PyramidModel, block_seconds: float) -> None:
        for block in itertools.islice(tiny_model.stream(block_seconds, seed=2), 3):
            assert block.shape == (1, round(block_seconds * RATE)) and block.dtype == np.float32

    @pytest.mark.parametrize("block_seconds", [0.5, 1.0, 7.0])
    def test_the_stream_is_what_generate_gives(self, tiny_model: PyramidModel, block_seconds: float) -> None:
        """Over two joins, to rounding errors."""
        seconds = 2 * BLOCK_SECONDS + 2
        count = math.ceil(seconds / block_seconds)
        stream = np.concatenate(list(itertools.islice(tiny_model.stream(block_seconds, seed=2), count)), axis=1)
        generated = tiny_model.generate(seconds, seed=2)
        assert error_decibels(stream[:, : generated.shape[1]], generated) < -60

    def test_a_take_that_ends_where_the_stream_crossfades_is_nearly_the_same(self, tiny_model: PyramidModel) -> None:
        seconds = BLOCK_SECONDS + 0.8 * CROSSFADE_SECONDS
        stream = np.concatenate(list(itertools.islice(tiny_model.stream(1, seed=2), BLOCK_SECONDS + 1)), axis=1)
        generated = tiny_model.generate(seconds, seed=2)
        last_second = slice(generated.shape[1] - RATE, generated.shape[1])
        assert error_decibels(stream[:, last_second], generated[:, last_second]) < -30

    def test_streams_of_different_blocks_are_the_same(self, tiny_model: PyramidModel) -> None:
        short = np.concatenate(list(itertools.islice(tiny_model.stream(0.25, seed=3), 60)), axis=1)
        long = np.concatenate(list(itertools.islice(tiny_model.stream(5, seed=3), 3)), axis=1)
        np.testing.assert_array_equal(short, long)

    def test_two_streams_do_not_disturb_each_other(self, tiny_model: PyramidModel) -> None:
        alone = list(itertools.islice(tiny_model.stream(1, seed=1), 2))
        one, other = tiny_model.stream(1, seed=1), tiny_model.stream(1, seed=8)
        interleaved = [block for _ in range(2) for block in (next(one), next(other))]
        np.testing.assert_array_equal(alone[1], interleaved[2])


class TestInject:
    @pytest.mark.parametrize("samples", [4000, 12345, 53001])
    def test_the_length_stays(self, tiny_model: PyramidModel, speech: AudioClip, samples: int) -> None:
        audio = np.resize(resample(speech.samples, speech.sample_rate, RATE), (1, samples))
        assert tiny_model.inject(audio, RATE).shape == (1, samples)

    @pytest.mark.parametrize("sample_rate", [2000, 8000, 11025])
    def test_other_rates_come_out_at_the_models(
        self, tiny_model: PyramidModel, speech: AudioClip, sample_rate: int
    ) -> None:
        audio = resample(speech.samples[:, :48000], speech.sample_rate, sample_rate)
        assert tiny_model.inject(audio, sample_rate).shape == (1, round(audio.shape[1] / sample_rate * RATE))

    @pytest.mark.parametrize(("at_rate", "decibel"), [(None, -5), (2000, -5), (4000, -30)])
    def test_the_low_band_stays(
        self, tiny_model: PyramidModel, speech: AudioClip, at_rate: int | None, decibel: float
    ) -> None:
        """As far as a barely trained model can: up to 200 Hz this recording holds little beside what is added."""
        audio = resample(speech.samples, speech.sample_rate, RATE)
        below = tiny_model.rates[tiny_model.rates.index(at_rate or 2000) - 1]
        made = tiny_model.inject(audio, RATE, at_rate=at_rate, seed=1)
        kept, given = (resample(signal, RATE, below * 4 // 5) for signal in (made, audio))
        assert error_decibels(kept[:, 20:-20], given[:, 20:-20]) < decibel

    def test_noise_of_another_seed_makes_another_high_band(self, tiny_model: PyramidModel, speech: AudioClip) -> None:
        audio = resample(speech.samples[:, :48000], speech.sample_rate, RATE)
        first, again, other = (tiny_model.inject(audio, RATE, seed=seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        assert not np.allclose(first, other)

    def test_what_cannot_be_injected(self, tiny_model: PyramidModel, stereo_model: PyramidModel) -> None:
        audio = np.zeros((1, 4000), np.float32)
        with pytest.raises(CawUsageError, match=r"coarsest scale .* takes no input"):
            tiny_model.inject(audio, RATE, at_rate=500)
        with pytest.raises(CawUsageError, match="no scale of 1000 Hz"):
            tiny_model.inject(audio, RATE, at_rate=1000)
        with pytest.raises(CawError, match="the model has 2 channel"):
            stereo_model.inject(audio, RATE)
        with pytest.raises(CawError, match="shape"):
            tiny_model.inject(audio[0], RATE)

    def test_a_single_scale_takes_nothing(self, tiny_model: PyramidModel) -> None:
        single = PyramidModel(tiny_model.scales[:1], channels=1, peak=1.0, upsampling="sinc")
        assert "inject" not in single.capabilities and "reconstruct" not in single.capabilities
        audio = np.zeros((1, 4000), np.float32)
        for edit in (single.inject, single.revise, partial(single.fill, gaps=[(1000, 2000)])):
            with pytest.raises(CawUsageError, match="single scale"):
                edit(audio, 500)
        with pytest.raises(CawError, match="without a reconstruction path"):
            single.reconstruct()


class TestEmptyAudio:
    @pytest.mark.parametrize("samples", [0, 1])
    def test_it_is_refused(self, tiny_model: PyramidModel, samples: int) -> None:
        for edit in (tiny_model.revise, partial(tiny_model.fill, gaps=[(1000, 2000)])):
            with pytest.raises(CawError, match="too short"):
                edit(np.zeros((1, samples), np.float32), RATE)


class TestReconstruct:
    def test_it_is_as_long_as_the_recording_and_alike(self, tiny_model: PyramidModel, speech: AudioClip) -> None:
        real = resample(speech.samples, speech.sample_rate, RATE)
        again = tiny_model.reconstruct()
        assert 0 <= real.shape[1] - again.shape[1] < 0.05 * RATE
        assert np.corrcoef(real[0, : again.shape[1]], again[0])[0, 1] > 0.4

    def test_it_can_stop_at_a_scale(self, tiny_model: PyramidModel) -> None:
        assert tiny_model.reconstruct(up_to_rate=500).shape[1] * 8 == tiny_model.reconstruct().shape[1]


class TestFiles:
    def test_a_loaded_model_is_the_same(self, tiny_model: PyramidModel, tiny_model_path: Path) -> None:
        loaded = PyramidModel.load(tiny_model_path, "cpu")
        assert loaded.rates == tiny_model.rates and loaded.capabilities == tiny_model.capabilities
        assert loaded.training == tiny_model.training
        np.testing.assert_array_equal(loaded.generate(13, seed=1), tiny_model.generate(13, seed=1))
        np.testing.assert_array_equal(loaded.reconstruct(), tiny_model.reconstruct())

    def test_a_loaded_model_can_be_saved_again(self, tiny_model_path: Path, tmp_path: Path) -> None:
        first = PyramidModel.load(tiny_model_path, "cpu")
        first.save(tmp_path / "again.pt")
        second = PyramidModel.load(tmp_path / "again.pt", "cpu")
        np.testing.assert_array_equal(first.generate(1, seed=1), second.generate(1, seed=1))
        assert (tmp_path / "again.pt").stat().st_size == pytest.approx(tiny_model_path.stat().st_size, rel=0.01)

    def test_an_untrained_device_is_refused(self, tiny_model_path: Path) -> None:
        with pytest.raises(CawUsageError, match="unknown device 'tpu'"):
            PyramidModel.load(tiny_model_path, "tpu")

    @pytest.mark.parametrize("part", ["scales", "channels", "peak", "upsampling", "training"])
    def test_a_content_without_a_part(self, tiny_model: PyramidModel, part: str) -> None:
        content = {key: value for key, value in tiny_model.content().items() if key != part}
        with pytest.raises(CawError, match=f"some.pt: the model file is incomplete or inconsistent .*{part}"):
            PyramidModel.from_content(content, source="some.pt")

    def test_weights_of_another_shape(self, tiny_model: PyramidModel) -> None:
        content = tiny_model.content()
        content["scales"][0]["weights"] = content["scales"][1]["weights"]
        with pytest.raises(CawError, match="incomplete or inconsistent"):
            PyramidModel.from_content(content)

    def test_a_generator_of_the_future(self, tiny_model: PyramidModel) -> None:
        content = tiny_model.content()
        content["scales"][0]["architecture"]["type"] = "telepathic"
        with pytest.raises(CawError, match="'telepathic', which this caw_toolkit does not know: upgrade it"):
            PyramidModel.from_content(content)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_gives_what_the_cpu_gives(tiny_model_path: Path) -> None:
    on_cpu, on_gpu = (PyramidModel.load(tiny_model_path, device).generate(5, seed=1) for device in ("cpu", "cuda"))
    assert np.corrcoef(on_cpu[0], on_gpu[0])[0, 1] > 0.9


def test_less_of_the_noise_selects_where_audio_is_given(
    speech: AudioClip, tiny_preset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the noise that selects between segments, no more than `noise_gain_for_given_audio` is heard."""
    flow = {"name": "flow_matching", "steps": 1, "widths": [8, 8], "batch": 1, "crop_frames": 64, "solver_steps": 1}
    stages = {"stages": [flow, {"name": "exemplar"}]}
    model = train(speech, preset=tiny_preset, objective_options=stages, device="cpu")
    exemplars = model.scales[1].generator
    assert isinstance(exemplars, ExemplarGenerator)
    heard: list[float] = []
    follow = exemplars._follow

    def listening(*arguments: Any) -> Any:
        heard.append(arguments[1].std().item())
        return follow(*arguments)

    monkeypatch.setattr(exemplars, "_follow", listening)
    rate = speech.sample_rate
    model.fill(speech.samples, rate, [(3 * rate, 4 * rate)])
    model.inject(speech.samples, rate)
    model.generate(2)
    expected = [exemplars.noise_gain_for_given_audio, exemplars.noise_gain_for_given_audio, 1]
    assert [heard[0], heard[1], heard[-1]] == pytest.approx(expected, rel=0.05)


def test_a_gap_cannot_be_filled_beyond_noise(tiny_model: PyramidModel, speech: AudioClip) -> None:
    with pytest.raises(CawUsageError, match="strength must be from 0 to 1"):
        tiny_model.fill(speech.samples, speech.sample_rate, [(48_000, 64_000)], strength=1.5)
