"""Rumble below the lowest note goes; notes and drums stay."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from caw_denoising.noise import find_noise
from caw_denoising.rumble import belongs_to_music, holds_notes, rumble_bins
from caw_denoising.stft import mean_power, spectra_of
from caw_denoising.task import denoise
from caw_denoising.views import NoisyRecording
from signals import snr


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


def test_notes_under_thumps_are_no_rumble() -> None:
    rate, random = 16000, np.random.default_rng(0)
    seconds = np.arange(12 * rate) / rate
    notes = np.sum([np.sin(2 * np.pi * pitch * seconds) * (np.sin(2 * np.pi * beat * seconds) > 0)
                    for pitch, beat in ((80, 0.7), (160, 0.7), (330, 1.1))], axis=0)  # fmt: skip
    thumps = np.zeros(len(seconds))
    thumps[random.integers(0, len(thumps), 24)] = random.standard_normal(24)
    thump = np.exp(-np.arange(800) / 150) * np.sin(2 * np.pi * 90 / rate * np.arange(800))
    noise = 6 * np.convolve(thumps, thump)[: len(thumps)] + 0.02 * random.standard_normal(len(thumps))
    power = mean_power(spectra_of((0.3 * notes + noise).astype(np.float32)[None], 4096))
    assert rumble_bins(power, rate / 4096) * rate / 4096 < 70


def test_drums_below_the_lowest_note_are_no_rumble() -> None:
    rate, random = 16000, np.random.default_rng(0)
    low, rest = (sosfilt(butter(2, band, kind, fs=rate, output="sos"), random.standard_normal(6 * rate))
                 for band, kind in ((80, "low"), ([300, 2000], "bandpass")))  # fmt: skip
    strokes = np.exp(-8 * (2 * np.arange(6 * rate) / rate % 1))
    others = np.repeat(random.random(120) ** 4, rate // 20)
    assert belongs_to_music((low * strokes)[None], (rest * strokes)[None], rate)
    assert not belongs_to_music((low * others)[None], (rest * strokes)[None], rate)


def test_a_bass_that_never_rests_is_no_rumble() -> None:
    random, rate, size = np.random.default_rng(0), 2000, 1024
    seconds = np.arange(16 * rate) / rate
    rumble = lfilter([1], [1, -0.97], 0.02 * random.standard_normal(len(seconds)))
    pitch = np.array([41.2, 55.0, 49.0, 61.7])[(seconds / 0.8).astype(int) % 4]
    bass = 0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / rate)

    def has_notes(signal: np.ndarray) -> bool:
        return holds_notes(mean_power(spectra_of(signal.astype(np.float32)[None], size)), rate / size, 70)

    assert not has_notes(rumble)
    assert has_notes(rumble + bass)


def test_rumble_in_bursts_is_told_from_steady_noise() -> None:
    rate, random = 16000, np.random.default_rng(0)
    steady = random.standard_normal(8 * rate)
    bursts = sosfilt(butter(2, 60, fs=rate, output="sos"), steady * np.repeat(random.random(80) ** 4, rate // 10))
    noise = find_noise(mean_power(spectra_of(steady[None].astype(np.float32), 2048))).power
    for samples, has_bursts in ((steady, False), (steady + 100 * bursts, True)):
        material = NoisyRecording.of(samples[None].astype(np.float32), noise, rate, rumble_hz=60)
        assert material.has_bursts == has_bursts


def test_what_is_below_any_note_is_rumble_beside_a_low_bass_too() -> None:
    rate, random = 16000, np.random.default_rng(0)
    seconds = np.arange(8 * rate) / rate
    bass = 0.2 * np.sin(2 * np.pi * 32.7 * seconds) * (np.sin(2 * np.pi * 0.4 * seconds) > 0)
    notes = (bass + 0.1 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32)[None]
    hiss = 1e-3 * random.standard_normal(notes.shape)
    rumble = sosfilt(butter(2, [7, 10], "bandpass", fs=rate, output="sos"), random.standard_normal(notes.shape))
    cleaned = denoise((notes + hiss + rumble).astype(np.float32), rate)
    assert snr(notes, cleaned) > snr(notes, notes + hiss + rumble) + 10
