"""Gaps in recordings of any length: listed, labelled, grouped; filled, and nothing else changed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
from click.testing import CliRunner, Result

from caw_inpainting.gaps import ListedGap
from caw_inpainting.groups import Group, group_gaps
from caw_inpainting.labels import format_labels, read_labels
from caw_process import run_python
from caw_toolkit import AudioClip, CawUsageError, PyramidModel
from caw_toolkit.audio.spool import spooled_audio
from caw_toolkit.cli import main
from caw_toolkit.dsp.resampling import resample

pytestmark = pytest.mark.usefixtures("quick_filling")

RATE = 4000


def inpaint(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["inpaint", *map(str, arguments), "--seed", "1"])


@pytest.fixture(scope="module")
def sound(speech: AudioClip) -> npt.NDArray[np.float64]:
    """12 s of speech at 4 kHz, `(samples,)`, with more bits than float32 has."""
    low = resample(speech.samples, speech.sample_rate, RATE)[0].astype(np.float64)
    noisy: npt.NDArray[np.float64] = low + np.random.default_rng(0).uniform(-1, 1, len(low)) * 1e-4
    return noisy


@pytest.fixture
def broken(sound: npt.NDArray[np.float64], tmp_path: Path) -> Path:
    """The same with two dropouts, as a file."""
    samples = sound.copy()
    samples[10_000:10_600] = 0
    samples[30_000:30_400] = 0
    sf.write(tmp_path / "talk.wav", samples, RATE)
    return tmp_path / "talk.wav"


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [
        ("wav", "PCM_16"),
        ("wav", "PCM_24"),
        ("wav", "PCM_32"),
        ("wav", "FLOAT"),
        ("wav", "DOUBLE"),
        ("flac", "PCM_16"),
        ("flac", "PCM_24"),
    ],
)
def test_every_bit_outside_the_gaps_stays(
    suffix: str, subtype: str, sound: npt.NDArray[np.float64], tiny_model_path: Path, tmp_path: Path
) -> None:
    source = tmp_path / f"a.{suffix}"
    sf.write(source, sound, RATE, subtype=subtype)
    log = tmp_path / "log"
    made = inpaint(source, "--gap", 3, 3.1, "--gap", 0, 0.05, "-m", tiny_model_path, "--log", log)
    assert made.exit_code == 0, made.stderr
    before, after = (sf.read(path, dtype="float64")[0] for path in (source, tmp_path / f"a.inpainted.{suffix}"))
    changed = before != after
    assert changed[3 * RATE : round(3.1 * RATE)].any()
    changed[3 * RATE : round(3.1 * RATE)] = changed[: RATE // 20] = False
    assert not changed.any()
    assert sf.info(tmp_path / f"a.inpainted.{suffix}").subtype == subtype
    assert json.loads(log.read_text())["generated"] == [[0, 200], [12_000, 12_400]]
    assert CliRunner().invoke(main, ["verify", str(log)]).exit_code == 0


def test_gaps_are_found_checked_and_filled(broken: Path, tiny_model_path: Path, tmp_path: Path) -> None:
    labels = tmp_path / "gaps.txt"
    looked = inpaint(broken, "--find", "--dry-run", "-m", tiny_model_path, "--write-labels", labels)
    assert looked.exit_code == 0, looked.stderr
    assert looked.stdout.splitlines() == [
        "2 gaps, 0.250 s in all",
        "   1  at 0:02.500     150 ms  silence",
        "   2  at 0:07.500     100 ms  silence",
    ]
    assert labels.read_text() == "2.500000\t2.650000\tsilence\n7.500000\t7.600000\tsilence\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gaps.txt", "talk.wav"]

    labels.write_text(labels.read_text().splitlines()[1] + "\n\\\t100.000000\t900.000000\n")
    filled = inpaint(broken, "--labels", labels, "-m", tiny_model_path, "--json", "-q")
    assert filled.exit_code == 0, filled.stderr
    described = json.loads(filled.stdout)
    assert [(gap["start"], gap["stop"], gap["kind"]) for gap in described["gaps"]] == [(30_000, 30_400, "silence")]
    assert described["outputs"] == [str(tmp_path / "talk.inpainted.wav")]
    after = sf.read(tmp_path / "talk.inpainted.wav")[0]
    assert after[30_000:30_400].any() and not after[10_000:10_600].any()


def test_labels_come_back_sample_for_sample(tmp_path: Path) -> None:
    for rate in (8000, 44_100, 192_000):
        starts = np.random.default_rng(rate).integers(0, 3600 * rate, 50).tolist()
        gaps = [ListedGap(start, start + 77, "level hole") for start in sorted(starts)]
        (tmp_path / "labels.txt").write_text(format_labels(gaps, rate))
        assert read_labels(tmp_path / "labels.txt", rate) == gaps


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no labels"),
        ("1.0\t1.5\tx\n2,0 3,0\n", "line 2: not a label of Audacity"),
        ("nan\t1\tx\n", "line 1: not a label of Audacity"),
        ("1.0\t1.0\tx\n", "line 1: the label marks a point"),
    ],
)
def test_what_is_no_label_is_said(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(text)
    with pytest.raises(CawUsageError, match=message):
        read_labels(tmp_path / "labels.txt", RATE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to fill: name a gap with --gap START END or --labels FILE, or use --find"),
        (["--gap", 11, 13], "does not lie within the file"),
        (["--gap", 1, 11], "the gaps leave no stretch of 2 s to learn from"),
        (["--labels", "{labels}", "--write-labels", "{labels}"], "is read here, and would be destroyed"),
        (["--find", "--write-labels", "{other}"], "other.txt exists; add --force"),
        (["--find", "--json", "-o", "-"], "--json prints to standard output"),
    ],
)
def test_requests_that_make_no_sense(arguments: list[object], message: str, broken: Path, tmp_path: Path) -> None:
    files = {"labels": tmp_path / "labels.txt", "other": tmp_path / "other.txt"}
    for path in files.values():
        path.write_text("1\t1.5\tx\n")
    refused = inpaint(broken, *(str(argument).format(**files) for argument in arguments))
    assert refused.exit_code in (1, 2) and message in refused.stderr
    assert files["other"].read_text() == "1\t1.5\tx\n" and not (tmp_path / "talk.inpainted.wav").exists()


def test_where_nothing_is_found_it_is_said(speech_path: Path) -> None:
    looked = inpaint(speech_path, "--find", "--dry-run")
    assert looked.exit_code == 1 and "no gaps found in" in looked.stderr
    listed = inpaint(speech_path, "--find", "--dry-run", "--json")
    assert listed.exit_code == 0 and json.loads(listed.stdout)["gaps"] == []


@pytest.fixture
def three_minutes(tmp_path: Path, sound: npt.NDArray[np.float64]) -> Path:
    """A file with gaps at 20, 28 and 150 s."""
    samples = np.resize(sound, 180 * RATE)
    for start in (20, 28, 150):
        samples[start * RATE : start * RATE + 500] = 0
    sf.write(tmp_path / "long.wav", samples, RATE, subtype="PCM_24")
    return tmp_path / "long.wav"


def groups_in(path: Path, gaps: list[tuple[int, int]]) -> list[Group]:
    with spooled_audio(path) as audio:
        return group_gaps(gaps, audio)


def test_gaps_near_each_other_share_half_a_minute_around_them(three_minutes: Path) -> None:
    gaps = [(second * RATE, second * RATE + 500) for second in (20, 28, 150)]
    near, far = groups_in(three_minutes, gaps)
    assert (near.numbers, far.numbers) == (range(2), range(2, 3))
    for group in (near, far):
        seconds = sum(stop - start for start, stop in group.stretches) / RATE
        assert seconds == pytest.approx(30, abs=0.3)
    assert [stretch[1] for stretch in near.stretches[:2]] == [20 * RATE, 28 * RATE]
    at_start, at_end = groups_in(three_minutes, [(RATE, 2 * RATE), (178 * RATE, 179 * RATE)])
    assert at_start.stretches == ((2 * RATE, 31 * RATE),)  # a second before it is too short
    assert at_end.stretches == ((149 * RATE, 178 * RATE),)


def test_gaps_too_dense_to_learn_from_are_named_and_the_others_filled(
    three_minutes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model_path: Path
) -> None:
    gaps = [(20, 20.125), (30, 60), *((second, second + 0.3) for second in range(61, 179))]
    arguments = [word for gap in gaps for word in ("--gap", *gap)]
    looked = inpaint(three_minutes, *arguments, "--dry-run", "--json")
    assert json.loads(looked.stdout)["cannot_be_filled"] == list(range(3, 121))
    # Training is left out: the tiny model stands for all that would be trained.
    model = PyramidModel.load(tiny_model_path)
    monkeypatch.setattr("caw_inpainting.models.load_or_train", lambda *_, **__: model)
    filled = inpaint(three_minutes, *arguments)
    assert filled.exit_code == 1
    assert "118 of 120 gaps cannot be filled, at 1:01.000, 1:02.000" in filled.stderr
    assert filled.stderr.endswith("no stretch of 2 s around them is intact; the others are\n")
    after, before = (sf.read(path)[0] for path in (tmp_path / "long.inpainted.wav", three_minutes))
    assert after[20 * RATE : 20 * RATE + 500].any()
    np.testing.assert_array_equal(after[60 * RATE :], before[60 * RATE :])


@pytest.mark.slow
def test_far_gaps_are_filled_by_a_model_each(three_minutes: Path, tmp_path: Path) -> None:
    gaps = [word for second in (20, 28, 150) for word in ("--gap", second, second + 0.125)]
    made = inpaint(three_minutes, *gaps, "--minutes", 0.1, "--device", "cpu", "-n", 2)
    assert made.exit_code == 0, made.stderr
    assert "model 1 of 2, for gaps 1 to 2: 30 s between 0:08.938 and 0:39.188" in made.stderr
    assert "model 2 of 2, for gap 3" in made.stderr
    before, *takes = (sf.read(tmp_path / f"long{name}.wav")[0] for name in ("", ".inpainted1", ".inpainted2"))
    outside = np.ones(len(before), bool)
    for second in (20, 28, 150):
        outside[second * RATE : second * RATE + 500] = False
        for take in takes:
            assert take[second * RATE : second * RATE + 500].std() > 1e-4
    for take in takes:
        np.testing.assert_array_equal(take[outside], before[outside])
    assert (takes[0] != takes[1]).any()


def peak_kib(*arguments: object) -> int:
    """Peak memory of `caw inpaint` in a process of its own."""
    code = (
        "import sys; from caw_toolkit.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: print(end.code)\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    )
    done = run_python("-c", code, "inpaint", *map(str, arguments))
    exit_code, peak = done.stdout.split()
    assert exit_code == "0", done.stderr
    return int(peak)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_memory_does_not_grow_with_the_file(
    sound: npt.NDArray[np.float64], tiny_model_path: Path, tmp_path: Path
) -> None:
    """Eight hours at 4 kHz are 460 MB as float32."""
    with sf.SoundFile(tmp_path / "long.flac", "w", RATE, 1, "PCM_24") as target:
        for part in range(8 * 60):
            minute = np.resize(sound, 60 * RATE) * (1 - part / 1000)
            target.write(minute)
    gaps = ["--find", "--gap", "1", "1.1", "--gap", "20000", "20000.1"]
    assert peak_kib(tmp_path / "long.flac", *gaps, "-m", str(tiny_model_path)) < 1_000_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_memory_does_not_grow_with_the_models(sound: npt.NDArray[np.float64], tmp_path: Path) -> None:
    sf.write(tmp_path / "long.wav", np.resize(sound, 160 * 48_000), 48_000)
    gaps = [("--gap", second, second + 0.1) for second in (20, 75, 130)]
    one, three = (
        peak_kib(tmp_path / "long.wav", *np.ravel(some), "--minutes", 0.02 * len(some), "--device", "cpu", "--force")
        for some in (gaps[:1], gaps)
    )
    assert three < one + 60_000 and three < 1_200_000, (one, three)
