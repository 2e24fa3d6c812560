"""Metrics against independent implementations, and against signals whose score is known."""

from __future__ import annotations

from typing import Literal, TypeAlias

import librosa
import numpy as np
import pytest
import scipy.linalg
import soundfile as sf
from pystoi import stoi

from caw_toolkit import AudioClip, metrics
from caw_toolkit.dsp.spectra import power_spectrogram
from caw_toolkit.metrics import closeness, spectral
from caw_toolkit.metrics.signals import Signal

RATE = 16_000
Padding: TypeAlias = Literal["constant", "reflect"]


@pytest.fixture(scope="module")
def clean(speech: AudioClip) -> Signal:
    return speech.samples[0, : 6 * RATE].astype(np.float64)


@pytest.fixture(scope="module")
def degraded(clean: Signal) -> Signal:
    return clean + 0.02 * np.random.default_rng(0).standard_normal(len(clean))


def librosa_power(signal: Signal, window: int, hop: int, padding: Padding) -> np.ndarray:
    spectra = librosa.stft(signal, n_fft=window, hop_length=hop, pad_mode=padding)
    return np.asarray(np.abs(spectra) ** 2)


def test_files_are_read_in_mono_and_in_steps_of_16_bits(tmp_path: pytest.TempPathFactory) -> None:
    stereo = np.array([[0.5, 0.25], [0.5 + 1e-7, 0.25], [2.0, 2.0]], np.float32)
    sf.write(f"{tmp_path}/stereo.wav", stereo, RATE, subtype="FLOAT")
    signal, rate = metrics.scoring_signal(f"{tmp_path}/stereo.wav")
    assert rate == RATE
    np.testing.assert_array_equal(signal, [0.375, 0.375, 1 - 2**-15])


def test_snr_of_known_errors(clean: Signal) -> None:
    assert metrics.signal_to_noise_ratio(clean, 1.1 * clean) == pytest.approx(20)
    assert metrics.signal_to_noise_ratio(clean, np.zeros(len(clean))) == pytest.approx(0)
    assert metrics.signal_to_noise_ratio(clean, np.append(clean, 1.0)) > 100  # cut to the same length


def test_scale_invariant_sdr_ignores_level_and_agrees_with_snr_of_orthogonal_noise(clean: Signal) -> None:
    noise = np.random.default_rng(0).standard_normal(len(clean))
    noise -= clean * (noise @ clean) / (clean @ clean)
    noise *= 0.1 * np.linalg.norm(clean) / np.linalg.norm(noise)
    assert metrics.scale_invariant_sdr(clean, clean + noise) == pytest.approx(20)
    assert metrics.scale_invariant_sdr(clean, 0.3 * (clean + noise)) == pytest.approx(20)


@pytest.mark.parametrize("padding", ["constant", "reflect"])
def test_power_spectrogram_is_that_of_librosa(clean: Signal, padding: Padding) -> None:
    ours = power_spectrogram(clean, 1024, 256, padding=padding)
    np.testing.assert_allclose(ours, librosa_power(clean, 1024, 256, padding), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("rate", "window", "bands", "lowest"), [(16_000, 512, 40, 40.0), (44_100, 1024, 64, 0.0)])
def test_mel_filters_are_those_of_librosa(rate: int, window: int, bands: int, lowest: float) -> None:
    wanted = librosa.filters.mel(sr=rate, n_fft=window, n_mels=bands, fmin=lowest, dtype=np.float64)
    np.testing.assert_allclose(spectral.mel_filters(rate, window, bands, lowest), wanted, atol=1e-12)


def test_log_spectral_distance_of_a_gain_is_the_gain(clean: Signal) -> None:
    assert metrics.log_spectral_distance(clean, 0.5 * clean) == pytest.approx(np.log(4), rel=1e-3)


