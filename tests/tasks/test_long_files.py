"""Files of any length: stretch by stretch the sound of the whole, in memory that does not grow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner
from scipy.signal import istft, stft
from scipy.special import exp1

from caw_bandwidth_extension import long_files as long_extension
from caw_bandwidth_extension.task import extend
from caw_denoising import stretches
from caw_denoising.log_mmse import log_amplitude_factor
from caw_denoising.noise import Noise, find_noise
from caw_denoising.stft import signal_of, spectra_of
from caw_denoising.stretches import Stretches, in_order
from caw_denoising.task import Settings, clean, clean_blocks
from caw_music_variation.long_files import Settings as Variation
from caw_music_variation.long_files import Take
from caw_process import run_python
from caw_toolkit import AudioClip, PyramidModel
from caw_toolkit.cli import main
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.processors import blocks as file_blocks

LIMIT_GIGABYTES = 1.0


def snr(reference: np.ndarray, estimate: np.ndarray) -> float:
    return float(10 * np.log10((reference**2).sum() / (((reference - estimate) ** 2).sum() + 1e-30)))


def pieces(samples: np.ndarray, size: int = 4321) -> Iterator[np.ndarray]:
    return (samples[:, start : start + size] for start in range(0, samples.shape[1], size))


def noisy(clip: AudioClip, decibels: float = 15) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(clip.samples.shape)
    return (clip.samples + noise * clip.rms * 10 ** (-decibels / 20)).astype(np.float32)


@pytest.fixture
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches of 5 s instead of a minute."""
    monkeypatch.setattr(stretches, "WHOLE_SECONDS", 6)
    monkeypatch.setattr(stretches, "STRETCH_SECONDS", 5)


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 4 s instead of a minute."""
    for module in (file_blocks, long_extension):
        monkeypatch.setattr(module, "FILE_BLOCK_SECONDS", 4)


def test_stretches_overlap_and_hold_everything() -> None:
    signal = np.arange(250 * 10, dtype=np.float64)[None]
    layout = Stretches.of(signal.shape[1], 10, channels=1)
    cut = list(layout.cut(pieces(signal, 77)))
    assert len(cut) == layout.count == 7
    joined = [part[:, : layout.size] for part in cut[:-1]] + [cut[-1]]
    np.testing.assert_array_equal(np.concatenate(joined, axis=1), signal)
    for before, after in zip(cut[:-1], cut[1:], strict=True):
        np.testing.assert_array_equal(before[:, layout.size :], after[:, : layout.fade])


def test_no_more_is_taken_than_is_worked_on() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(6):
            taken.append(item)
            yield item

    for made in in_order(lambda item, check: item, items(), at_once=2):
        assert len(taken) <= made + 2


def test_the_transform_is_that_of_scipy() -> None:
    samples = np.random.default_rng(0).standard_normal((2, 5000)).astype(np.float32)
    for size in (64, 512, 4096):
        expected = stft(samples, nperseg=size, noverlap=size * 3 // 4)[2]
        spectra = spectra_of(samples, size)
        np.testing.assert_allclose(spectra, expected, atol=1e-6)
        back = istft(expected, nperseg=size, noverlap=size * 3 // 4)[1][:, :5000]
        np.testing.assert_allclose(signal_of(spectra, size, 5000), back, atol=1e-5)


def test_the_table_is_the_exponential_integral() -> None:
    ratios = np.geomspace(1e-8, 30, 10_001)
    np.testing.assert_allclose(log_amplitude_factor(ratios), np.exp(exp1(ratios) / 2), rtol=1e-6)


def test_noise_of_another_stretch_counts_where_it_can_be() -> None:
    level = np.ones(100)
    known = Noise(level, level, 0 * level, is_heard=True)
    assert Noise(1e-9 * level, 2 * level, level).as_around(known).is_heard
    assert not Noise(1e-9 * level, 0.1 * level, level).as_around(known).is_heard
    tones = np.tile(np.abs(np.sin(np.arange(500) / 9))[:, None] ** 8 + 1e-3, 300)  # never pauses
    assert not find_noise(tones).is_heard


def test_a_short_recording_is_cleaned_as_a_whole(speech: AudioClip) -> None:
    given = noisy(speech)[:, : 2 * speech.sample_rate]
    shares: list[float] = []
    whole = clean(given, speech.sample_rate)
    parts = list(
        clean_blocks(lambda: pieces(given), speech.sample_rate, Settings(), channels=1, on_progress=shares.append)
    )
    np.testing.assert_array_equal(np.concatenate([part.samples for part in parts], axis=1), whole.samples)
    assert shares == [1.0]


def test_stretches_sound_like_the_whole(speech: AudioClip, monkeypatch: pytest.MonkeyPatch) -> None:
    rate = speech.sample_rate // 2
    low = AudioClip(resample(speech.samples, speech.sample_rate, rate), rate)
    given = noisy(low)
    whole = clean(given, rate)
    monkeypatch.setattr(stretches, "WHOLE_SECONDS", 6)
    monkeypatch.setattr(stretches, "STRETCH_SECONDS", 5)
    shares: list[float] = []
    cut = clean(given, rate, on_progress=shares.append)
    assert len(shares) == 3 and shares == sorted(shares) and shares[-1] == 1
    assert snr(low.samples, cut.samples) > snr(low.samples, whole.samples) - 0.3
    steps = np.abs(np.diff(cut.samples - whole.samples))
    assert steps.max() < np.abs(np.diff(whole.samples)).max() / 4
    assert cut.findings.noise_db == pytest.approx(whole.findings.noise_db, abs=1)
    assert cut.findings.sample_count >= given.size


@pytest.mark.usefixtures("short_stretches")
def test_result_and_residual_of_stretches_add_up(speech: AudioClip, tmp_path: Path) -> None:
    given = 0.5 * noisy(speech)[:, : 9 * speech.sample_rate : 2].astype(np.float64)
    sf.write(tmp_path / "a.wav", np.tile(given[0], 2), speech.sample_rate // 2, subtype="PCM_32")
    arguments = ["denoise", str(tmp_path / "a.wav"), "--residual", str(tmp_path / "r.wav"), "--strength", "0.8"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.stderr
    assert "found steady noise" in done.stderr
    before, after, removed = (
        sf.read(tmp_path / name, dtype="int32")[0].astype(np.int64) for name in ("a.wav", "a.denoised.wav", "r.wav")
    )
    np.testing.assert_array_equal(after + removed, before)


def test_blocks_of_another_rate_join() -> None:
    signal = np.random.default_rng(0).standard_normal((1, 100)).astype(np.float32)
    stream = file_blocks.BlockStream(
        lambda audio, first: np.repeat(audio, 3, axis=1), 1, block=20, before=5, after=5, fade=2, grid=10,
        ratio=Fraction(3),
    )  # fmt: skip
    made = np.concatenate(list(stream.run(pieces(signal, 7))), axis=1)
    np.testing.assert_array_equal(made, np.repeat(signal, 3, axis=1))


def extended(model: PyramidModel, samples: np.ndarray, rate: int) -> np.ndarray:
    known = long_extension.survey(model, lambda: pieces(samples), rate)
    parts = long_extension.extend_blocks(model, pieces(samples), rate, known, channels=len(samples), seed=1)
    return np.concatenate(list(parts), axis=1)


def test_a_short_recording_is_extended_as_a_whole(tiny_model: PyramidModel) -> None:
    rate = tiny_model.sample_rate // 2
    samples = np.random.default_rng(0).standard_normal((1, 5 * rate + 123)).astype(np.float32)
    np.testing.assert_array_equal(extended(tiny_model, samples, rate), extend(tiny_model, samples, rate, seed=1))


@pytest.mark.usefixtures("short_blocks")
def test_blocks_of_a_recording_are_extended_like_the_whole(tiny_model: PyramidModel) -> None:
    rate = tiny_model.sample_rate // 2
    samples = np.cumsum(np.random.default_rng(0).standard_normal((2, 11 * rate + 123)), axis=1).astype(np.float32)
    samples -= samples.mean(1, keepdims=True)
    whole = np.concatenate([extend(tiny_model, channel[None], rate, seed=1) for channel in samples])
    made = extended(tiny_model, samples, rate)
    assert made.shape == whole.shape
    assert snr(whole, made) > 30


@pytest.mark.usefixtures("short_blocks")
def test_a_long_passage_is_varied_and_the_rest_stays_to_the_last_bit(tiny_model: PyramidModel) -> None:
    rate = 2 * tiny_model.sample_rate
    song = 0.1 * np.random.default_rng(0).standard_normal((1, 14 * rate + 57))  # float64: more bits than float32
    shares: list[float] = []
    take = Take(
        tiny_model, Variation(0.5), sample_rate=rate, channels=1, samples=song.shape[1], seed=1,
        on_progress=shares.append,
    )  # fmt: skip
    made = np.concatenate(list(take.passage(pieces(song), 2.5, 12.25)), axis=1)
    assert made.shape == song.shape and made.dtype == np.float64
    first, last = round(2.5 * rate), round(12.25 * rate)
    np.testing.assert_array_equal(made[:, :first], song[:, :first])
    np.testing.assert_array_equal(made[:, last:], song[:, last:])
    assert (made[:, first + 500 : last - 500] != song[:, first + 500 : last - 500]).mean() > 0.99
    assert shares == sorted(shares) and shares[-1] == 1
    assert take.new_shares is not None and all(0 <= share <= 1 for share in take.new_shares)


PEAK = """
import sys
from caw_toolkit.cli import main
try:
    main(sys.argv[1:])
