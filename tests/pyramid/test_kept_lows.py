"""The band that is kept of given audio, and the filters that keep it."""

from __future__ import annotations

import math

import pytest
import torch

from caw_toolkit.generators.guide import FRAMES_A_SECOND
from caw_toolkit.pyramid.kept_lows import kept_below, low_pass

RATE = 4000


def tones(seconds: float = 2, **amplitudes: float) -> torch.Tensor:
    """Of so many Hz: `tones(_100=1)`."""
    time = torch.arange(round(seconds * RATE)) / RATE
    parts = [each * torch.sin(2 * math.pi * float(name[1:]) * time) for name, each in amplitudes.items()]
    return torch.stack(parts).sum(0, keepdim=True)


def middle(signal: torch.Tensor, share: float = 1) -> float:
    """What is kept in the middle of a signal, Hz."""
    below = kept_below(signal, RATE, share)
    return float(below[len(below) // 2])


def test_most_of_the_power_below_1_khz_is_kept() -> None:
    assert middle(tones(_100=1, _600=0.1, _1500=1)) == 350
    assert middle(tones(_100=1, _500=1, _800=0.5, _1500=1.5)) == pytest.approx(500, abs=15)


def test_no_more_than_about_half_of_all_is_kept() -> None:
    assert middle(tones(_220=1, _440=0.1)) == pytest.approx(220, abs=10)
    assert middle(tones(_300=1, _700=0.2, _1500=0.2)) == pytest.approx(300, abs=10)


def test_a_bass_is_kept() -> None:
    assert middle(tones(_60=1, _120=0.5)) == 350
    song = torch.cat([tones(_60=1), tones(_600=2, _900=2)], dim=1)
    below = kept_below(song, RATE)  # not much of a bass throughout, but there it is alone
    assert float(below[FRAMES_A_SECOND]) == pytest.approx(200, abs=5)


def test_a_share_ends_lower_for_a_bass_than_for_a_voice() -> None:
    assert middle(tones(_60=1, _120=0.5), 0.5) == pytest.approx(60, abs=10)
    assert middle(tones(_150=1, _300=0.5), 0.5) == pytest.approx(150, abs=10)


def test_it_follows_the_audio() -> None:
    song = torch.cat([tones(_100=1, _700=1, _900=0.1, _1500=2), tones(_230=1, _900=0.1)], dim=1)
    below = kept_below(song, RATE)
    assert below[FRAMES_A_SECOND] > 600
    assert below[3 * FRAMES_A_SECOND] < 250
    assert below.diff().abs().max() < 100


def test_silence_and_short_signals() -> None:
    assert ((kept_below(torch.zeros(1, RATE), RATE) > 0) & (kept_below(torch.zeros(1, RATE), RATE) <= 350)).all()
    assert kept_below(torch.ones(2, 5), RATE).isfinite().all()


def test_a_low_pass_keeps_what_is_below() -> None:
    assert low_pass(RATE, 0) is None
    for hertz in (400, torch.full((FRAMES_A_SECOND + 1,), 400.0)):
        apply = low_pass(RATE, hertz)
        assert apply is not None
        low, above = tones(1, _200=1), tones(1, _700=1)
        torch.testing.assert_close(apply(low + above)[:, 200:-200], low[:, 200:-200], atol=2e-2, rtol=0)


def test_a_low_pass_moves() -> None:
    apply = low_pass(
        RATE, torch.cat([torch.full((FRAMES_A_SECOND,), 600.0), torch.full((FRAMES_A_SECOND + 1,), 200.0)])
    )
    assert apply is not None
    song = tones(_400=1).expand(2, -1)
    kept = apply(song[None])[0]
    assert kept.shape == song.shape
    torch.testing.assert_close(kept[:, 600:3000], song[:, 600:3000], atol=2e-2, rtol=0)
    assert kept[:, 5000:-600].abs().max() < 0.02
    assert apply(song[None, :, :3]).shape == (1, 2, 3)