@pytest.mark.parametrize(
    ("convention", "logarithm", "hop", "least"),
    [("paper", np.log, 2048, 1e-15), ("decimal", np.log10, 512, 1e-8)],
)
def test_log_spectral_distances_agree_with_librosa(
    clean: Signal, degraded: Signal, convention: str, logarithm: np.ufunc, hop: int, least: float
) -> None:
    logs = [logarithm(np.maximum(librosa_power(x, 2048, hop, "reflect"), least)) for x in (clean, degraded)]
    wanted = np.mean(np.sqrt(np.mean((logs[0] - logs[1]) ** 2, axis=0)))
    assert metrics.log_spectral_distance(clean, degraded, convention=convention) == pytest.approx(wanted, rel=1e-6)


def test_an_unknown_convention_is_named(clean: Signal) -> None:
    with pytest.raises(ValueError, match="no convention 'natural': there are paper, decimal"):
        metrics.log_spectral_distance(clean, clean, convention="natural")


@pytest.mark.parametrize("noise", [0.003, 0.02, 0.2])
def test_extended_stoi_agrees_with_pystoi(clean: Signal, noise: float) -> None:
    noisy = clean + noise * np.random.default_rng(1).standard_normal(len(clean))
    assert metrics.extended_stoi(clean, noisy, RATE) == pytest.approx(stoi(clean, noisy, RATE, extended=True), abs=2e-3)


def test_extended_stoi_of_speech_with_itself_and_of_too_little_speech(clean: Signal) -> None:
    assert metrics.extended_stoi(clean, clean, RATE) == pytest.approx(1)
    assert np.isnan(metrics.extended_stoi(clean[:1000], clean[:1000], RATE))
    assert np.isnan(metrics.extended_stoi(clean[:10], clean[:10], RATE))


GAP = (2 * RATE, 2 * RATE + 12_000)


def filled_with(clean: Signal, filling: Signal) -> Signal:
    filled: Signal = clean.copy()
    filled[slice(*GAP)] = filling
    return filled


def test_the_real_signal_has_no_distance_in_the_gap(clean: Signal) -> None:
    assert metrics.gap_log_spectral_distance(clean, clean, GAP) == 0
    assert metrics.gap_log_mel_distance(clean, clean, RATE, GAP) == 0
    assert metrics.gap_level_error(clean, clean, GAP) == 0


def test_level_error_of_a_quieter_filling(clean: Signal) -> None:
    assert metrics.gap_level_error(clean, filled_with(clean, clean[slice(*GAP)] / 10), GAP) == pytest.approx(20, 1e-3)


