"""Gaps of one channel of a stereo recording: found, labelled, left out of the training, filled in that channel only."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
from click.testing import CliRunner

from caw_inpainting.dropouts import LEVEL_DROPOUT, REPEATED_BUFFER, SILENCE, find_dropouts
from caw_inpainting.gaps import ListedGap, list_gaps
from caw_inpainting.labels import format_labels, read_labels
from caw_inpainting.task import Repair
from caw_process import run_caw
from caw_toolkit import AudioClip, PyramidModel, train
from caw_toolkit.audio.spool import spooled_audio
from caw_toolkit.cli import main
from caw_toolkit.dsp.resampling import resample
from paths import EXAMPLES

Samples = npt.NDArray[np.float64]

RATE, LOW_RATE = 16_000, 4000
LEFT, RIGHT = 0, 1


def mixed(left: str, right: str) -> Samples:
    """Two bundled clips, each heard a little in the other's channel, `(2, samples)`."""
    clips = [sf.read(EXAMPLES / f"{name}.flac")[0] for name in (left, right)]
    length = min(map(len, clips))
    both: Samples = np.stack([clip[:length] for clip in clips])
    return 0.7 * both + 0.2 * both[::-1]


def found_in(samples: Samples, folder: Path) -> list[ListedGap]:
    sf.write(folder / "a.wav", samples.T, RATE, subtype="PCM_24")
    with spooled_audio(folder / "a.wav") as audio:
        return find_dropouts(audio)


@pytest.mark.parametrize("channel", [LEFT, RIGHT])
def test_dropouts_of_one_channel_are_found_beside_those_of_both(channel: int, tmp_path: Path) -> None:
    samples = mixed("speech", "guitar")
    lost = samples[channel]
    lost[30_000:33_000] = 0
    lost[60_000:62_560] = np.resize(lost[59_744:60_000], 2560)
    samples[:, 90_000:92_000] = 0
    lost[120_000:124_000] *= 10 ** (-70 / 20)
    found = found_in(samples, tmp_path)
    assert [(gap.kind, gap.channel) for gap in found] == [
        (SILENCE, channel),
        (REPEATED_BUFFER, channel),
        (SILENCE, None),
        (LEVEL_DROPOUT, channel),
    ]
    for gap, (start, stop) in zip(found, [(30_000, 33_000), (60_000, 62_560), (90_000, 92_000)], strict=False):
        assert abs(gap.start - start) <= 4 and abs(gap.stop - stop) <= 4


def test_a_drop_of_the_channel_that_carries_the_sound_is_of_that_channel(tmp_path: Path) -> None:
    samples = mixed("guitar", "guitar")
    samples[RIGHT] = 1e-4 * np.random.default_rng(0).standard_normal(samples.shape[1])
    samples[LEFT, 67_200:71_200] *= 10 ** (-70 / 20)
    assert [(gap.kind, gap.channel) for gap in found_in(samples, tmp_path)] == [(LEVEL_DROPOUT, LEFT)]


@pytest.mark.parametrize("clips", [("speech", "guitar"), ("guitar", "tabla"), ("tabla", "speech")])
def test_nothing_is_found_in_intact_stereo(clips: tuple[str, str], tmp_path: Path) -> None:
    samples = mixed(*clips)
    assert found_in(samples, tmp_path) == []
    assert found_in(samples * [[1.0], [0.0]], tmp_path) == []  # a channel that was never there
    assert found_in(np.clip(12 * samples, -1, 1), tmp_path) == []


def test_what_a_gap_of_both_channels_covers_of_another_is_left_to_it() -> None:
    gaps = [ListedGap(2, 9, "a", LEFT), ListedGap(4, 6, "b"), ListedGap(5, 6, "c", RIGHT), ListedGap(8, 10, "d", RIGHT)]
    assert list_gaps(gaps, 10, RATE) == [
        ListedGap(2, 4, "a", LEFT),
        ListedGap(4, 6, "b"),
        ListedGap(6, 9, "a", LEFT),
        ListedGap(8, 10, "d", RIGHT),
    ]


def test_labels_name_the_channel(tmp_path: Path) -> None:
    gaps = [ListedGap(RATE, 2 * RATE, "silence", RIGHT), ListedGap(3 * RATE, 4 * RATE, "level hole")]
    labels = tmp_path / "labels.txt"
    labels.write_text(format_labels(gaps, RATE))
    assert labels.read_text() == "1.000000\t2.000000\tsilence (right)\n3.000000\t4.000000\tlevel hole\n"
    assert read_labels(labels, RATE) == gaps
    labels.write_text("1\t2\t(Left)\n3\t4\ta (loud) click\n")
    assert read_labels(labels, RATE) == [
        ListedGap(RATE, 2 * RATE, "label", LEFT),
        ListedGap(3 * RATE, 4 * RATE, "a (loud) click"),
    ]


