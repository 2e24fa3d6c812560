"""Denoising: the noise goes, the sound stays where it is and as loud as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from click.testing import CliRunner
from scipy.signal import butter, lfilter, sosfilt, stft

from caw_denoising.clicks import remove_clicks
from caw_denoising.findings import Findings
from caw_denoising.hum import find_hum, least_prominence, lows, prominence_of_lines
from caw_denoising.line_bands import Bands
from caw_denoising.log_mmse import first_estimate
from caw_denoising.noise import Noise, at_resolution, find_noise
from caw_denoising.noise_distribution import NoiseEvidence, pauses_of
from caw_denoising.processor import Denoise
from caw_denoising.repetitions import average_over_neighbours, expect_from_reference
from caw_denoising.rumble import Flatness, least_power
from caw_denoising.stft import mean_power, power_as_one, signal_of, spectra_of
from caw_denoising.task import denoise
from caw_toolkit import AudioClip, CawError, PyramidModel, read_audio
from caw_toolkit.cli import main
from caw_toolkit.generators.exemplar import ExemplarGenerator
from caw_toolkit.pyramid.scale import Scale
from signals import snr


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


def test_noise_of_two_channels_is_as_uneven_as_that_of_one() -> None:
    random = np.random.default_rng(0)
    noise = random.standard_normal((2, 16000)).astype(np.float32)
    spectra = spectra_of(noise, 512)
    assert np.array_equal(power_as_one(spectra[:1]), mean_power(spectra[:1]))
    together, one, mean = power_as_one(spectra), mean_power(spectra[:1]), mean_power(spectra)
    assert together.mean() == pytest.approx(mean.mean(), rel=0.02)
    assert np.log(together).var() == pytest.approx(np.log(one).var(), rel=0.1)
    assert np.log(mean).var() < 0.5 * np.log(one).var()
    flatness = [Flatness.of(power, least_power(power)) for power in (together, one, mean)]  # rumble or notes
    as_one, of_one, of_mean = (np.median(each.quantile / each.mean) for each in flatness)
    assert as_one == pytest.approx(of_one, rel=0.05) and of_mean > 1.3 * of_one
    for sign in (1, -1):  # what both channels hold neither adds up nor cancels
        both = np.concatenate([spectra[:1], sign * spectra[:1]])
        np.testing.assert_allclose(power_as_one(both), one, rtol=1e-3, atol=1e-9)


def test_noise_is_known_by_how_its_power_is_distributed() -> None:
    random = np.random.default_rng(0)
    noise = random.exponential(size=(513, 400))
    found = NoiseEvidence.of(noise, np.ones(513))
    np.testing.assert_allclose(found.variance, 1.5, atol=0.15)
    np.testing.assert_array_equal(found.noise_share, 1)
    music = 10 ** random.uniform(-6, 1, noise.shape) * noise
    assert NoiseEvidence.of(music, np.ones(513)).variance.min() > 3
    quieter = NoiseEvidence.of(
        music + 0.02 * noise[::-1], np.ones(513)
    ).noise_share  # far less noise than it was taken for
    assert 0.02 < np.median(quieter) < 0.2
    silent = np.where(np.arange(400) % 40 < 30, 1e4 * music, 0)
    pauses = pauses_of(silent + noise, np.ones(513))
    assert pauses.variance == pytest.approx(np.pi**2 / 6, abs=0.2) and pauses.relative_power < 0.1


def stitched_noise(samples: int, rate: int) -> np.ndarray:
    """Quarters of a second of six noises again and again: uneven from bin to bin, as in the pauses of a record."""
    random = np.random.default_rng(0)
    pieces = [lfilter([1, random.uniform(-0.5, 0.5)], 1, random.standard_normal(rate // 4)) for _ in range(6)]
    order = random.integers(0, 6, samples // len(pieces[0]) + 1)
    return np.concatenate([pieces[number] for number in order])[:samples]


def test_uneven_noise_is_found_and_in_doubt(speech: AudioClip) -> None:
    clean, rate = speech.samples[0], speech.sample_rate

    def found(noise: np.ndarray) -> Noise:
        given = clean + noise * clean.std() / noise.std() * 10 ** (-10 / 20)
        return find_noise(mean_power(spectra_of(given.astype(np.float32)[None], 2048)))

    stitched = found(stitched_noise(len(clean), rate))
    assert stitched.is_heard and stitched.doubt.min() >= 0.5
    steady = found(np.random.default_rng(0).standard_normal(len(clean)))
    assert steady.is_heard and not steady.doubt.any()
    assert not find_noise(mean_power(spectra_of(speech.samples, 2048))).is_heard


def test_doubt_brings_the_plain_estimate(speech: AudioClip) -> None:
    clean = speech.samples
    noise = stitched_noise(clean.shape[1], speech.sample_rate)
    given = (clean + noise * clean.std() / noise.std() * 10 ** (-5 / 20)).astype(np.float32)
    measured = find_noise(mean_power(spectra_of(given, 2048)))
    plain = signal_of(first_estimate(given, measured.most), 2048, given.shape[1])
    assert snr(clean, denoise(given, speech.sample_rate)) > snr(clean, plain) - 0.2


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
    [(np.inf, [], True), (np.inf, ["--quiet"], False), (20, [], False)],
)
def test_a_recording_without_noise_is_reported(
    speech: AudioClip, tmp_path: Path, decibels: float, options: list[str], noticed: bool
) -> None:
    sf.write(tmp_path / "old.wav", noisy(speech, decibels)[0], speech.sample_rate)
    result = CliRunner().invoke(main, ["denoise", str(tmp_path / "old.wav"), *options])
    assert result.exit_code == 0, result.stderr
    assert ("no noise to speak of in" in result.stderr) == noticed


def test_silence_stays_and_is_reported(tmp_path: Path) -> None:
    sf.write(tmp_path / "silence.wav", np.zeros((8000, 2)), 16000)
    result = CliRunner().invoke(main, ["denoise", str(tmp_path / "silence.wav")])
    assert "no noise to speak of in" in result.stderr
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
        decibels: np.ndarray = 10 * np.log10(find_noise(power).power[2:-2] / noise_power_of_hiss)
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


def with_clicks(clip: AudioClip, a_second: float, *, seed: int = 0) -> np.ndarray:
    """A recording with the clicks of a scratched record: a millisecond each, of all heights."""
    random = np.random.default_rng(seed)
    clicks = np.zeros(clip.samples.shape)
    at = random.integers(0, clip.samples.shape[1] - 80, round(a_second * clip.seconds))
    for position, height in zip(at, random.uniform(2, 8, len(at)) * clip.rms, strict=True):
        shape = np.exp(-np.arange(32) / 6) * np.cos(np.arange(32) * random.uniform(0.5, 2))
        clicks[:, position : position + 32] += height * random.choice([-1, 1]) * shape
    return (clip.samples + clicks).astype(np.float32)


@pytest.mark.parametrize(("name", "better"), [("speech", 1.5), ("guitar", 7.5), ("tabla", 2.5)])
def test_clicks_go_and_are_counted(speech_path: Path, name: str, better: float) -> None:
    clip = read_audio(speech_path.with_name(f"{name}.flac"))
    given = with_clicks(clip, 8)
    repaired = remove_clicks(given, clip.sample_rate)
    assert snr(clip.samples, repaired.samples) > snr(clip.samples, given) + better
    assert 0.35 < repaired.clicks / (8 * clip.seconds) < 1.1  # loud syllables and strokes of the drum hide some
    assert 0 < repaired.touched < 0.05 * given.size
    np.testing.assert_array_equal(denoise(given, clip.sample_rate, declick=False, strength=0), given)


@pytest.mark.parametrize("name", ["speech", "guitar", "tabla"])
def test_strokes_of_drums_strings_and_voices_stay(speech_path: Path, name: str) -> None:
    clip = read_audio(speech_path.with_name(f"{name}.flac"))
    assert remove_clicks(clip.samples, clip.sample_rate).clicks == 0
    assert snr(clip.samples, denoise(clip.samples, clip.sample_rate)) > 40


@pytest.mark.parametrize(("sample_rate", "lowest"), [(44100, 60), (16000, 30)])
def test_edges_of_a_synthesiser_are_no_clicks(sample_rate: int, lowest: float) -> None:
    random, seconds = np.random.default_rng(0), 5
    notes = np.repeat(random.choice(np.geomspace(lowest, 3 * lowest, 12), 8 * seconds), sample_rate // 8)
    phase, time = np.cumsum(notes) / sample_rate, np.arange(len(notes)) / sample_rate
    pulses = np.where(phase % 1 < 0.5 + 0.2 * np.sin(4 * time), 0.2, -0.2) + np.where(1.5 * phase % 1 < 0.25, 0.1, -0.1)
    hiss = 1e-3 * random.standard_normal(len(notes))
    assert remove_clicks((pulses + hiss)[None].astype(np.float32), sample_rate).clicks == 0


def test_a_single_spike_goes(speech_path: Path) -> None:
    guitar = read_audio(speech_path.with_name("guitar.flac"))
    given = guitar.samples.copy()
    given[0, 60_000:60_002] += np.float32(0.3), np.float32(-0.2)
    repaired = remove_clicks(given, guitar.sample_rate)
    assert repaired.clicks == 1 and repaired.touched < 20
    assert snr(guitar.samples, repaired.samples) > snr(guitar.samples, given) + 6


def test_a_tone_that_is_most_of_a_recording_is_no_hum() -> None:
    tone = 0.3 * np.sin(2 * np.pi * 100 * np.arange(96_000) / 16000).astype(np.float32)
    np.testing.assert_array_equal(denoise(tone[None], 16000), tone[None])


def test_what_is_most_of_a_recording_is_no_click() -> None:
    metronome = np.zeros((1, 160_000), np.float32)
    metronome[0, 4000::8000] = 0.8
    assert remove_clicks(metronome, 16000).clicks == 0


def test_a_click_of_several_milliseconds_goes(speech_path: Path) -> None:
    guitar = read_audio(speech_path.with_name("guitar.flac"))
    given = guitar.samples.copy()
    given[0, 60_000:60_064] += (0.5 * np.exp(-np.arange(64) / 20) * np.sin(np.arange(64) * 1.3)).astype(np.float32)
    assert remove_clicks(given, guitar.sample_rate).clicks == 1
    assert snr(guitar.samples, remove_clicks(given, guitar.sample_rate).samples) > snr(guitar.samples, given) + 6


def hum_lines(samples: int, rate: int, mains: float, drift: float) -> np.ndarray:
    """Hum at a mains frequency, its double and its triple, that drifts by a share within 15 s."""
    seconds = np.arange(samples) / rate
    phase = 2 * np.pi * np.cumsum(mains * (1 + drift * np.sin(2 * np.pi * seconds / 15))) / rate
    return np.asarray(0.02 * sum(level * np.sin(k * phase + k) for k, level in ((1, 1), (2, 0.5), (3, 0.6))))


@pytest.mark.parametrize(("mains", "drift"), [(50, 0), (60, 0.005)])
def test_hum_goes_and_the_voice_stays(speech: AudioClip, mains: float, drift: float) -> None:
    hum = hum_lines(speech.samples.shape[1], speech.sample_rate, mains, drift)
    found = find_hum((speech.samples + hum).astype(np.float32), speech.sample_rate)
    assert found.lines == pytest.approx((mains, 2 * mains, 3 * mains), rel=5e-3)
    assert snr(hum, found.signal) > (20 if drift else 24)
    assert find_hum(speech.samples, speech.sample_rate).lines == ()


def test_weak_hum_is_found_that_is_there_all_along(speech: AudioClip) -> None:
    rate = speech.sample_rate
    hum = 0.04 * hum_lines(speech.samples.shape[1], rate, 50, 0)
    given = (speech.samples + hum).astype(np.float32)
    assert find_hum(given, rate).lines == ()
    low, low_rate = lows((speech.samples + 2 * hum).astype(np.float32), rate)
    here = prominence_of_lines(low.mean(0), low_rate)
    assert find_hum(given, rate, all_along=least_prominence([here, here])).lines[0] == pytest.approx(50, rel=5e-3)
    nothing = {mains: 0 * lines for mains, lines in here.items()}
    assert find_hum(given, rate, all_along=least_prominence([here, nothing])).lines == ()
    assert prominence_of_lines(low.mean(0)[:low_rate], low_rate) == {}


def test_hum_under_notes_beside_it_goes_and_the_notes_stay() -> None:
    rate = 4000
    seconds = np.arange(12 * rate - 7) / rate
    # just below 100 and 150 Hz
    notes = sum(
        0.1 * np.sin(2 * np.pi * pitch * seconds) * (np.sin(2 * np.pi * beat * seconds) > -0.8)
        for pitch, beat in ((98.0, 0.7), (146.8, 1.1))
    )
    hiss = 0.001 * np.random.default_rng(0).standard_normal(len(seconds))
    line = 0.01 * np.sin(2 * np.pi * 50 * seconds)
    found = find_hum((notes + hiss + line).astype(np.float32)[None], rate)
    assert found.lines[0] == 50
    assert snr(line[None, rate:-rate], found.signal[:, rate:-rate]) > 20
    assert np.abs(line - found.signal[0])[-40:].max() < 0.005
    assert find_hum((notes + hiss).astype(np.float32)[None], rate).lines == ()


@pytest.mark.parametrize("rate", [200, 1000, 3200, 4000])
def test_a_band_holds_the_amplitude_and_phase_of_its_line(rate: int) -> None:
    seconds = np.arange(6 * rate) / rate
    fading = np.linspace(0.5, 1, len(seconds))
    bands = Bands.of((fading * np.cos(2 * np.pi * 53.3 * seconds + 1))[None], rate)
    demodulated = bands.demodulated(50, 2 * np.pi * 53.3 * bands.times, 0)
    middle = slice(len(bands.times) // 4, -len(bands.times) // 4)
    expected = 0.5 * np.exp(1j) * np.interp(bands.times, seconds, fading)
    np.testing.assert_allclose(demodulated[middle], expected[middle], atol=1e-3)


def test_tones_of_music_are_no_hum() -> None:
    rate = 16000
    seconds = np.arange(10 * rate) / rate
    notes = np.sum([np.sin(2 * np.pi * pitch * seconds) * (np.sin(2 * np.pi * beat * seconds) > -0.5)
                    for pitch, beat in ((100, 0.7), (150, 1.1), (300, 0.4))], axis=0)  # fmt: skip
    assert find_hum((0.1 * notes).astype(np.float32)[None], rate).lines == ()


def test_noise_on_a_slope_is_found_to_its_end() -> None:
    random, rate = np.random.default_rng(0), 16000
    rumble = sosfilt(butter(2, [20, 200], "bandpass", fs=rate, output="sos"), random.standard_normal(12 * rate))
    hiss = random.standard_normal(12 * rate) * 0.02
    power = np.abs(stft(rumble + hiss, rate, nperseg=2048, noverlap=1536)[2]) ** 2
    noise = find_noise(power)
    assert not noise.doubt.any()
    assert np.abs(10 * np.log10(noise.power / power.mean(1)))[8:-4].max() < 4


def test_music_that_is_dense_all_the_time_comes_back() -> None:
    random, rate = np.random.default_rng(0), 16000
    seconds = np.arange(rate // 4) / rate
    chords = []
    for _ in range(48):
        pitches = 55 * 2 ** (random.integers(0, 48, 12) / 12)
        partials = np.outer(pitches, np.arange(1, 9))
        chord = np.sin(2 * np.pi * partials[..., None] * seconds + random.uniform(0, 6, partials.shape)[..., None])
        chords.append((chord / np.arange(1, 9)[:, None]).sum((0, 1)))
    music = (0.02 * np.concatenate(chords)).astype(np.float32)[None]
    assert snr(music, denoise(music, rate)) > 30


def test_what_was_found_is_printed(speech: AudioClip, tmp_path: Path) -> None:
    hum = hum_lines(speech.samples.shape[1], speech.sample_rate, 50, 0)
    given = with_clicks(AudioClip((noisy(speech, 15) + hum).astype(np.float32), speech.sample_rate), 6)
    sf.write(tmp_path / "old.wav", given[0], speech.sample_rate, subtype="FLOAT")
    result = CliRunner().invoke(main, ["denoise", str(tmp_path / "old.wav"), "--json"])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)["found"]
    assert found["hum_hz"][:2] == pytest.approx([50, 100], rel=5e-3)
    assert found["noise_db"] == pytest.approx(-15, abs=4)
    assert 1 < found["clicks_per_second"] < 8
    for words in ("steady noise, ", "hum at 50, 100 and 150 Hz", " clicks a second, "):
        assert f"found {words}" in result.stderr or words in result.stderr
    result = CliRunner().invoke(main, ["denoise", str(tmp_path / "old.wav"), "--json", "-o", "-"])
    assert result.exit_code == 2 and "--json prints to standard output" in result.stderr


def test_findings_of_blocks_are_joined() -> None:
    both = Findings(10, 1000, -20.0, (50.0,), 5, 50, 3.0).joined(Findings(10, 1000, None, (), 0, 0, 27.0))
    assert both.noise_db == pytest.approx(-30)
    apart = Findings(energy=1, quiet_db=-10).joined(Findings(energy=9))
    assert apart.quiet_db == pytest.approx(-20) and "quietest tenth, 20 dB" in apart.why_clean("song.wav")
    assert Findings(quiet_db=-70).why_clean("song.wav") == "no noise to speak of in song.wav"
    assert replace(both, noise_db=None) == Findings(20, 2000, None, (50.0,), 5, 50, 30.0)
    assert not both.is_clean and Findings(10, 1000, -60.0).is_clean
    assert both.lines()[-1] == "0.2 clicks a second, 2.50% of the samples replaced"


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_depth_and_level_are_those_of_the_recording(speech: AudioClip, tmp_path: Path, subtype: str) -> None:
    loud = noisy(speech, 20) * (1.5 if subtype == "FLOAT" else 0.5) / speech.peak
    sf.write(tmp_path / "old.wav", loud[0], speech.sample_rate, subtype=subtype)
    result = CliRunner().invoke(main, ["denoise", str(tmp_path / "old.wav")])
    assert result.exit_code == 0, result.stderr
    assert "turned down" not in result.stderr
    assert sf.info(tmp_path / "old.denoised.wav").subtype == subtype
    cleaned = sf.read(tmp_path / "old.denoised.wav")[0]
    assert 20 * np.log10(np.abs(cleaned).max() / np.abs(loud).max()) == pytest.approx(0, abs=0.5)
