"""Inpainting: gaps are checked, never trained on, and nothing outside them changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
from click.testing import CliRunner

from caw_inpainting import gaps, joins
from caw_inpainting.bands import Bands
from caw_inpainting.processor import Inpaint
from caw_inpainting.surroundings import Surroundings
from caw_inpainting.task import fill, select_nearest
from caw_toolkit import AudioClip, CawUsageError, PyramidModel
from caw_toolkit.audio.reading import read_audio
from caw_toolkit.cli import main
from strokes import strokes

RATE = 4000


@pytest.fixture
def clip(speech: AudioClip) -> AudioClip:
    from caw_toolkit.dsp.resampling import resample

    return AudioClip(resample(speech.samples, speech.sample_rate, RATE), RATE)


@pytest.mark.parametrize(
    ("gap", "message"),
    [
        ((-4, 10), "does not lie within"),
        ((10, 10), "shorter than a sample"),
        ((10, 9), "ends before it begins"),
        ((0, 10**9), "does not lie within"),
    ],
)
def test_gaps_that_make_no_sense(clip: AudioClip, gap: tuple[int, int], message: str) -> None:
    with pytest.raises(CawUsageError, match=message):
        gaps.list_gaps([gaps.ListedGap(*gap, "given")], clip.samples.shape[1], RATE)


def test_gaps_that_touch_or_overlap_are_one() -> None:
    listed = [gaps.ListedGap(*gap, "given") for gap in [(200, 400), (100, 300), (400, 500), (900, 950)]]
    assert [gap[:2] for gap in gaps.list_gaps(listed, 1000, RATE)] == [(100, 500), (900, 950)]


def test_training_never_sees_the_gaps() -> None:
    places = [(3 * RATE, 4 * RATE), (5 * RATE, 6 * RATE)]
    left = gaps.intact_stretches(places, 0, 11 * RATE, RATE)
    assert left == [(0, 3 * RATE), (6 * RATE, 11 * RATE)]  # what is between the gaps is too short to train on


def test_the_processor_takes_digital_silence_for_gaps(clip: AudioClip) -> None:
    samples = np.maximum(np.abs(clip.samples), 1e-4)
    samples[:, 1000:1500] = 0
    samples[:, 3000:3010] = 0  # shorter than a gap
    samples[:, -800:] = 0
    total = samples.shape[1]
    assert gaps.find_silences(AudioClip(samples, RATE)) == [(1000, 1500), (total - 800, total)]


def test_the_processor_says_which_gaps_lie_beyond_the_end(
    tiny_model: PyramidModel, clip: AudioClip, caplog: pytest.LogCaptureFixture
) -> None:
    inpaint = Inpaint(model=tiny_model, gaps=[(0.1, 0.2), (0.9, 1.5), (2, 3)])
    inpaint(clip.samples[:, :RATE], RATE)
    assert [record.getMessage() for record in caplog.records] == [
        "Inpaint: the audio ends at 1 s, and the gap from 0.9 s to 1.5 s is filled to there",
        "Inpaint: the audio ends at 1 s, and the gap from 2 s to 3 s is not filled",
    ]


def test_samples_are_whole(tmp_path: Path) -> None:
    sf.write(tmp_path / "clip.wav", np.zeros(RATE), RATE)
    command = ["inpaint", str(tmp_path / "clip.wav"), "--samples", "--gap", "10", "20.5", "--seed", "1"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2 and "--samples takes whole numbers, and 20.5 is none" in result.stderr


def test_a_band_is_raised_by_its_gain_and_no_other(clip: AudioClip) -> None:
    bands = Bands(RATE)
    before = bands.levels(clip.samples)
    gains = np.zeros_like(before)
    gains[10:20] = 6.0
    change = np.median(bands.levels(bands.amplify(clip.samples, gains)) - before, axis=1)
    np.testing.assert_allclose(change[11:19], 6.0, atol=0.3)
    np.testing.assert_allclose(np.delete(change, range(8, 22)), 0.0, atol=0.1)


def test_gains_of_one_leave_a_signal_as_it_is(clip: AudioClip) -> None:
    bands = Bands(RATE)
    unchanged = bands.amplify(clip.samples, np.zeros_like(bands.levels(clip.samples)))
    np.testing.assert_allclose(unchanged, clip.samples, atol=1e-6)


@pytest.fixture
def repeating(clip: AudioClip) -> npt.NDArray[np.float32]:
    """Two seconds of speech, five times."""
    return np.tile(clip.samples[:, RATE : 3 * RATE], 5)


@pytest.mark.parametrize(
    "gap", [(4 * RATE + 100, 4 * RATE + 1600), (0, 1500), (10 * RATE - 1500, 10 * RATE)], ids=["middle", "start", "end"]
)
def test_of_what_repeats_the_missing_repetition_is_expected(
    repeating: npt.NDArray[np.float32], gap: tuple[int, int]
) -> None:
    bands = Bands(RATE)
    around = Surroundings(gaps.silence(repeating, [gap]), bands, gap, [gap])
    expected = around.expected_levels()
    assert expected is not None
    real = bands.levels(repeating)[:, slice(*bands.frames(gap))]
    assert np.abs(expected - real)[:, 5:-5].mean() < 1.0
    assert np.corrcoef(around.initial_guesses(1)[0][0], repeating[0, slice(*gap)])[0, 1] > 0.95


def test_nothing_is_expected_where_nothing_is_long_enough(clip: AudioClip) -> None:
    gap = (RATE, 7 * RATE)
    around = Surroundings(clip.samples[:, : 8 * RATE], Bands(RATE), gap, [gap])
    assert around.expected_levels() is None
    assert around.initial_guesses(3) == []


def test_takes_come_from_different_places_the_best_first(clip: AudioClip) -> None:
    gap = (5 * RATE, 5 * RATE + 1500)
    takes = [Surroundings(clip.samples, Bands(RATE), gap, [gap], take=take) for take in range(4)]
    best = [take.before.continuations[0] for take in takes]
    assert [one.distance for one in best] == sorted(one.distance for one in best)
    starts = np.array([one.start for one in best]) * 0.008
    assert np.abs(np.subtract.outer(starts, starts))[~np.eye(4, dtype=bool)].min() > 0.25
    likely, *others = (take.expected_levels() for take in takes)
    assert likely is not None
    assert all(other is not None and np.abs(other - likely).mean() > 0.5 for other in others)


def test_there_are_takes_where_no_other_place_is_left(clip: AudioClip) -> None:
    gap = (RATE, RATE + 800)
    takes = [Surroundings(clip.samples[:, : 2 * RATE], Bands(RATE), gap, [gap], take=take) for take in (0, 9)]
    assert all(take.expected_levels() is not None for take in takes)


PERIOD = 0.24


@pytest.fixture(scope="module")
def beaten() -> npt.NDArray[np.float32]:
    """10 s of strokes of different strength on a beat."""
    times = np.arange(0.1, 9.9, PERIOD)
    return strokes(times, 10, RATE, accents=np.random.default_rng(1).uniform(0.3, 1, len(times)))


def test_strokes_stay_strokes_and_as_loud_as_the_others(beaten: npt.NDArray[np.float32]) -> None:
    bands, gap = Bands(RATE), (round(4.05 * RATE), round(5.25 * RATE))
    around = Surroundings(beaten, bands, gap, [gap])
    assert around.percussiveness == 1.0
    expected = around.expected_levels()
    assert expected is not None
    struck = around.with_strokes(expected, around.initial_guesses(1)[0])
    frames = slice(*bands.frames(gap))
    real = bands.levels(beaten)

    def rises(levels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(np.maximum(levels[:, 3:] - levels[:, :-3], 0).mean(0))

    onsets = rises(struck)
    assert onsets.max() > 0.8 * np.percentile(rises(real), 97)
    # Where the beat is, and nowhere else.
    loud = bands.frames(gap)[0] + 1.5 + np.flatnonzero(onsets > 0.5 * onsets.max())
    phases = (loud * 0.008 - 0.1) / PERIOD
    assert np.abs(np.exp(2j * np.pi * phases).mean()) > 0.8
    energies = [10 * np.log10(bands.power(levels).mean()) for levels in (real, struck)]
    assert abs(energies[0] - energies[1]) < 2.0
    assert np.isfinite(struck[:, : frames.stop - frames.start]).all()


def test_what_has_no_strokes_is_given_none(clip: AudioClip) -> None:
    noise = np.random.default_rng(0).standard_normal((1, 8 * RATE)).astype(np.float32)
    gap = (3 * RATE, 4 * RATE)
    around = Surroundings(noise, Bands(RATE), gap, [gap])
    expected = around.expected_levels()
    assert expected is not None and around.percussiveness == 0.0
    assert around.with_strokes(expected, around.initial_guesses(1)[0]) is expected
    assert Surroundings(clip.samples, Bands(RATE), gap, [gap], may_have_strokes=False).percussiveness == 0.0


def test_there_is_as_much_energy_as_elsewhere(clip: AudioClip) -> None:
    bands = Bands(RATE)
    errors = []
    for start in np.arange(2.0, 9.0, 0.7):
        gap = (round(start * RATE), round((start + 0.5) * RATE))
        expected = Surroundings(clip.samples, bands, gap, [gap], may_have_strokes=False).expected_levels()
        assert expected is not None
        real = bands.levels(clip.samples)[:, slice(*bands.frames(gap))]
        errors.append(10 * np.log10(bands.power(expected).mean() / bands.power(real).mean()))
    assert abs(np.median(errors)) < 4.0


def test_no_gap_is_filled_from_another(clip: AudioClip) -> None:
    gap, other = (3 * RATE, 3 * RATE + 1500), (7 * RATE, 7 * RATE + 2000)
    loud = clip.samples.copy()
    loud[:, slice(*other)] = 1.0
    levels = [
        Surroundings(samples, Bands(RATE), gap, [gap, other]).expected_levels() for samples in (clip.samples, loud)
    ]
    assert levels[0] is not None and levels[1] is not None
    np.testing.assert_array_equal(levels[0], levels[1])


def test_a_note_goes_on_in_phase() -> None:
    time = np.arange(2 * RATE) / RATE
    note = np.sin(2 * np.pi * 440 * time, dtype=np.float32)[None]
    following = joins.extrapolate(note[:, :RATE], 200, RATE)
    np.testing.assert_allclose(following, note[:, RATE : RATE + 200], atol=0.1)


def test_noise_goes_on_at_its_level() -> None:
    noise = np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32)
    following = joins.extrapolate(noise, 1000, RATE)
    assert abs(20 * np.log10(following.std() / noise.std())) < 2


def test_a_stroke_after_a_gap_is_not_heard_before_it() -> None:
    known = 0.01 * np.random.default_rng(0).standard_normal((1, 2 * RATE)).astype(np.float32)
    made = known.copy()
    known[:, RATE + 20 : RATE + 400] *= 50  # the gap ends 5 ms before
    whole = joins.join(known, made, (RATE // 2, RATE), RATE)
    assert np.sqrt(np.mean(whole[:, RATE - 160 : RATE] ** 2)) < 0.03


@pytest.mark.parametrize("gap", [(0, 100), (5000, 6000), (5000, 5001), (3, 2000)])
def test_everything_outside_a_gap_is_untouched(clip: AudioClip, gap: tuple[int, int]) -> None:
    made = np.ones_like(clip.samples)
    whole = joins.join(clip.samples, made, gap, RATE)
    start, stop = gap
    np.testing.assert_array_equal(
        np.delete(whole, np.s_[start:stop], axis=1), np.delete(clip.samples, np.s_[start:stop], axis=1)
    )
    middle = (start + stop) // 2
    assert whole[0, middle] == pytest.approx(1.0, abs=0.1)


def test_the_attempt_nearest_to_what_is_expected_is_kept(clip: AudioClip) -> None:
    bands, gap = Bands(RATE), (RATE, 2 * RATE)
    attempts = [clip.samples * np.float32(factor) for factor in (0.1, 0.5, 0.6, 0.7)]
    expected = bands.levels(clip.samples)[:, slice(*bands.frames(gap))]
    assert select_nearest(attempts, bands, gap, expected, [expected] * 4) is attempts[3]
    assert select_nearest(attempts, bands, gap, None, [None] * 4) is attempts[1]  # nearest to the mean of all
    missed = [expected, expected, expected, expected + 30.0]
    assert select_nearest(attempts, bands, gap, expected, missed) is attempts[2]


@pytest.mark.parametrize(
    "missing_parts",
    [
        [(0, 800), (5 * RATE, 5 * RATE + 1000)],
        [(3 * RATE, 3 * RATE + 1500), (3 * RATE + 1500, 3 * RATE + 1600), (3 * RATE + 1700, 3 * RATE + 1701)],
        [(3 * RATE, 9 * RATE)],
    ],
    ids=["at an edge", "side by side", "longer than what is left"],
)
def test_gaps_of_all_kinds_are_filled(
    tiny_model: PyramidModel, clip: AudioClip, missing_parts: list[tuple[int, int]]
) -> None:
    broken = clip.samples.copy()
    missing = np.zeros(broken.shape[1], bool)
    for start, stop in missing_parts:
        broken[:, start:stop] = 0.9
        missing[start:stop] = True
    whole = fill(tiny_model, broken, missing_parts, seed=1, attempts=1)
    np.testing.assert_array_equal(whole[:, ~missing], clip.samples[:, ~missing])
    assert np.isfinite(whole).all()
    for start, stop in missing_parts:
        assert (whole[:, start:stop] != 0.9).all()


def test_the_command_fills_a_gap_bit_exactly_elsewhere(
    tiny_model: PyramidModel, clip: AudioClip, tmp_path: Path
) -> None:
    tiny_model.save(tmp_path / "clip.pt")
    sf.write(tmp_path / "clip.wav", clip.samples[0], RATE, subtype="PCM_16")
    command = ["inpaint", str(tmp_path / "clip.wav"), "--model", str(tmp_path / "clip.pt"), "--seed", "1", "-n", "2"]
    result = CliRunner().invoke(main, [*command, "--gap", "3.2", "3.95"])
    assert result.exit_code == 0, result.stderr
    before, _ = sf.read(tmp_path / "clip.wav", dtype="int16")
    takes = [sf.read(tmp_path / f"clip.inpainted{take}.wav", dtype="int16")[0] for take in (1, 2)]
    assert sf.info(tmp_path / "clip.inpainted1.wav").subtype == "PCM_16"
    outside = np.ones(len(before), bool)
    outside[round(3.2 * RATE) : round(3.95 * RATE)] = False
    for take in takes:
        np.testing.assert_array_equal(take[outside], before[outside])
        assert take[round(3.3 * RATE) : round(3.9 * RATE)].any()
    assert (takes[0] != takes[1]).any()


def test_a_lossy_source_asks_for_a_depth_that_the_target_has(speech: AudioClip, tmp_path: Path) -> None:
    source = tmp_path / "lossy.mp3"
    sf.write(source, speech.samples[0, :16000], speech.sample_rate)
    stored = read_audio(source).source
    assert stored is not None
    assert [stored.bit_depth(name) for name in ("x.flac", "x.wav", "-")] == ["24", "float", "float"]


def test_a_gap_longer_than_the_model_hears_is_filled_and_reported(
    tiny_model_path: Path, tiny_model: PyramidModel, clip: AudioClip, tmp_path: Path
) -> None:
    heard = tiny_model.receptive_field_seconds
    sf.write(tmp_path / "clip.wav", np.tile(clip.samples[0], 2), RATE)
    arguments = ["inpaint", str(tmp_path / "clip.wav"), "--gap", "2", str(3 + heard), "--model", str(tiny_model_path)]
    result = CliRunner().invoke(main, [*arguments, "--device", "cpu"])
    assert result.exit_code == 0, result.stderr
    assert f"longer than the {heard:.1f} s that the model hears at once" in result.stderr


def test_with_a_model_little_may_be_left_around_a_gap(tiny_model_path: Path, clip: AudioClip, tmp_path: Path) -> None:
    sf.write(tmp_path / "short.wav", clip.samples[0, : RATE // 2], RATE)
    arguments = ["inpaint", str(tmp_path / "short.wav"), "--hole", "0.2", "0.3", "--model", str(tiny_model_path)]
    result = CliRunner().invoke(main, [*arguments, "--seed", "1"])
    assert result.exit_code == 0, result.stderr
    made, _ = sf.read(tmp_path / "short.inpainted.wav")
    assert len(made) == RATE // 2


def test_a_model_of_other_channels_is_a_clear_error(tiny_model_path: Path, clip: AudioClip, tmp_path: Path) -> None:
    sf.write(tmp_path / "stereo.wav", np.tile(clip.samples, (2, 1)).T, RATE)
    arguments = ["inpaint", str(tmp_path / "stereo.wav"), "--hole", "1", "1.1", "--model", str(tiny_model_path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1 and "stereo.wav is stereo, and the model mono" in result.stderr
