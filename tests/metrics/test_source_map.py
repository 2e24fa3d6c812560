"""Takes whose origin is known give it back."""

import numpy as np
import pytest

from caw_toolkit.metrics import Signal, scoring_signal, source_map
from paths import EXAMPLES

#: Frames are 10 ms apart: a place is known to half of that, and a join to the length of a frame.
PLACE_TOLERANCE, JOIN_TOLERANCE = 0.006, 0.03


@pytest.fixture(scope="module")
def guitar() -> tuple[Signal, int]:
    return scoring_signal(EXAMPLES / "guitar.flac")


def test_take_cut_together_gives_its_places_back(guitar: tuple[Signal, int]) -> None:
    recording, rate = guitar
    cuts = [(6.2, 0.8), (0.404, 0.2), (3.25, 0.1), (1.5, 1.2), (8.0, 0.5)]
    take = np.concatenate([recording[round(at * rate) :][: round(seconds * rate)] for at, seconds in cuts])
    segments = source_map(0.3 * take, recording, rate)  # a take may be turned down
    assert len(segments) == len(cuts)
    begins = np.cumsum([0, *(seconds for _, seconds in cuts)])
    for segment, (at, seconds), begin in zip(segments, cuts, begins, strict=False):
        assert segment.source - segment.start == pytest.approx(at - begin, abs=PLACE_TOLERANCE)
        assert (segment.start, segment.stop) == pytest.approx((begin, begin + seconds), abs=JOIN_TOLERANCE)


def test_copy_is_one_segment(guitar: tuple[Signal, int]) -> None:
    recording, rate = guitar
    (segment,) = source_map(recording, recording, rate)
    assert (segment.start, segment.source) == (0, 0)
    assert segment.stop == pytest.approx(len(recording) / rate, abs=0.01)


def test_what_is_not_from_the_recording_is_left_out(guitar: tuple[Signal, int]) -> None:
    recording, rate = guitar
    noise = 0.1 * np.random.default_rng(0).standard_normal(rate)
    first, second = source_map(np.concatenate([recording[:rate], noise, recording[:rate]]), recording, rate)
    assert first.stop == pytest.approx(1, abs=JOIN_TOLERANCE)
    assert (second.start, second.source) == pytest.approx((2, 0), abs=JOIN_TOLERANCE)
    assert source_map(noise, recording, rate) == ()


def test_silence_and_moments_come_from_nowhere(guitar: tuple[Signal, int]) -> None:
    recording, rate = guitar
    assert source_map(np.zeros(rate), recording, rate) == ()
    assert source_map(recording, np.zeros(rate), rate) == ()
    assert source_map(recording[:10], recording, rate) == ()


def test_rates_below_those_of_audio_are_refused() -> None:
    with pytest.raises(ValueError, match="1000 Hz"):
        source_map(np.ones(100), np.ones(100), 500)
