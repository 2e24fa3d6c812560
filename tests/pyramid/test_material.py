"""The kind of sound: synthetic sounds whose kind is certain, and recordings where they are at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import soundfile
from scipy import signal

from caw_toolkit.pyramid.material import Material, detect_material, measure_cues
from paths import ROOT

RATE = 16000
TIME = np.arange(RATE * 6) / RATE
SHARED = ROOT.parent / "shared" / "audio"

Array = np.ndarray[Any, Any]


def noise(seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(TIME.size)


def brown_noise() -> Array:
    return np.asarray(signal.lfilter([1], [1, -0.99], noise()))


def rain() -> Array:
    drops = np.random.default_rng(1)
    samples = 0.1 * noise()
    for start in drops.integers(0, TIME.size - 400, 750):
        samples[start : start + 400] += drops.exponential() * drops.standard_normal(400) * np.exp(-np.arange(400) / 60)
    return samples


def melody() -> Array:
    pitch = np.repeat(np.random.default_rng(2).choice([220, 247, 262, 294, 330], 12), RATE // 2)
    return np.asarray(signal.sawtooth(2 * np.pi * np.cumsum(pitch) / RATE) * np.exp(-5 * (TIME % 0.5)))


def intonation() -> Array:
    """Syllables, four a second with a pause now and then, on a pitch that rises and falls."""
    pitch = 120 * 2 ** (0.4 * np.sin(2 * np.pi * 0.7 * TIME) + 0.15 * np.sin(2 * np.pi * 2.3 * TIME))
    syllables = np.maximum(0, np.sin(2 * np.pi * 2 * TIME)) ** 2 * (TIME % 2 < 1.5)
    formants = signal.lfilter([1], [1, -1.6, 0.8], signal.sawtooth(2 * np.pi * np.cumsum(pitch) / RATE))
    return np.asarray(formants * syllables + 0.001 * noise())


SOUNDS = [
    pytest.param(noise(), Material.AMBIENCE, id="white noise"),
    pytest.param(brown_noise(), Material.AMBIENCE, id="brown noise"),
    pytest.param(brown_noise() * (1 + 0.8 * np.sin(2 * np.pi * 0.3 * TIME)), Material.AMBIENCE, id="surf"),
    pytest.param(rain(), Material.AMBIENCE, id="rain"),
    pytest.param(sum(np.sin(2 * np.pi * f * TIME) for f in (220, 277, 330)), Material.MUSIC, id="chord"),
    pytest.param(melody(), Material.MUSIC, id="melody"),
    pytest.param(signal.sawtooth(2 * np.pi * 110 * TIME) + 0.1 * noise(), Material.MUSIC, id="noisy drone"),
    pytest.param(noise() * np.exp(-40 * (TIME % 0.25)), Material.MUSIC, id="hi-hat"),
    pytest.param(intonation(), Material.SPEECH, id="intonation"),
]


@pytest.mark.parametrize(("samples", "expected"), SOUNDS)
@pytest.mark.parametrize("level", [1e-3, 0.5])
def test_synthetic(samples: Array, expected: Material, level: float) -> None:
    assert detect_material(level * samples / np.abs(samples).max(), RATE) is expected


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_other_rates(rate: int) -> None:
    for samples, expected in ((intonation(), Material.SPEECH), (brown_noise(), Material.AMBIENCE)):
        assert detect_material(signal.resample_poly(samples, rate // 100, RATE // 100), rate) is expected


def test_stereo_and_offset() -> None:
    assert detect_material(np.stack([intonation(), 0.5 * intonation()]) + 0.3, RATE) is Material.SPEECH


def test_noise_flatness_is_the_known_value() -> None:
    cues = measure_cues(noise(), RATE)
    assert cues is not None
    assert cues.flatness_db == pytest.approx(-10 * np.euler_gamma * np.log10(np.e), abs=0.4)
    assert cues.pitched == 0


@pytest.mark.parametrize("samples", [np.zeros((1, RATE)), np.full((1, RATE), 0.5), noise()[:4000], np.zeros((1, 0))])
def test_nothing_to_measure(samples: Array) -> None:
    assert measure_cues(samples, RATE) is None
    assert detect_material(samples, RATE) is Material.MUSIC


def test_only_the_middle_minute_is_read() -> None:
    silence = np.zeros(RATE * 60)
    assert detect_material(np.concatenate([silence, np.tile(noise(), 10), silence]), RATE) is Material.AMBIENCE


def test_text() -> None:
    assert str(Material.SPEECH) == "speech" == Material("speech").value


@pytest.mark.parametrize(("name", "expected"), [("guitar", "music"), ("tabla", "music"), ("speech", "speech")])
def test_examples(name: str, expected: str) -> None:
    samples, rate = soundfile.read(ROOT / "examples" / "audio" / f"{name}.flac", always_2d=True)
    assert detect_material(samples.T, rate) == expected


@pytest.mark.real_audio
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared recordings are not here")
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("speech/*.flac", Material.SPEECH),
        ("published/bwe_*/*_training.flac", Material.SPEECH),
        ("published/unconditional/speeches/*.flac", Material.SPEECH),
        ("published/unconditional/instruments/*.flac", Material.MUSIC),
        ("published/inpainting/*-real.flac", Material.MUSIC),
        ("music/*.flac", Material.MUSIC),
        ("denoise/*.flac", Material.MUSIC),
        ("noise/*.flac", Material.AMBIENCE),
    ],
)
def test_recordings(pattern: str, expected: Material) -> None:
    paths = sorted(SHARED.glob(pattern))
    wrong = []
    for path in paths:
        samples, rate = soundfile.read(path, always_2d=True)
        if detect_material(samples.T, rate) is not expected:
            wrong.append(path.name)
    assert paths
    assert wrong == []
