"""What bandwidth extension knows of a signal that is still coming."""

from __future__ import annotations

import numpy as np

from caw_bandwidth_extension.running_measurement import ENOUGH_SECONDS, RunningMeasurement
from caw_toolkit import AudioClip, PyramidModel
from caw_toolkit.dsp.resampling import resample

RATE = 4000
BLOCK = RATE // 10


def heard(model: PyramidModel, *signals: np.ndarray) -> RunningMeasurement:
    measured = RunningMeasurement(model, None)
    signal = np.concatenate(signals)[None].astype(np.float32)
    for start in range(0, signal.shape[1], BLOCK):
        measured.add(signal[:, start : start + BLOCK])
    return measured


def tone(hertz: float, level: float, seconds: float) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def test_silence_says_nothing(tiny_model: PyramidModel) -> None:
    measured = heard(tiny_model, np.zeros(5 * RATE))
    assert not measured.is_settled and measured.cutoff_hz == 0 and measured.roll_off is None


def test_what_has_only_begun_is_taken_for_usual_level(tiny_model: PyramidModel) -> None:
    breath = heard(tiny_model, tone(500, 0.01, 0.3))
    assert not breath.is_settled and breath.peak > 0.2 * tiny_model.peak
    quiet = heard(tiny_model, tone(500, 0.01, ENOUGH_SECONDS))
    assert quiet.is_settled and 0.0099 < quiet.peak < 0.0101


def test_a_lead_in_is_forgotten_once_there_is_sound(tiny_model: PyramidModel, speech: AudioClip) -> None:
    hiss = np.random.default_rng(0).normal(0, 1e-3, 3 * RATE)
    narrow = resample(resample(speech.samples, speech.sample_rate, 1000), 1000, RATE)[0, : 3 * RATE]
    of_hiss, of_both = heard(tiny_model, hiss), heard(tiny_model, hiss, narrow / np.abs(narrow).max())
    assert of_hiss.is_settled and of_hiss.cutoff_hz > 1900
    assert of_both.is_settled and 450 < of_both.cutoff_hz < 600


def test_a_given_bandwidth_is_kept(tiny_model: PyramidModel) -> None:
    measured = RunningMeasurement(tiny_model, 500.0)
    measured.add(tone(1500, 0.5, 0.3)[None].astype(np.float32))
    assert measured.cutoff_hz == 500
