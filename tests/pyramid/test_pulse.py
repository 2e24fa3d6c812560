"""The pulse of recordings: found where onsets keep to a grid, followed where its tempo drifts, absent elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from caw_toolkit import AudioClip
from caw_toolkit.pyramid.pulse import SHORTEST_SECONDS, Pulse, find_pulse
from strokes import strokes

RATE = 16000


def test_the_period_and_the_moments_of_strokes_are_found() -> None:
    times = np.arange(0.3, 12, 0.2)
    pulse = find_pulse(strokes(times, 12, RATE), RATE)
    assert pulse is not None
    assert pulse.period_seconds == pytest.approx(0.2, rel=1e-3)
    late = pulse.phases(times) - np.round(pulse.phases(times))
    assert np.ptp(late) < 0.05 and np.abs(late).max() < 0.15  # strokes rise within a frame


def test_neither_level_nor_channels_matter() -> None:
    mono = strokes(np.arange(0.3, 8, 0.25), 8, RATE)
    stereo = np.concatenate([mono, mono])
    pulses = [find_pulse(audio, RATE) for audio in (mono, 0.01 * mono, stereo)]
    assert all(pulse is not None and pulse.period_seconds == pytest.approx(0.25, rel=1e-3) for pulse in pulses)


def test_a_drifting_tempo_is_followed() -> None:
    gaps = np.linspace(0.19, 0.21, 100)
    times = 0.3 + np.cumsum(gaps)
    pulse = find_pulse(strokes(times, float(times[-1]) + 0.5, RATE), RATE)
    assert pulse is not None
    phases = pulse.phases(times[10:-10])
    # A grid of the mean tempo would be off by several pulses in the middle.
    assert phases - phases[0] == pytest.approx(np.arange(80), abs=0.15)


@pytest.mark.parametrize("pulses", [3, 4, 7])
def test_bars_are_found_where_strokes_repeat(pulses: int) -> None:
    draws = np.random.default_rng(pulses)
    bar = draws.permutation(np.r_[1.0, 0.1, draws.uniform(0.1, 1, pulses - 2)])
    times = np.arange(0.3, 16, 0.2)
    pulse = find_pulse(strokes(times, 16, RATE, np.resize(bar, len(times))), RATE)
    assert pulse is not None and pulse.pulses_a_bar == pulses


def test_what_is_missing_is_neither_a_rest_nor_an_onset() -> None:
    times = np.arange(0.1, 12, 0.25)
    recording = strokes(times, 12, RATE, accents=np.resize([1.0, 0.3, 0.3], len(times)))
    missing = [(round(3.3 * RATE), round(4.4 * RATE)), (round(8 * RATE), round(8.9 * RATE))]
    whole = find_pulse(recording, RATE)
    for start, stop in missing:
        recording[:, start:stop] = 0
    found = find_pulse(recording, RATE, missing=missing)
    assert found is not None and whole is not None
    assert found.pulses_a_bar == whole.pulses_a_bar == 3
    assert found.period_seconds == pytest.approx(0.25, abs=0.002)
    phases = found.phases(times)
    assert np.abs(np.exp(2j * np.pi * phases).mean()) > 0.99
    assert find_pulse(recording, RATE, missing=[(0, 10 * RATE)]) is None


def test_strokes_at_random_have_none() -> None:
    assert find_pulse(strokes(np.sort(np.random.default_rng(1).uniform(0, 20, 90)), 20, RATE), RATE) is None


def test_noise_and_silence_have_none() -> None:
    noise = np.random.default_rng(2).standard_normal((1, 20 * RATE)).astype(np.float32)
    assert find_pulse(noise, RATE) is None
    assert find_pulse(np.zeros_like(noise), RATE) is None


def test_speech_has_none(speech: AudioClip) -> None:
    assert find_pulse(speech.samples, speech.sample_rate) is None


@pytest.mark.parametrize("seconds", [2.0, SHORTEST_SECONDS - 0.01, SHORTEST_SECONDS])
def test_a_short_recording_shows_none_or_one(seconds: float) -> None:
    pulse = find_pulse(strokes(np.arange(0.3, seconds, 0.2), seconds, RATE), RATE)
    assert (pulse is None) == (seconds < SHORTEST_SECONDS)


def test_it_is_kept_as_plain_types() -> None:
    pulse = Pulse(0.25, 4, (0.1, 0.35, 0.6))
    assert Pulse.from_content(pulse.content()) == pulse
    assert str(pulse) == "a pulse every 0.250 s, bars of 4"
