"""The choice of a pyramid's rates: synthetic signals, real clips, thinning, rates given by the user."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import soundfile

from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.pyramid.rates import CANDIDATE_RATES, PAPER_RATES, ScaleRules, check_rates, choose_rates
from paths import ROOT

SHARED_AUDIO = ROOT.parent / "shared" / "audio"


@pytest.fixture
def shared_clip() -> Callable[[str], tuple[np.ndarray, int]]:
    """Reads a clip of the audio collection beside the repository; skips the test where there is none."""

    def read(name: str) -> tuple[np.ndarray, int]:
        path = SHARED_AUDIO / name
        if not path.is_file():
            pytest.skip(f"no {name} beside the repository")
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True, frames=-1)
        return np.ascontiguousarray(samples.T), rate

    return read


def tone(frequency_hz: float, rate: int = 16000, seconds: float = 2.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(round(rate * seconds)) / rate).astype(np.float32)[None]


def energy_at(samples: np.ndarray, sample_rate: int, rate: int) -> float:
    """Mean square of the peak-normalised signal below half of `rate`, from its spectrum (Parseval)."""
    spectrum = np.fft.rfft(samples.astype(np.float64) / np.abs(samples).max(), axis=1)
    power = 2 * np.abs(spectrum) ** 2 / samples.shape[1] ** 2
    power[:, 0] /= 2
    below = np.fft.rfftfreq(samples.shape[1], 1 / sample_rate) < rate / 2
    return float(power[:, below].sum(axis=1).mean())


def test_the_paper_has_sixteen_rates() -> None:
    assert len(PAPER_RATES) == 16
    assert list(CANDIDATE_RATES) == sorted(set(CANDIDATE_RATES))


@pytest.mark.parametrize(("frequency_hz", "first"), [(100, 320), (220, 500), (700, 1600), (3000, 8000)])
def test_the_first_scale_holds_the_energy(frequency_hz: float, first: int) -> None:
    rates = choose_rates(tone(frequency_hz), 16000, ScaleRules(), is_speech=False)
    assert rates == tuple(rate for rate in PAPER_RATES if rate >= first)


def test_energy_is_averaged_over_channels() -> None:
    """The low tone's mean square is 0.0034 in the first channel and half of that over both."""
    low = 0.09 * tone(100)
    mono = low + tone(5000)
    stereo = np.concatenate([mono, tone(5000)])
    assert choose_rates(mono, 16000, ScaleRules(), is_speech=False)[0] == 320
    assert choose_rates(stereo, 16000, ScaleRules(), is_speech=False)[0] == 12000


def test_speech_starts_at_its_lowest_rate() -> None:
    assert choose_rates(tone(3000), 16000, ScaleRules(), is_speech=True)[0] == 500
    assert choose_rates(tone(100), 16000, ScaleRules(lowest_speech_rate=640), is_speech=True)[0] == 640


def test_without_energy_the_fallback_rate_is_first() -> None:
    click = np.zeros((1, 32000), dtype=np.float32)
    click[0, 100] = 1
    assert choose_rates(click, 16000, ScaleRules(), is_speech=False)[0] == 500
    assert choose_rates(np.zeros((1, 32000), dtype=np.float32), 16000, ScaleRules(), is_speech=False)[0] == 500


def test_the_coarsest_scale_has_the_minimum_of_samples() -> None:
    rules = ScaleRules(minimum_samples=3000)
    assert choose_rates(tone(100), 16000, rules, is_speech=False)[0] == 1600  # 2 s
    assert choose_rates(tone(100), 16000, rules, is_speech=True)[0] == 1600


def test_a_recording_below_the_minimum_is_refused() -> None:
    with pytest.raises(CawError, match=r"32000 samples \(2\.00 s\)"):
        choose_rates(tone(100), 16000, ScaleRules(minimum_samples=40000), is_speech=False)


