"""Denoising: the noise goes, the sound stays where it is and as loud as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from click.testing import CliRunner
from scipy.signal import butter, sosfilt, stft

from caw_denoising.noise_floor import at_resolution, noise_power
from caw_denoising.processor import Denoise
from caw_denoising.repetitions import average_over_neighbours, expect_from_reference
from caw_denoising.task import denoise
from caw_toolkit import AudioClip, CawError, PyramidModel, read_audio
from caw_toolkit.cli import main
from caw_toolkit.generators.exemplar import ExemplarGenerator
from caw_toolkit.pyramid.scale import Scale


def snr(reference: np.ndarray, estimate: np.ndarray) -> float:
    return float(10 * np.log10((reference**2).sum() / ((reference - estimate) ** 2).sum()))


def noisy(clip: AudioClip, decibels: float) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(clip.samples.shape)
    return (clip.samples + noise * clip.rms * 10 ** (-decibels / 20)).astype(np.float32)


@pytest.fixture
def halves(speech: AudioClip) -> tuple[AudioClip, AudioClip]:
    """The recording of speech, cut in two."""
    middle = speech.samples.shape[1] // 2
    parts = (speech.samples[:, :middle], speech.samples[:, middle:])
    return AudioClip(parts[0], speech.sample_rate), AudioClip(parts[1], speech.sample_rate)


def model_that_remembers(clip: AudioClip, lower: PyramidModel) -> PyramidModel:
    """The coarsest scale of a model below one that remembers a clip."""
    generator = ExemplarGenerator(
        audio_channels=1, samples=clip.samples.shape[1], hop=512, ratio=32, shift=32, candidates=8,
        concatenation_cost=0.1, selection_noise=0.0,
    )  # fmt: skip
    real = torch.from_numpy(clip.samples / clip.peak)
    generator.hold(real, real, ((0, real.shape[1]),))
    scales = [lower.scales[0], Scale(clip.sample_rate, generator, 0.0)]
    return PyramidModel(scales, channels=1, peak=clip.peak, upsampling=lower.upsampling)


@pytest.mark.parametrize("decibels", [5, 10])
def test_white_noise_is_lowered(speech: AudioClip, decibels: float) -> None:
    cleaned = denoise(noisy(speech, decibels), speech.sample_rate)
    assert cleaned.shape == speech.samples.shape
    assert snr(speech.samples, cleaned) > decibels + 3


def test_strength_scales_what_is_removed(speech: AudioClip) -> None:
    given = noisy(speech, 10)[:, :48000]
    np.testing.assert_array_equal(denoise(given, speech.sample_rate, strength=0), given)
    removed = [np.std(given - denoise(given, speech.sample_rate, strength=s)) for s in (0.5, 1.0)]
    assert removed[0] == pytest.approx(removed[1] / 2, rel=1e-3)


def test_the_stereo_image_stays(speech: AudioClip) -> None:
    given = noisy(speech, 10)[:, :48000]
    cleaned = denoise(np.concatenate([given, given * 0.5]), speech.sample_rate)
    np.testing.assert_allclose(cleaned[1], cleaned[0] * 0.5, atol=1e-6)


def test_a_recording_without_steady_noise_comes_back(speech_path: Path) -> None:
    guitar = read_audio(speech_path.with_name("guitar.flac"))
    cleaned = denoise(guitar.samples, guitar.sample_rate)
    assert snr(guitar.samples, cleaned) > 40


def test_rumble_goes_and_the_lowest_note_stays() -> None:
    rate, random = 16000, np.random.default_rng(0)
    seconds = np.arange(8 * rate) / rate
    notes = np.sum([np.sin(2 * np.pi * pitch * seconds) * (np.sin(2 * np.pi * beat * seconds) > 0)
                    for pitch, beat in ((440, 0.7), (660, 1.1), (550, 0.4))], axis=0)  # fmt: skip
    notes = (0.1 * notes).astype(np.float32)[None]
    bursts = random.standard_normal(len(seconds)) * np.repeat(random.random(80) ** 4, rate // 10)
    rumble = sosfilt(butter(4, 120, fs=rate, output="sos"), bursts) + 1e-3 * random.standard_normal(len(seconds))
    cleaned = denoise((notes + rumble).astype(np.float32), rate)
    assert snr(notes, cleaned) > snr(notes, notes + rumble) + 10


@pytest.mark.parametrize("samples", [20, 300, 5000])
def test_short_and_silent_input(samples: int) -> None:
    silence = np.zeros((1, samples), np.float32)
    np.testing.assert_array_equal(denoise(silence, 16000), silence)
    click = silence.copy()
    click[0, samples // 2] = 0.5
    assert np.isfinite(denoise(click, 16000)).all()


def test_the_residual_is_what_was_removed(speech: AudioClip, tmp_path: Path) -> None:
    given = noisy(speech, 10)[:, :48000]
    sf.write(tmp_path / "old.wav", given[0], speech.sample_rate, subtype="FLOAT")
    command = ["denoise", str(tmp_path / "old.wav"), "--residual", str(tmp_path / "removed.wav")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.stderr
    cleaned, removed = (sf.read(tmp_path / name)[0] for name in ("old.denoised.wav", "removed.wav"))
    np.testing.assert_allclose(cleaned + removed, given[0], atol=1e-5)
    assert CliRunner().invoke(main, command).exit_code == 2


@pytest.mark.parametrize(
    ("decibels", "options", "noticed"),
    [(np.inf, [], True), (np.inf, ["--quiet"], False), (np.inf, ["--strength", "0"], False), (20, [], False)],
)
def test_a_recording_without_noise_is_reported(
    speech: AudioClip, tmp_path: Path, decibels: float, options: list[str], noticed: bool
) -> None:
    sf.write(tmp_path / "old.wav", noisy(speech, decibels)[0], speech.sample_rate)
    result = CliRunner().invoke(main, ["denoise", str(tmp_path / "old.wav"), *options])
    assert result.exit_code == 0, result.stderr
    assert ("hardly any steady noise found in" in result.stderr) == noticed


def test_silence_stays_and_is_reported(tmp_path: Path) -> None:
    sf.write(tmp_path / "silence.wav", np.zeros((8000, 2)), 16000)
    result = CliRunner().invoke(main, ["denoise", str(tmp_path / "silence.wav")])
    assert "hardly any steady noise" in result.stderr
    assert not read_audio(tmp_path / "silence.denoised.wav").samples.any()


def test_the_window_suits_the_material(speech_path: Path) -> None:
    drums = read_audio(speech_path.with_name("tabla.flac"))
    assert snr(drums.samples, denoise(noisy(drums, 10), drums.sample_rate)) > 15.5  # with the longest window: 15
    seconds = np.arange(5 * 16000) / 16000
    notes = np.sum([np.sin(2 * np.pi * pitch * seconds) for pitch in (220, 277, 330, 440)], axis=0)
    chord = notes.astype(np.float32)[None]
    assert snr(chord, denoise(noisy(AudioClip(chord, 16000), 10), 16000)) > 20


def test_noise_is_told_from_music_that_never_pauses() -> None:
    rate, random = 16000, np.random.default_rng(0)
    seconds = np.arange(8 * rate) / rate
    hiss = 0.05 * random.standard_normal(len(seconds))
    drone = sum(np.sin(2 * np.pi * pitch * seconds) / 8 for pitch in np.arange(60, 900, 37.3))

    def level(signal: np.ndarray) -> np.ndarray:
        power = np.abs(stft(signal, rate, nperseg=2048, noverlap=1536)[2]) ** 2
        decibels: np.ndarray = 10 * np.log10(noise_power(power)[2:-2] / noise_power_of_hiss)
        return decibels

    noise_power_of_hiss = np.abs(stft(hiss, rate, nperseg=2048, noverlap=1536)[2] ** 2).mean()
    assert np.abs(level(hiss)).max() < 3
    assert level(hiss + drone).max() < 3
    assert np.abs(level(hiss + drone)[200:]).max() < 3


def test_noise_in_the_bins_of_a_shorter_window() -> None:
    np.testing.assert_allclose(at_resolution(np.ones(1025), 257), 4)
    np.testing.assert_array_equal(at_resolution(np.arange(1.0, 66.0), 65), np.arange(1.0, 66.0))


def test_alike_frames_are_averaged_and_others_left_out() -> None:
    power = np.repeat([1.0, 9.0], 60)[None] * np.ones((16, 1))
    averaged = average_over_neighbours(np.log(power), power)
    np.testing.assert_allclose(averaged[:, 2:58], 1, rtol=1e-3)
    np.testing.assert_allclose(averaged[:, 62:-2], 9, rtol=1e-3)


def test_memory_tells_what_is_likely() -> None:
    random = np.random.default_rng(0)
    notes = np.where(np.arange(64)[:, None] // 8 == [1, 5], 50.0, 0.01)  # two notes, (bins, 2)
    played = np.repeat(notes, [30, 30], axis=1)
    heard = (played + 1) * random.exponential(size=played.shape)
    expected = expect_from_reference(heard, np.ones(64), np.repeat(notes, 20, axis=1))
    assert ((expected > 1) == (played > 1)).mean() > 0.95
    assert np.median(expected[played > 1]) == pytest.approx(50, rel=0.3)


def test_a_model_of_the_same_voice_helps(halves: tuple[AudioClip, AudioClip], tiny_model: PyramidModel) -> None:
    said, other = halves
    model = model_that_remembers(other, tiny_model)
    remembered = model.recording()
    assert remembered is not None
    np.testing.assert_allclose(remembered, other.samples, atol=1e-6)
    given = noisy(said, 5)
    alone, informed = (Denoise(model=known)(given, said.sample_rate) for known in (None, model))
    assert snr(said.samples, informed) > snr(said.samples, alone) + 0.3
    quieter = denoise(given, said.sample_rate, reference=other.samples * np.float32(0.01))
    np.testing.assert_allclose(quieter, informed, atol=1e-3)


def test_the_processor_reads_its_model_once_and_again_when_it_is_set(
    halves: tuple[AudioClip, AudioClip], tiny_model: PyramidModel, tmp_path: Path
) -> None:
    said, other = halves
    file = tmp_path / "voice.pt"
    model_that_remembers(other, tiny_model).save(file)
    clean = Denoise(model=file)
    first = clean(said.samples, said.sample_rate)
    file.unlink()
    np.testing.assert_array_equal(clean(said.samples, said.sample_rate), first)
    clean.model = file
    with pytest.raises(CawError, match=file.name):
        clean(said.samples, said.sample_rate)


def test_the_command_takes_a_model(
    halves: tuple[AudioClip, AudioClip], tiny_model: PyramidModel, tmp_path: Path
) -> None:
    said, other = halves
    sf.write(tmp_path / "old.wav", noisy(said, 5)[0], said.sample_rate)
    model_that_remembers(other, tiny_model).save(tmp_path / "voice.pt")
    arguments = ["denoise", str(tmp_path / "old.wav")]
    result = CliRunner().invoke(main, [*arguments, "--model", str(tmp_path / "voice.pt")])
    assert result.exit_code == 0, result.stderr
    informed = read_audio(tmp_path / "old.denoised.wav").samples
    CliRunner().invoke(main, [*arguments, "--force"])
    alone = read_audio(tmp_path / "old.denoised.wav").samples
    assert snr(said.samples, informed) > snr(said.samples, alone)


def test_a_model_that_cannot_help_is_refused(tiny_model: PyramidModel, tmp_path: Path, speech: AudioClip) -> None:
    sf.write(tmp_path / "high.wav", speech.samples[0], speech.sample_rate)
    sf.write(tmp_path / "low.wav", speech.samples[0, ::4], tiny_model.sample_rate)
    tiny_model.save(tmp_path / "tiny.pt")
    for name, reason in (("high", "trained at 4000 Hz"), ("low", "holds its recording")):
        command = ["denoise", str(tmp_path / f"{name}.wav"), "--model", str(tmp_path / "tiny.pt")]
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1 and reason in result.stderr and "caw train" in result.stderr
        assert not (tmp_path / f"{name}.denoised.wav").exists()
    with pytest.raises(CawError, match="4000 Hz"):
        Denoise(model=tiny_model)(speech.samples, speech.sample_rate)