@pytest.fixture(scope="module")
def stereo(speech: AudioClip) -> AudioClip:
    """12 s of speech at 4 kHz, later and fainter on the right, with noise of its own on each side."""
    low = resample(speech.samples, speech.sample_rate, LOW_RATE)[0]
    noise = 1e-4 * np.random.default_rng(0).standard_normal((2, len(low)))
    return AudioClip((np.stack([low, 0.6 * np.roll(low, 3)]) + noise).astype(np.float32), LOW_RATE)


@pytest.fixture(scope="module")
def stereo_model(stereo: AudioClip, tiny_preset: Path) -> PyramidModel:
    return train(stereo, preset=tiny_preset, sample_rate=LOW_RATE, seed=1, material="speech", device="cpu")


@pytest.mark.usefixtures("quick_filling")
def test_gaps_of_different_channels_may_overlap(stereo: AudioClip, stereo_model: PyramidModel) -> None:
    gaps = [
        ListedGap(8000, 9000, "a", LEFT),
        ListedGap(8500, 9500, "b", RIGHT),
        ListedGap(9500, 9900, "c"),
        ListedGap(20_000, 20_400, "d", RIGHT),
    ]
    damaged = stereo.samples.copy()
    expected_changes = np.zeros(damaged.shape, bool)
    for gap in gaps:
        damaged[gap.rows, gap.start : gap.stop] = 0
        expected_changes[gap.rows, gap.start : gap.stop] = True
    repair = Repair(lambda start, stop: damaged[:, start:stop], damaged.shape[1], gaps, seed=1, take=0)
    for number in range(len(gaps)):
        repair.fill(number, stereo_model, attempts=1)
    made = repair.read(0, damaged.shape[1])
    np.testing.assert_array_equal(made[~expected_changes], damaged[~expected_changes])
    for gap in gaps:
        level = made[gap.rows, gap.start : gap.stop].std() / stereo.samples[gap.rows].std()
        assert 0.01 < level < 3


def test_found_labelled_and_filled_from_the_command_line(
    stereo: AudioClip, stereo_model: PyramidModel, tmp_path: Path
) -> None:
    damaged = stereo.samples.astype(np.float64)
    damaged[RIGHT, 10_000:10_600] = 0
    sf.write(tmp_path / "talk.wav", damaged.T, LOW_RATE, subtype="PCM_24")
    stereo_model.save(tmp_path / "model.pt")
    labels = tmp_path / "gaps.txt"

    model: list[str | Path] = ["-m", tmp_path / "model.pt"]
    looked = run_caw(
        "inpaint", tmp_path / "talk.wav", *model, "--find", "--dry-run", "--json", "--write-labels", labels
    )
    assert looked.returncode == 0, looked.stderr
    listed = json.loads(looked.stdout)
    assert listed["gaps"] == [
        {
            "start": 10_000, "stop": 10_600, "start_seconds": 2.5, "stop_seconds": 2.65,
            "kind": "silence", "channel": "right",
        }
    ]  # fmt: skip
    assert listed["groups"][0]["learnt_from"] == [[0.0, 2.5], [2.65, len(damaged[0]) / LOW_RATE]]
    assert labels.read_text() == "2.500000\t2.650000\tsilence (right)\n"

    arguments: list[str | Path] = ["--labels", labels, *model, "--seed", "1"]
    log = tmp_path / "log"
    filled = run_caw("inpaint", tmp_path / "talk.wav", *arguments, "--log", log)
    assert filled.returncode == 0, filled.stderr
    assert "   1  at 0:02.500     150 ms  silence (right)" in filled.stderr
    before, after = (sf.read(tmp_path / name, dtype="int32")[0].T for name in ("talk.wav", "talk.inpainted.wav"))
    np.testing.assert_array_equal(after[LEFT], before[LEFT])
    changed = np.flatnonzero(after[RIGHT] != before[RIGHT])
    assert changed.min() >= 10_000 and changed.max() < 10_600 and len(changed) > 500

    assert json.loads(log.read_text())["generated"] == [[10_000, 10_600, RIGHT]]
    assert CliRunner().invoke(main, ["verify", str(log)]).exit_code == 0


def test_a_label_of_one_channel_of_a_mono_recording_is_refused(stereo: AudioClip, tmp_path: Path) -> None:
    sf.write(tmp_path / "mono.wav", stereo.samples[LEFT], LOW_RATE)
    (tmp_path / "gaps.txt").write_text("2.5\t2.6\tsilence (right)\n")
    refused = CliRunner().invoke(
        main, ["inpaint", str(tmp_path / "mono.wav"), "--labels", str(tmp_path / "gaps.txt"), "--seed", "1"]
    )
    assert refused.exit_code == 2 and "names the channel of 'silence (right)'" in refused.stderr
