"""Bandwidth extension: what the input has is kept, what it lacks is added, whatever its rate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from click.testing import CliRunner
from scipy.signal import butter, decimate, firwin, freqz, sosfiltfilt

from caw_bandwidth_extension.processor import BandwidthExtension
from caw_bandwidth_extension.roll_off import MOST_UNDONE_DB, AverageSpectrum, RollOff, measure, of_filter
from caw_bandwidth_extension.task import bandwidth, extend
from caw_toolkit import AudioClip, CawError, PyramidModel
from caw_toolkit.cli import main
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.pyramid.scale import Scale
from caw_toolkit.training.objectives import build_objective
from scale_tasks import SMALL_OPTIONS, make_task


def noise(seconds: float, rate: int, cutoff: float | None = None) -> np.ndarray:
    samples = np.random.default_rng(0).standard_normal((1, round(seconds * rate))) * 0.1
    if cutoff:
        samples = sosfiltfilt(butter(20, cutoff, fs=rate, output="sos"), samples)
    return samples.astype(np.float32)


def decibels(spectrum: np.ndarray) -> np.ndarray:
    decibels: np.ndarray = 20 * np.log10(np.abs(spectrum) + 1e-9)
    return decibels


def run(*arguments: object) -> tuple[int, str]:
    """Exit code and standard error of `caw bwe`."""
    result = CliRunner().invoke(main, ["bwe", "--seed", "1", *map(str, arguments)])
    return result.exit_code, result.stderr


@pytest.fixture(scope="module")
def remembering_model(tiny_model: PyramidModel, speech: AudioClip) -> PyramidModel:
    """The tiny model with a finest scale that remembers the recording."""
    real, coarse = (resample(speech.samples / tiny_model.peak, speech.sample_rate, rate) for rate in (4000, 2000))
    task = make_task(1, torch.from_numpy(real), torch.from_numpy(resample(coarse, 2000, 4000)), rate=4000)
    trainer = build_objective("exemplar_or_gaussian", SMALL_OPTIONS["exemplar_or_gaussian"]).scale_trainer(task)
    finest = Scale(4000, trainer.finish().generator.eval(), trainer.finish().noise_std)
    return replace(tiny_model, scales=[*tiny_model.scales[:-1], finest])


def test_bandwidth_is_that_of_the_content_not_of_the_file() -> None:
    assert bandwidth(noise(2, 8000), 8000) == pytest.approx(4000, abs=10)
    upsampled = bandwidth(noise(2, 44100, cutoff=4000), 44100)
    assert 3900 < upsampled < 5500
    assert bandwidth(np.zeros((1, 8000), np.float32), 8000) == 0


def test_own_band_is_kept_and_length_follows_the_rate(tiny_model: PyramidModel) -> None:
    recording = noise(1.5, 8000, cutoff=1000)
    extended = extend(tiny_model, recording, 8000, seed=1)
    assert extended.shape == (1, round(1.5 * tiny_model.sample_rate))
    own = resample(recording, 8000, tiny_model.sample_rate)
    low = slice(0, round(600 * 1.5))  # below the crossfade
    np.testing.assert_allclose(np.fft.rfft(extended[0])[low], np.fft.rfft(own[0])[low], atol=1e-2)


def test_silence_stays_silent(tiny_model: PyramidModel) -> None:
    assert not extend(tiny_model, np.zeros((1, 8000), np.float32), 8000, seed=1).any()


def test_too_little_content_is_refused(tiny_model: PyramidModel) -> None:
    with pytest.raises(CawError, match="too little to go by"):
        extend(tiny_model, noise(1, 8000, cutoff=80), 8000, seed=1)


def test_a_full_band_recording_is_refused(tiny_model: PyramidModel) -> None:
    with pytest.raises(CawError, match="nothing is missing"):
        extend(tiny_model, noise(1, tiny_model.sample_rate), tiny_model.sample_rate, seed=1)


def test_the_command_writes_beside_its_input(tiny_model: PyramidModel, tmp_path: Path) -> None:
    tiny_model.save(tmp_path / "speaker.pt")
    sf.write(tmp_path / "lowres.wav", noise(1, 4000, cutoff=1000)[0], 4000)
    arguments = ["bwe", "--model", str(tmp_path / "speaker.pt"), str(tmp_path / "lowres.wav"), "--seed", "1"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    assert sf.info(tmp_path / "lowres.bwe.wav").samplerate == tiny_model.sample_rate
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 2
    assert "--force" in again.stderr


def test_several_files_at_once(tiny_model_path: Path, tmp_path: Path) -> None:
    paths = [tmp_path / "one.wav", tmp_path / "two.flac"]
    for path, rate in zip(paths, (4000, 8000), strict=True):
        sf.write(path, noise(1, rate, cutoff=1000)[0], rate)
    assert run("--model", tiny_model_path, *paths)[0] == 0
    assert {sf.info(tmp_path / name).frames for name in ("one.bwe.wav", "two.bwe.flac")} == {4000}
    code, message = run("--model", tiny_model_path, *paths, "-o", tmp_path / "three.wav")
    assert (code, "takes a single result" in message) == (2, True)


def test_an_input_of_a_higher_rate_than_the_models_counts_by_its_content(tiny_model: PyramidModel) -> None:
    extended = extend(tiny_model, noise(1, 48000, cutoff=900), 48000, seed=1)
    assert extended.shape == (1, tiny_model.sample_rate)
    assert bandwidth(extended, tiny_model.sample_rate) > 1500


def test_an_mp3_counts_by_its_content(tiny_model_path: Path, speech: AudioClip, tmp_path: Path) -> None:
    def stored(rate: int) -> float:
        narrow = resample(resample(speech.samples, speech.sample_rate, rate), rate, 44100)
        sf.write(tmp_path / "narrow.mp3", narrow[0], 44100)
        samples, _ = sf.read(tmp_path / "narrow.mp3", always_2d=True)
        return bandwidth(samples.T.astype(np.float32), 44100)

    assert stored(16000) == pytest.approx(8000, rel=0.03)
    assert 1000 < stored(2000) < 1500
    code, message = run("--model", tiny_model_path, tmp_path / "narrow.mp3")
    assert code == 0, message
    extended, _ = sf.read(tmp_path / "narrow.bwe.wav", always_2d=True)
    assert bandwidth(extended.T.astype(np.float32), 4000) > 1700


def test_a_model_without_a_scale_low_enough_says_how_to_train_one(tiny_model_path: Path, tmp_path: Path) -> None:
    sf.write(tmp_path / "low.wav", noise(1, 8000, cutoff=80)[0], 8000)
    code, message = run("--model", tiny_model_path, tmp_path / "low.wav")
    assert (code, message.count("\n")) == (1, 1)
    assert "trained with scales of 500, 2000, 4000 Hz" in message
    assert "caw train --preset" in message


def test_a_filter_is_undone_where_it_is_mild(tmp_path: Path) -> None:
    taps = firwin(65, 1400, fs=8000)
    sf.write(tmp_path / "filter.wav", 0.2 * np.concatenate([np.zeros(30), taps]), 8000, subtype="FLOAT")
    roll_off = of_filter(tmp_path / "filter.wav")
    frequencies, response = freqz(taps, worN=512, fs=8000)
    impulse = np.zeros((1, 1024), np.float32)
    impulse[0, 512] = 1
    undone = decibels(np.fft.rfft(roll_off.undo(impulse, 8000)[0]))
    gain = np.interp(frequencies, np.fft.rfftfreq(1024, 1 / 8000), undone)
    mild = (decibels(response) > -MOST_UNDONE_DB) & (frequencies < 1800)
    np.testing.assert_allclose(gain[mild], -decibels(response)[mild], atol=0.1)
    np.testing.assert_allclose(gain[frequencies > 1900], MOST_UNDONE_DB, atol=0.1)
    assert frequencies[decibels(response) > -MOST_UNDONE_DB].max() == pytest.approx(roll_off.reach, abs=10)


def test_what_a_filter_attenuates_comes_back(tiny_model_path: Path, speech: AudioClip, tmp_path: Path) -> None:
    truth = resample(resample(speech.samples, speech.sample_rate, 2000), 2000, 4000)[0]
    taps = firwin(31, 850, fs=4000)
    sf.write(tmp_path / "filter.wav", taps, 4000, subtype="FLOAT")
    sf.write(tmp_path / "low.wav", np.convolve(truth, taps, "same"), 4000)
    errors = []
    for option in ([], ["--filter", tmp_path / "filter.wav"]):
        target = tmp_path / f"{len(option)}.wav"
        assert run("--model", tiny_model_path, *option, tmp_path / "low.wav", "-o", target)[0] == 0
        made = sf.read(target)[0]
        frequencies = np.fft.rfftfreq(len(made), 1 / 4000)
        band = (frequencies > 600) & (frequencies < 850)
        errors.append(np.linalg.norm(np.fft.rfft(made - truth)[band]))
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (np.zeros(100), "is silent"),
        (np.ones((100, 2)), "2 channels"),
        (np.ones(11 * 8000), "10"),
        (np.array([0.1, np.nan]), "NaN"),
        (np.ones(0), "no audio"),
    ],
)
def test_bad_filters_are_refused_in_one_line(
    content: np.ndarray, said: str, tiny_model_path: Path, tmp_path: Path
) -> None:
    sf.write(tmp_path / "filter.wav", content, 8000, subtype="FLOAT")
    sf.write(tmp_path / "low.wav", noise(1, 4000, cutoff=900)[0], 4000)
    code, message = run("--model", tiny_model_path, "--filter", tmp_path / "filter.wav", tmp_path / "low.wav")
    assert (code, message.count("\n")) == (1, 1), message
    assert said in message
    assert not (tmp_path / "low.bwe.wav").exists()


def test_a_filter_of_too_low_a_rate_is_refused(tiny_model: PyramidModel) -> None:
    flat = RollOff(np.linspace(0, 750, 100), np.zeros(100))
    with pytest.raises(CawError, match="given up to 750 Hz"):
        extend(tiny_model, noise(1, 16000, cutoff=1200), 16000, seed=1, roll_off=flat)


def test_at_an_odd_rate_a_full_band_is_extended(remembering_model: PyramidModel) -> None:
    extended = extend(remembering_model, noise(1, 2205), 2205, seed=1)
    assert np.isfinite(extended).all() and extended.any()


def test_stereo_in_opposite_phase_is_not_silent() -> None:
    left = noise(1, 16000, cutoff=3000)
    assert bandwidth(np.concatenate([left, -left]), 16000) == bandwidth(left, 16000) > 3000


def test_a_roll_off_is_measured_against_the_recording_of_the_model(
    remembering_model: PyramidModel, speech: AudioClip
) -> None:
    low = decimate(resample(speech.samples, speech.sample_rate, 4000), 2).astype(np.float32)  # falls from 800 Hz on
    roll_off = measure(AverageSpectrum.of_training(remembering_model), low, 2000, 1000)
    assert roll_off.gain_db[roll_off.frequencies < 780].min() > -3
    assert 860 < roll_off.reach < 960
    sharp = resample(speech.samples, speech.sample_rate, 2000)
    assert measure(AverageSpectrum.of_training(remembering_model), sharp, 2000, 1000).gain_db[:55].min() > -3


def test_without_a_recording_in_the_model_no_roll_off_is_found(tiny_model: PyramidModel) -> None:
    assert tiny_model.recording() is None
    assert not measure(AverageSpectrum.of_training(tiny_model), noise(1, 2000, cutoff=700), 2000, 1000).gain_db.any()


def test_in_a_chain_audio_that_lacks_nothing_passes_as_it_is(tiny_model_path: Path) -> None:
    noise = (np.random.default_rng(0).standard_normal((1, 3 * 4000)) * 0.1).astype(np.float32)
    processor = BandwidthExtension(model=tiny_model_path, device="cpu")
    np.testing.assert_array_equal(processor(noise, 4000), noise)
    parts = [processor(part, 4000, reset=False) for part in np.array_split(noise, 7, axis=1)]
    np.testing.assert_array_equal(np.concatenate([*parts, processor.flush()], axis=1), noise)


def test_a_single_sample_is_refused_and_nobody_is_told_to_train_for_it(tiny_model_path: Path, tmp_path: Path) -> None:
    sf.write(tmp_path / "one.wav", np.array([0.5]), 4000)
    code, message = run("--model", tiny_model_path, tmp_path / "one.wav")
    assert code == 1 and "too little to go by" in message
    assert "Train one" not in message and "RuntimeWarning" not in message