@pytest.mark.parametrize("sample_rate", [300, 8000, 11025, 16000, 22050, 44100, 48000, 192000])
def test_rates_ascend_and_end_with_the_clip(sample_rate: int) -> None:
    rates = choose_rates(tone(60, sample_rate), sample_rate, ScaleRules(), is_speech=False)
    assert rates[-1] == sample_rate
    assert all(lower < upper for lower, upper in pairwise(rates))
    assert set(rates[:-1]) <= set(CANDIDATE_RATES)


def test_thinning_takes_the_largest_allowed_steps() -> None:
    rules = ScaleRules(largest_ratio=2.0)
    rates = choose_rates(tone(100), 16000, rules, is_speech=True)
    assert rates == (500, 1000, 2000, 4000, 8000, 16000)
    rates = choose_rates(tone(100), 16000, ScaleRules(largest_ratio=1.5), is_speech=True)
    assert rates == (500, 640, 800, 1000, 1280, 1600, 2000, 2500, 4000, 8000, 12000, 16000)  # 2500, 4000: no choice


def test_a_step_too_small_is_dropped() -> None:
    rules = ScaleRules(smallest_ratio=1.2)
    assert choose_rates(tone(100), 16000, rules, is_speech=True)[-3:] == (10000, 12000, 16000)
    assert 44100 not in choose_rates(tone(100, 48000), 48000, ScaleRules(smallest_ratio=1.1), is_speech=True)


def test_the_first_scale_is_kept_however_close() -> None:
    rules = ScaleRules(candidate_rates=(15000,), smallest_ratio=1.5)
    assert choose_rates(tone(7000), 16000, rules, is_speech=False) == (15000, 16000)


@pytest.mark.parametrize(
    "wrong",
    [{"candidate_rates": (500, 400)}, {"candidate_rates": (0, 400)}, {"largest_ratio": 1.0}, {"smallest_ratio": 0.5}],
)
def test_impossible_rules_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(CawUsageError, match=next(iter(wrong))):
        ScaleRules(**wrong)  # type: ignore[arg-type]


@pytest.mark.real_audio
@pytest.mark.parametrize(
    "name", ["music/guitar_44k1_stereo.flac", "music/tabla_44k1_stereo.flac", "denoise/violin_clean.flac"]
)
def test_first_scale_of_real_clips(name: str, shared_clip: Callable[[str], tuple[np.ndarray, int]]) -> None:
    samples, sample_rate = shared_clip(name)
    samples /= np.abs(samples).max()
    rates = choose_rates(samples, sample_rate, ScaleRules(), is_speech=False)
    tested = [rate for rate in CANDIDATE_RATES if rate < sample_rate]
    expected = next((rate for rate in tested if energy_at(samples, sample_rate, rate) >= 0.0025), 500)
    assert rates == (*(rate for rate in tested if rate >= expected), sample_rate)


@pytest.mark.real_audio
def test_scales_of_real_speech(shared_clip: Callable[[str], tuple[np.ndarray, int]]) -> None:
    samples, sample_rate = shared_clip("speech/librispeech_male.flac")
    assert choose_rates(samples, sample_rate, ScaleRules(), is_speech=True) == PAPER_RATES[2:]


def test_given_rates_end_with_the_clips_own() -> None:
    assert check_rates([500, 2000], 16000) == (500, 2000, 16000)
    assert check_rates([500, 16000], 16000) == (500, 16000)


@pytest.mark.parametrize(
    ("rates", "message"),
    [([], "no scales"), ([500, 500], "ascend"), ([2000, 500], "ascend"), ([0, 500], "positive"), ([20000], "above")],
)
def test_wrong_given_rates_are_refused(rates: list[int], message: str) -> None:
    with pytest.raises(CawUsageError, match=message):
        check_rates(rates, 16000)


def test_torch_is_not_imported() -> None:
    code = "import sys, caw_toolkit.pyramid.rates; sys.exit('torch' in sys.modules)"
    root = ROOT
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
