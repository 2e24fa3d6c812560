"""What a broadcast WAV says beside its audio goes through every command: read by mutagen, by ffprobe, by hand."""

from __future__ import annotations

import io
import itertools
import json
import shutil
import struct
import subprocess
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import tagged_files
from caw_toolkit.audio.id3 import to_id3
from caw_toolkit.audio.tagging import Tagging
from caw_toolkit.cli import main
from tagged_files import PIXEL, chunks_of, tags_of

pytestmark = pytest.mark.usefixtures("quick_filling")

FFPROBE = shutil.which("ffprobe")
#: Rate of the tiny model, and one that MP3 has.
RATE, MP3_RATE = 4000, 16_000
LOST = "bext, iXML, cue, smpl, LIST adtl"


def run(command: str, source: Path, target: Path, model: Path) -> str:
    """Make a file of another with a command; what it says."""
    options = {
        "denoise": (),
        "inpaint": ("--gap", "3", "3.05", "-m", model, "--seed", "1"),
        "bwe": ("-m", model, "--seed", "1"),
        "process": ("-e", "Gain(gain_db=-3)"),
    }[command]
    place = (target,) if command == "process" else ("-o", target)
    made = CliRunner().invoke(main, [command, *map(str, (source, *place, *options))])
    assert made.exit_code == 0, made.stderr
    return made.stderr


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of noise below 900 Hz, which the tiny model can extend, with all that a WAV can say."""
    path = tmp_path_factory.mktemp("tagged") / "a.wav"
    tagged_files.write_wav(path, tagged_files.low_noise(4, RATE), sample_rate=RATE)
    return path


def probed(path: Path) -> dict[str, str]:
    """Tags of the file and of its audio as ffprobe reads them, and whether there is a picture."""
    command: list[str | Path] = [
        FFPROBE or "ffprobe",
        "-v",
        "quiet",
        "-show_format",
        "-show_streams",
        "-of",
        "json",
        path,
    ]
    found = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    tags = dict(found["format"].get("tags", {}))
    for stream in found["streams"]:
        if stream["codec_type"] == "audio":
            tags |= stream.get("tags", {})
        else:
            tags["picture"] = stream["codec_name"]
    return {name.lower(): text for name, text in tags.items()}


@pytest.mark.parametrize(
    ("command", "suffix"),
    [
        *itertools.product(["denoise", "inpaint", "bwe", "process"], [".wav", ".flac", ".ogg", ".aiff"]),
        *itertools.product(["denoise", "process"], [".mp3"]),  # which the tiny model's rate is too low for
    ],
)
def test_all_that_a_format_can_hold_is_carried(
    command: str, suffix: str, recording: Path, tiny_model_path: Path, tmp_path: Path
) -> None:
    if suffix == ".mp3":
        recording = tmp_path / "a.wav"
        tagged_files.write_wav(recording, tagged_files.low_noise(1, MP3_RATE))
    target = tmp_path / f"made{suffix}"
    said = run(command, recording, target, tiny_model_path)

    lost = {".wav": "", ".aiff": LOST, ".mp3": LOST}.get(suffix, f"{LOST}, PRIV")
    told = f"cannot hold what its source says beside the audio: {lost}\n"
    assert told in said if lost else "cannot hold" not in said
    assert tags_of(target) == {
        "title": ["Naïve tune"], "artist": ["Somebody"], "comment": ["one, two"], "pictures": ["1"],
    }  # fmt: skip
    frames = mutagen.File(target).tags
    if suffix in (".wav", ".aiff", ".mp3"):
        assert frames.getall("APIC")[0].data == PIXEL and frames.getall("PRIV")[0].data == b"\1\2"
    if suffix == ".wav":
        held, before = chunks_of(target), chunks_of(recording)
        for name in (b"iXML", b"cue ", b"smpl", b"LISTadtl"):
            assert held[name] == before[name]
        assert held[b"bext"][:602] == before[b"bext"][:602]
        history = held[b"bext"][602:].rstrip(b"\0").decode("ascii").split("\r\n")
        assert history[0] == "A=ANALOGUE,M=mono,T=Studer"
        assert history[1].startswith("A=PCM,W=16,M=mono,T=caw_toolkit ") and history[1].endswith(f" {command}")


@pytest.mark.skipif(FFPROBE is None, reason="needs ffprobe")
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".aiff", ".caf"])
def test_ffprobe_reads_what_was_carried(suffix: str, recording: Path, tiny_model_path: Path, tmp_path: Path) -> None:
    for command in ("denoise", "inpaint", "bwe", "process"):
        target = tmp_path / f"{command}{suffix}"
        run(command, recording, target, tiny_model_path)
        tags = probed(target)
        assert (tags["title"], tags["artist"]) == ("Naïve tune", "Somebody")
        assert tags.get("comment", tags.get("comments")) == "one, two"
        if suffix == ".wav":
            assert tags["encoded_by"] == "Archive" and tags["time_reference"] == "48000"
            assert tags["coding_history"].rstrip().endswith(f" {command}")
        if suffix in (".flac", ".ogg", ".aiff"):
            assert tags["picture"] == "png"


def test_markers_of_an_aiff_go_through_every_command(tiny_model_path: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "a.aiff", tmp_path / "made.aiff"
    tagged_files.write_container(source, tagged_files.low_noise(4, RATE))
    data = bytearray(source.read_bytes())  # which states 16 kHz
    rate = data.index(b"COMM") + 16
    data[rate : rate + 10] = struct.pack(">HQ", 0x3FFF + 11, RATE << 52)
    source.write_bytes(data)
    for command in ("denoise", "inpaint", "bwe", "process"):
        assert "cannot hold" not in run(command, source, target, tiny_model_path)
        held = tagged_files.container_chunks_of(target)
        assert {name: held[name] for name in tagged_files.AIFF_CHUNKS} == tagged_files.AIFF_CHUNKS
        target.unlink()


@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".caf", ".w64"])
def test_a_second_file_behind_the_first_is_said_and_is_no_metadata(suffix: str, tmp_path: Path) -> None:
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    soundfile.write(source, np.sin(np.arange(4000)), 16_000)
    source.write_bytes(2 * source.read_bytes())
    assert f"{source} holds more audio behind its first" in run("process", source, target, source)
    assert soundfile.info(target).frames == 4000  # and libsndfile reads it


@pytest.mark.parametrize(
    ("name", "content", "label"), [(b"smpl", b"INFO", "smpl"), (b"a\nb\x1b", b"", r"a b\x1b"), (b"acid", b"", "acid")]
)
def test_chunks_that_lead_readers_astray_stay_behind(name: bytes, content: bytes, label: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    soundfile.write(source, np.sin(np.arange(4000)), 16_000)
    kept = tagged_files.chunk(b"iXML", b"<BWFXML/>")
    source.write_bytes(source.read_bytes() + kept + tagged_files.chunk(name, content))
    assert f"says beside the audio: {label}" in run("process", source, target, source)
    assert soundfile.info(target).frames == 4000 and list(chunks_of(target))[1:2] == [b"iXML"]


def test_two_chunks_of_audio_are_said(tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    soundfile.write(source, np.sin(np.arange(4000)), 16_000)
    source.write_bytes(source.read_bytes() + tagged_files.chunk(b"data", bytes(100)))
    assert "holds more audio behind its first" in run("process", source, tmp_path / "out.wav", source)


def test_a_time_reference_at_its_most_stays_there(tmp_path: Path) -> None:
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    soundfile.write(source, np.sin(np.arange(4000)), 16_000)
    source.write_bytes(source.read_bytes() + tagged_files.chunk(b"bext", b"\xff" * 602))
    run("process", source, target, source)
    assert b"\xff" * 8 in chunks_of(target)[b"bext"]


def test_a_second_tag_is_read_and_what_contradicts_the_first_is_named(tmp_path: Path) -> None:
    tagged = []
    for title, more in (("one", {}), ("two", {"artist": "somebody"})):
        file = io.BytesIO()
        to_id3(Tagging({"title": (title,), **{name: (text,) for name, text in more.items()}})).save(file)
        tagged.append(file.getvalue())
    soundfile.write(tmp_path / "plain.mp3", np.sin(np.arange(32_000)), 16_000)
    source, target = tmp_path / "in.mp3", tmp_path / "out.flac"
    source.write_bytes(b"".join(tagged) + (tmp_path / "plain.mp3").read_bytes())
    said = run("process", source, target, source)
    assert "cannot hold what its source says beside the audio: title of another ID3 tag" in said
    assert tags_of(target)["title"] == ["one"] and tags_of(target)["artist"] == ["somebody"]


def test_what_is_damaged_is_named(recording: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.wav"
    data = recording.read_bytes()
    place = data.index(b"INAM") + 4
    damaged.write_bytes(data[:place] + b"\xff\xff\xff\x0f" + data[place + 4 :])
    target = tmp_path / "made.wav"
    assert f"{target} lacks what is damaged in its source: LIST INFO" in run("process", damaged, target, Path())