except SystemExit as done:
    print([int(line.split()[1]) / 1e6 for line in open("/proc/self/status") if line.startswith("VmHWM")][0])
    sys.exit(done.code)
"""


def peak_gigabytes(*arguments: str) -> float:
    done = run_python("-c", PEAK, *arguments)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.splitlines()[-1])


def write_noise(path: Path, seconds: int, rate: int) -> None:
    random = np.random.default_rng(0)
    with sf.SoundFile(path, "w", rate, 1, subtype="PCM_16") as file:
        for second in range(seconds):
            tone = np.sin(2 * np.pi * (200 + 10 * (second % 30)) * np.arange(rate) / rate)
            file.write(0.01 * random.standard_normal(rate) + 0.1 * (second % 3 > 0) * tone)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
@pytest.mark.parametrize(("seconds", "rate"), [(600, 16000), (3600, 48000)])
def test_cleaning_a_long_file_stays_below_the_limit(tmp_path: Path, seconds: int, rate: int) -> None:
    write_noise(tmp_path / "long.wav", seconds, rate)
    assert peak_gigabytes("denoise", "-q", str(tmp_path / "long.wav")) < LIMIT_GIGABYTES + 0.2  # of the libraries
    assert sf.info(tmp_path / "long.denoised.wav").frames == seconds * rate


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
@pytest.mark.parametrize("command", ["bwe", "vary"])
def test_memory_of_a_model_does_not_grow_with_the_file(tmp_path: Path, tiny_model_path: Path, command: str) -> None:
    peaks = []
    for minutes in (2, 12):
        write_noise(tmp_path / "long.wav", 60 * minutes, 4000)
        target = str(tmp_path / "made.wav")
        model = ["-m", str(tiny_model_path), "--seed", "1"]
        peaks.append(peak_gigabytes(command, "-q", "-f", *model, str(tmp_path / "long.wav"), "-o", target))
    assert peaks[1] < peaks[0] + 0.1
