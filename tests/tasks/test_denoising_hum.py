"""Hum of the mains goes; notes beside it stay."""

from __future__ import annotations

import numpy as np
import pytest

from caw_denoising.hum import find_hum, least_prominence, lows, prominence_of_lines
from caw_denoising.line_bands import Bands
from caw_toolkit import AudioClip
from signals import hum_lines, snr


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
