"""What is near and far to the ear: features and their distances, against signals of which they are known."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner

from ear import ear
from hearing import notes, rhythm, texture
from hearing.features import RATE, Direction, Figure, Histogram, Observations, Vector
from paths import ROOT

SECONDS = 8.0


def array(*values: float) -> np.ndarray:
    return np.array(values, float)


def clicks(period: float) -> np.ndarray:
    """Bursts of noise, a period apart."""
    rng = np.random.default_rng(0)
    signal = 1e-4 * rng.standard_normal(round(SECONDS * RATE))
    for time in np.arange(0.1, SECONDS - 0.2, period):
        start = round(time * RATE)
        signal[start : start + 480] += rng.standard_normal(480)
    return signal


def tones(*pitches: int) -> np.ndarray:
    """Half a second each, with harmonics that fade; semitones from the lowest key of a piano."""
    times = np.arange(RATE // 2) / RATE
    parts = [
        sum(np.sin(2 * np.pi * 27.5 * 2 ** (pitch / 12) * k * times) / k**2 for k in range(1, 5)) * np.exp(-4 * times)
        for pitch in pitches
    ]
    return np.asarray(0.3 * np.concatenate(parts))


def test_distances_are_those_of_distributions() -> None:
    assert Figure(3).distance(Figure(1)) == 2
    assert Observations(array(0, 1)).distance(Observations(array(2, 3))) == pytest.approx(2)
    assert Histogram(array(1, 1)).distance(Histogram(array(4, 0))) == pytest.approx(0.5)
    assert Vector(array(0, 0)).distance(Vector(array(3, 3))) == pytest.approx(3)
    assert Direction(array(1, 0)).distance(Direction(array(0, 2))) == pytest.approx(1)


def test_nothing_is_at_no_distance_from_anything() -> None:
    assert math.isnan(Observations(array()).distance(Observations(array(1))))
    assert math.isnan(Histogram(array(0, 0)).distance(Histogram(array(1, 0))))


def test_the_grid_of_clicks_is_found_and_others_are_told_from_it() -> None:
    period = rhythm.grid_period(clicks(0.25))
    assert period == pytest.approx(0.25, rel=0.01) or period == pytest.approx(0.125, rel=0.01)
    (_, same), (_, other) = (
        tuple(rhythm.describe(signal, period=period).values()) for signal in (clicks(0.25), clicks(0.34))
    )
    assert same.value > 0.95 and other.value < 0.3


def test_strokes_are_counted() -> None:
    times, _ = rhythm.strokes(clicks(0.4))
    np.testing.assert_allclose(np.diff(times), 0.4, atol=0.011)


def test_modulation_is_found_at_its_rate() -> None:
    noise = np.random.default_rng(0).standard_normal(4 * RATE)
    swelling = noise * (1 + 0.9 * np.sin(2 * np.pi * 4 * np.arange(len(noise)) / RATE))
    strongest = texture.modulation_power(texture.cochlear_envelopes(swelling)).mean(0).argmax()
    assert np.geomspace(0.5, 200, 20)[strongest] == pytest.approx(4, rel=0.2)


def test_noise_is_nearer_to_noise_than_to_swelling_noise() -> None:
    first, second = np.random.default_rng(0).standard_normal((2, 4 * RATE))
    swelling = second * (1 + 0.9 * np.sin(2 * np.pi * 4 * np.arange(len(second)) / RATE))
    described, same, other = map(texture.describe, (first, second, swelling))
    for name, feature in described.items():
        assert feature.distance(same[name]) < 0.5 * feature.distance(other[name]), name


def test_half_cosines_keep_the_power_between_their_centres() -> None:
    weights = texture.half_cosines(np.linspace(0, 1, 101), array(0, 1), 6)
    np.testing.assert_allclose((weights**2).sum(0), 1)


def test_textures_are_compared_from_the_command_line(tmp_path: Path) -> None:
    real, take = np.random.default_rng(0).normal(0, 0.1, (2, 8 * RATE))
    for name, signal in (("real.wav", real), ("take.wav", take), ("short.wav", take[:RATE])):
        sf.write(tmp_path / name, signal, RATE)
    result = CliRunner().invoke(ear, [str(tmp_path / "real.wav"), str(tmp_path / "take.wav"), "--json"])
    rows = json.loads(result.stdout)
    assert len(rows) == 5 and all(0.3 < row["ratio"] < 3 for row in rows)
    for recording, other in (("short.wav", "take.wav"), ("real.wav", "short.wav")):
        refused = CliRunner().invoke(ear, [str(tmp_path / recording), str(tmp_path / other)])
        assert refused.exit_code == 2
        assert "at least 4 s of each take and 8 s of the recording are needed" in refused.stderr


def needs(*packages: str) -> pytest.MarkDecorator:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{' and '.join(missing)} not installed: see docs/results.md")


@needs("basic_pitch", "onnxruntime")
def test_tones_are_heard_as_notes() -> None:
    assert [note.pitch for note in notes.transcribe(tones(36, 40, 43, 48))] == [36, 40, 43, 48]


@pytest.mark.slow
@needs("speechmos", "silero_vad", "onnxruntime", "resemblyzer", "webrtcvad")
def test_a_voice_is_nearer_to_itself_than_to_clicks(speech_path: Path, tmp_path: Path) -> None:
    sf.write(tmp_path / "clicks.wav", clicks(0.3), RATE)
    command = [sys.executable, str(ROOT / "benchmarks" / "ear.py"), str(speech_path), "--kind", "speech", "--json"]
    same, other = (
        {row["feature"]: row for row in json.loads(subprocess.check_output([*command, str(take)]))}
        for take in (speech_path, tmp_path / "clicks.wav")
    )
    assert set(same) == {"predicted opinion (DNSMOS)", "talk spurts, s", "pauses, s", "speaker"}
    assert same["speaker"]["made"] < 0.3 * other["speaker"]["made"]
    assert other["talk spurts, s"]["made"] is None