def test_log_mel_distance_agrees_with_librosa(clean: Signal) -> None:
    filled = filled_with(clean, 0.05 * np.random.default_rng(2).standard_normal(GAP[1] - GAP[0]))
    filters = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=64, dtype=np.float64)
    logs = [np.log(filters @ librosa_power(x, 1024, 256, "constant") + 1e-6) for x in (clean, filled)]
    frames = slice(-(-GAP[0] // 256), -(-GAP[1] // 256))
    wanted = 10 / np.log(10) * np.abs(logs[0] - logs[1])[:, frames].mean()
    assert metrics.gap_log_mel_distance(clean, filled, RATE, GAP) == pytest.approx(wanted, rel=1e-6)


def test_a_copy_from_elsewhere_is_near_the_context_and_other_material_is_not(clean: Signal) -> None:
    length = GAP[1] - GAP[0]
    shifted = 4 * RATE - (4 * RATE - GAP[0]) % 256  # on the same grid of frames
    copied = filled_with(clean, clean[shifted : shifted + length])
    noise = filled_with(clean, 0.1 * np.random.default_rng(2).standard_normal(length))
    distances = [metrics.distance_to_context(clean, filled, RATE, GAP) for filled in (copied, clean, noise)]
    assert distances[0] < 0.5 * distances[1] < distances[2]


def test_a_click_raises_the_flux_at_the_joins(clean: Signal) -> None:
    clicking = clean.copy()
    clicking[GAP[0] : GAP[0] + 8] = 0.9
    assert metrics.join_flux(clicking, RATE, GAP) > metrics.join_flux(clean, RATE, GAP) + 0.5


def test_joins_at_an_end_of_the_recording_do_not_count(clean: Signal) -> None:
    assert np.isfinite(metrics.join_flux(clean, RATE, (0, 8000)))


def dense_copied_share(real: Signal, made: Signal, rate: int, seconds: float) -> float:
    """The definition, written out over the whole similarity matrix."""
    spectra = [np.sqrt(librosa_power(x, 4096, 128, "constant")) for x in (real, made)]
    heard = [(x**2).sum(0) > 1e-4 * (x**2).sum(0).mean() for x in spectra]
    units = [x / np.maximum(np.linalg.norm(x, axis=0), 1e-9) for x in spectra]
    alike = (units[0] * heard[0]).T @ units[1] > 0.9
    shortest = int(np.ceil(seconds * rate / 128))
    copied = np.zeros(alike.shape[1], bool)
    for offset in range(-alike.shape[0] + 1, alike.shape[1]):
        diagonal = np.concatenate([[0], np.diagonal(alike, offset).astype(int), [0]])
        edges = np.flatnonzero(np.diff(diagonal)).reshape(-1, 2)
        for start, stop in edges[edges[:, 1] - edges[:, 0] >= shortest]:
            first = max(offset, 0)
            copied[first + start : first + stop] = True
    return float(copied[heard[1]].mean())


def test_copied_share_follows_its_definition(clean: Signal, degraded: Signal) -> None:
    made = np.concatenate([clean[RATE : 3 * RATE], degraded[::-1][:RATE], clean[: RATE // 3], np.zeros(RATE)])
    share = metrics.copied_share(clean, made, RATE)
    assert share == pytest.approx(dense_copied_share(clean, made, RATE, 0.5), abs=1e-9)
    assert 0.3 < share < 0.9


def test_copies_count_and_new_material_and_silence_do_not(clean: Signal) -> None:
    assert metrics.copied_share(clean, clean, RATE) > 0.9
    assert metrics.copied_share(clean, np.random.default_rng(0).standard_normal(2 * RATE), RATE) == 0
    assert np.isnan(metrics.copied_share(clean, np.zeros(RATE), RATE))


def test_frechet_distance_of_gaussians_agrees_with_the_matrix_square_root() -> None:
    rng = np.random.default_rng(0)
    known, made = rng.standard_normal((300, 6)), 1 + rng.standard_normal((200, 6)) @ rng.standard_normal((6, 6))
    covariances = np.cov(known.T), np.cov(made.T)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    offset = known.mean(0) - made.mean(0)
    wanted = (offset @ offset + np.trace(sum(covariances) - 2 * root)) / np.trace(covariances[0])
    assert closeness._gaussian_distance(known, made) == pytest.approx(wanted, rel=1e-6)


def test_frechet_distance_ignores_level_and_grows_with_noise(clean: Signal, degraded: Signal) -> None:
    assert metrics.frechet_distance(clean, 0.3 * clean, RATE) == pytest.approx(0, abs=1e-6)
    noisier = clean + 5 * (degraded - clean)
    distances = [metrics.frechet_distance(clean, other, RATE) for other in (degraded, noisier)]
    assert 0 < distances[0] < distances[1]


def test_flatness_bias_of_a_tone_and_of_noise() -> None:
    time = np.arange(4 * RATE) / RATE
    tone, noise = np.sin(2 * np.pi * 440 * time), np.random.default_rng(0).standard_normal(len(time))
    assert metrics.flatness_bias(tone, tone) == 0
    assert metrics.flatness_bias(tone, noise) == -metrics.flatness_bias(noise, tone)
    wanted = np.median(10 * np.log10(librosa.feature.spectral_flatness(y=noise, n_fft=1024, hop_length=512)))
    ours = metrics.flatness_bias(tone, noise) + np.median(closeness._flatness(tone))
    assert ours == pytest.approx(wanted, abs=0.05)
