"""Reading and writing audio files: what is refused, and that nothing is lost or half-written."""

from __future__ import annotations

import io
import logging
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from caw_toolkit.audio.clip import AudioClip, require_trainable
from caw_toolkit.audio.outputs import check_output
from caw_toolkit.audio.reading import read_audio
from caw_toolkit.audio.writing import write_audio
from caw_toolkit.errors import CawError, CawUsageError
from paths import ROOT

RATE = 16000


def tone(seconds: float = 1.0, channels: int = 1, rate: int = RATE, peak: float = 0.5) -> np.ndarray[Any, Any]:
    time = np.arange(round(seconds * rate)) / rate
    return np.stack([peak * np.sin(2 * np.pi * 220 * (channel + 1) * time) for channel in range(channels)]).astype("f4")


def stored(path: Path, samples: np.ndarray[Any, Any], rate: int = RATE, **options: Any) -> Path:
    soundfile.write(path, samples.T, rate, **options)
    return path


class Stream(io.BytesIO):
    """A standard stream: `sys.stdin.buffer`, and no terminal unless asked."""

    terminal = False

    @property
    def buffer(self) -> Stream:
        return self

    def isatty(self) -> bool:
        return self.terminal


def replace_stdout(monkeypatch: pytest.MonkeyPatch) -> Stream:
    stream = Stream()
    monkeypatch.setattr(sys, "stdout", stream)
    return stream


class TestClip:
    def test_measures(self) -> None:
        clip = AudioClip(np.array([[0.0, 0.6], [-0.8, 0.0]], dtype=np.float32), 4)
        assert (clip.channels, clip.seconds) == (2, 0.5)
        assert clip.peak == pytest.approx(0.8)
        assert clip.rms == pytest.approx(0.5)

    def test_empty(self) -> None:
        clip = AudioClip(np.zeros((1, 0), dtype=np.float32), RATE)
        assert (clip.seconds, clip.peak, clip.rms) == (0.0, 0.0, 0.0)

    @pytest.mark.parametrize("samples", [np.zeros(4, dtype=np.float32), np.zeros((1, 4))])
    def test_wrong_array(self, samples: np.ndarray[Any, Any]) -> None:
        with pytest.raises(ValueError, match="float32"):
            AudioClip(samples, RATE)


class TestRead:
    @pytest.mark.parametrize(
        ("name", "tolerance"), [("a.wav", 1e-4), ("a.flac", 1e-4), ("a.aiff", 1e-4), ("a.ogg", 0.1), ("a.mp3", 0.1)]
    )
    def test_formats(self, tmp_path: Path, name: str, tolerance: float) -> None:
        samples = tone(channels=2)
        clip = read_audio(stored(tmp_path / name, samples))
        assert clip.samples.dtype == np.float32
        assert clip.samples.flags.c_contiguous
        assert clip.sample_rate == RATE
        assert clip.samples.shape == samples.shape
        assert np.abs(clip.samples - samples).max() < tolerance

    def test_longer_than_a_block(self, tmp_path: Path) -> None:
        samples = tone(10)
        assert np.array_equal(read_audio(stored(tmp_path / "a.wav", samples, subtype="FLOAT")).samples, samples)

    @pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
    def test_part(self, tmp_path: Path, name: str) -> None:
        path = stored(tmp_path / name, tone(2))
        whole = read_audio(path).samples
        part = read_audio(path, start_seconds=0.5, duration_seconds=0.25).samples
        assert part.shape == (1, 4000)
        assert np.allclose(part, whole[:, 8000:12000], atol=1e-6)
        assert read_audio(path, start_seconds=1.5, duration_seconds=9).samples.shape == (1, 8000)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"start_seconds": 1.0}, "1.00 s long: nothing starts at 1 s"),
            ({"start_seconds": -0.1}, "start must be 0 s or later"),
            ({"start_seconds": float("nan")}, "start must be 0 s or later"),
            ({"duration_seconds": 0.0}, "duration must be above 0 s"),
        ],
    )
    def test_part_outside(self, tmp_path: Path, options: dict[str, float], words: str) -> None:
        with pytest.raises(CawUsageError, match=words):
            read_audio(stored(tmp_path / "a.wav", tone()), **options)

    @pytest.mark.parametrize("name", ["a.wav", "a.mp3"])
    def test_longest(self, tmp_path: Path, name: str) -> None:
        path = stored(tmp_path / name, tone(6))
        with pytest.raises(CawError, match=r"more than the 5 s .* --start and --duration"):
            read_audio(path, longest_seconds=5)
        assert read_audio(path, longest_seconds=5, start_seconds=1, duration_seconds=5).seconds == 5

    def test_standard_input(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        data = bytearray(stored(tmp_path / "a.wav", tone()).read_bytes())
        sizes = data.index(b"data") + 4
        data[4:8] = data[sizes : sizes + 4] = b"\xff" * 4  # as written by a program that writes to a pipe
        monkeypatch.setattr(sys, "stdin", Stream(bytes(data)))
        assert read_audio("-").samples.shape == (1, RATE)
        monkeypatch.setattr(sys, "stdin", Stream())
        with pytest.raises(CawError, match="standard input is empty"):
            read_audio("-")

    def test_standard_input_is_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stream = Stream()
        stream.terminal = True
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises(CawUsageError, match="terminal"):
            read_audio("-")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    def test_named_pipe(self, tmp_path: Path) -> None:
        path, pipe = stored(tmp_path / "a.wav", tone()), tmp_path / "pipe"
        os.mkfifo(pipe)
        with subprocess.Popen(f'cat "{path}" > "{pipe}"', shell=True):
            assert read_audio(pipe).samples.shape == (1, RATE)

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(CawUsageError, match=r"none\.wav does not exist"):
            read_audio(tmp_path / "none.wav")

    def test_directory(self, tmp_path: Path) -> None:
        with pytest.raises(CawUsageError, match="is a directory"):
            read_audio(tmp_path)

    @pytest.mark.parametrize(
        ("name", "data", "words"),
        [
            ("a.wav", b"", "empty"),
            ("a.wav", b"just text, no audio\n" * 9, "cannot be read as audio"),
            ("a.mp3", b"\x00" * 4096, "cannot be read as audio"),
            ("a.raw", b"\x00" * 4096, "no header"),
        ],
    )
    def test_not_audio(self, tmp_path: Path, name: str, data: bytes, words: str) -> None:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(CawError, match=words):
            read_audio(tmp_path / name)

    def test_no_samples(self, tmp_path: Path) -> None:
        with pytest.raises(CawError, match="holds no audio"):
            read_audio(stored(tmp_path / "a.wav", tone(0)))

    @pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.flac"])
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
    def test_truncated(self, tmp_path: Path, name: str, share: float) -> None:
        path = stored(tmp_path / name, tone(4, channels=2))
        data = path.read_bytes()
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(CawError, match="truncated"):
            read_audio(path)

    def test_flac_that_states_too_much(self, tmp_path: Path) -> None:
        path = stored(tmp_path / "a.flac", tone())
        data = bytearray(path.read_bytes())
        data[21] |= 0x0F  # the upper bits of the number of samples: 64 thousand million
        path.write_bytes(data)
        with pytest.raises(CawError, match="truncated"):
            read_audio(path)

    def test_flac_of_unknown_length(self, tmp_path: Path) -> None:
        path = stored(tmp_path / "a.flac", tone())
        data = bytearray(path.read_bytes())
        data[21] &= 0xF0
        data[22:26] = bytes(4)
        path.write_bytes(data)
        assert read_audio(path).seconds == 1

    def test_truncated_mp3_warns(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path = stored(tmp_path / "a.mp3", tone(4))
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        with caplog.at_level(logging.WARNING):
            assert 1 < read_audio(path).seconds < 3
        assert "truncated" in caplog.text

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_not_finite(self, tmp_path: Path, value: float) -> None:
        samples = tone()
        samples[0, 8000] = value
        path = stored(tmp_path / "a.wav", samples, subtype="FLOAT")
        with pytest.raises(CawError, match=r"has NaN or infinite samples, the first at 0\.500 s"):
            read_audio(path)

    def test_too_many_channels(self, tmp_path: Path) -> None:
        path = stored(tmp_path / "a.wav", tone(0.1, channels=8))
        with pytest.raises(CawError, match="has 8 channels; caw works with mono and stereo: mix it down first"):
            read_audio(path)

    @pytest.mark.parametrize("rate", [2000, 384000])
    def test_sample_rate(self, tmp_path: Path, rate: int) -> None:
        with pytest.raises(CawError, match=f"sample rate of {rate} Hz; caw works with 4000 to 192000 Hz"):
            read_audio(stored(tmp_path / "a.wav", tone(0.1), rate))

    def test_messages_are_one_line(self, tmp_path: Path) -> None:
        path = tmp_path / "a.wav"
        path.write_bytes(b"RIFF" + struct.pack("<I", 4) + b"WAVE")
        with pytest.raises(CawError) as caught:
            read_audio(path)
        assert "\n" not in str(caught.value)


class TestTrainable:
    def test_good(self) -> None:
        require_trainable(AudioClip(tone(), RATE))
        require_trainable(AudioClip(np.concatenate([tone(), np.zeros((1, RATE), "f4")]), RATE))

    @pytest.mark.parametrize(
        ("samples", "words"),
        [
            (tone(0.05), r"0\.050 s long: at least 0\.1 s"),
            (np.zeros((1, RATE), "f4"), "silent"),
            (np.full((2, RATE), 0.25, "f4"), "constant"),
        ],
    )
    def test_bad(self, samples: np.ndarray[Any, Any], words: str) -> None:
        with pytest.raises(CawError, match=words):
            require_trainable(AudioClip(samples, RATE))


class TestWrite:
    @pytest.mark.parametrize(("name", "depth"), [("a.wav", "16"), ("a.wav", "24"), ("a.flac", "16"), ("a.flac", "24")])
    def test_integer_round_trip_is_exact(self, tmp_path: Path, name: str, depth: Any) -> None:
        scale = 2 ** (int(depth) - 1)
        steps = np.random.default_rng(0).integers(-scale, scale, size=(2, 5000))
        steps[0, :2] = -scale, scale - 1
        samples = (steps / scale).astype(np.float32)
        written = write_audio(tmp_path / name, samples, RATE, bit_depth=depth)
        assert (written.path, written.gain, written.clipped_samples) == (tmp_path / name, 1.0, 0)
        assert soundfile.info(tmp_path / name).subtype == f"PCM_{depth}"
        assert np.array_equal(read_audio(tmp_path / name).samples, samples)

    def test_rounds_to_nearest(self, tmp_path: Path) -> None:
        write_audio(tmp_path / "a.wav", np.array([0.6, -0.6, 1.4]) / 32768, RATE, bit_depth="16")
        assert soundfile.read(tmp_path / "a.wav", dtype="int16")[0].tolist() == [1, -1, 1]

    def test_float_is_never_touched(self, tmp_path: Path) -> None:
        samples = tone(peak=3.0)
        assert write_audio(tmp_path / "a.wav", samples, RATE, bit_depth="float", clipping="error").gain == 1.0
        assert np.array_equal(read_audio(tmp_path / "a.wav").samples, samples)

    @pytest.mark.parametrize("name", ["a.OGG", "a.mp3"])
    def test_lossy(self, tmp_path: Path, name: str) -> None:
        samples = tone(5, channels=2)
        write_audio(tmp_path / name, samples, RATE)
        assert np.abs(read_audio(tmp_path / name).samples - samples).max() < 0.1

    def test_one_dimension(self, tmp_path: Path) -> None:
        write_audio(tmp_path / "a.wav", tone()[0], RATE)
        assert read_audio(tmp_path / "a.wav").samples.shape == (1, RATE)

    def test_input_is_not_modified(self, tmp_path: Path) -> None:
        samples = tone(peak=2.0)
        write_audio(tmp_path / "a.wav", samples, RATE)
        assert np.array_equal(samples, tone(peak=2.0))

    def test_scales_down(self, tmp_path: Path) -> None:
        samples = tone(peak=2.0)
        written = write_audio(tmp_path / "a.wav", samples, RATE)
        assert written.gain == pytest.approx(1 / np.abs(samples).max())
        assert np.allclose(read_audio(tmp_path / "a.wav").samples, samples * written.gain, atol=1e-6)

    def test_clips(self, tmp_path: Path) -> None:
        written = write_audio(tmp_path / "a.wav", np.array([0.5, 1.5, -2.0]), RATE, clipping="clip")
        assert (written.gain, written.clipped_samples) == (1.0, 2)
        assert read_audio(tmp_path / "a.wav").samples[0] == pytest.approx([0.5, 1.0, -1.0], abs=1e-6)

    def test_refuses_to_clip(self, tmp_path: Path) -> None:
        with pytest.raises(CawError, match=r"6\.0 dB above full scale"):
            write_audio(tmp_path / "a.wav", np.array([0.0, 2.0]), RATE, clipping="error")
        assert not any(tmp_path.iterdir())

    def test_unknown_clipping(self, tmp_path: Path) -> None:
        clipping: Any = "scal"
        with pytest.raises(CawUsageError, match="did you mean 'scale'"):
            write_audio(tmp_path / "a.wav", tone(), RATE, clipping=clipping)

    def test_not_finite(self, tmp_path: Path) -> None:
        with pytest.raises(CawError, match="NaN"):
            write_audio(tmp_path / "a.wav", np.array([0.0, np.nan]), RATE)

    @pytest.mark.parametrize("shape", [(RATE, 2), (1, 2, 3)])
    def test_wrong_shape(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match="1 or 2 channels"):
            write_audio(tmp_path / "a.wav", np.zeros(shape), RATE)

    def test_standard_output(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stdout = replace_stdout(monkeypatch)
        assert str(write_audio("-", tone(), RATE).path) == "-"
        stdout.seek(0)
        samples, rate = soundfile.read(stdout, dtype="float32")
        assert rate == RATE
        assert np.allclose(samples, tone()[0], atol=1e-6)

    def test_existing(self, tmp_path: Path) -> None:
        path = tmp_path / "a.wav"
        path.write_text("precious")
        with pytest.raises(CawUsageError, match=r"a\.wav exists; add --force"):
            write_audio(path, tone(), RATE)
        assert path.read_text() == "precious"
        write_audio(path, tone(), RATE, overwrite=True)
        assert read_audio(path).seconds == 1

    def test_link_keeps_pointing(self, tmp_path: Path) -> None:
        (tmp_path / "a.wav").symlink_to(tmp_path / "b.wav")
        write_audio(tmp_path / "a.wav", tone(), RATE)
        assert (tmp_path / "a.wav").is_symlink()
        assert read_audio(tmp_path / "b.wav").seconds == 1

    def test_parents_are_created(self, tmp_path: Path) -> None:
        write_audio(tmp_path / "new" / "folder" / "a.wav", tone(), RATE)
        assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["a.wav"]

    @pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
    def test_disk_full_leaves_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "a.wav"
        path.write_text("precious")
        code = (
            "import resource, sys, numpy\n"
            "from caw_toolkit.audio.writing import write_audio\n"
            "from caw_toolkit.errors import CawError\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))\n"
            "try:\n"
            "    write_audio(sys.argv[1], numpy.zeros((1, 48000)), 16000, overwrite=True)\n"
            "except CawError as error:\n"
            "    print(error)\n"
        )
        root = ROOT
        command = [sys.executable, "-c", code, str(path)]
        result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        assert result.stdout.startswith(f"cannot write {path}: ")
        assert path.read_text() == "precious"
        assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]

    def test_interrupted_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(_: int) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_audio(tmp_path / "a.wav", tone(), RATE)
        assert not any(tmp_path.iterdir())


class TestCheckOutput:
    def test_good(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        replace_stdout(monkeypatch)
        check_output(tmp_path / "new" / "a.flac", sample_rate=192000)
        check_output("-", bit_depth="float")
        assert not any(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("name", "options", "words"),
        [
            ("a.wave", {}, r"use one of \.wav, \.flac, \.ogg, \.mp3"),
            ("noname", {}, r"no suffix.*\.wav"),
            ("a.flac", {"bit_depth": "float"}, r"floating-point.*a\.wav"),
            ("a.mp3", {"sample_rate": 96000}, r"96000 Hz.*a\.wav"),
            ("a.wav", {"bit_depth": "48"}, "unknown bit depth"),
            ("", {}, "is a directory"),
        ],
    )
    def test_usage(self, tmp_path: Path, name: str, options: dict[str, Any], words: str) -> None:
        with pytest.raises(CawUsageError, match=words):
            check_output(tmp_path / name, **options)

    def test_existing(self, tmp_path: Path) -> None:
        path = stored(tmp_path / "a.wav", tone())
        check_output(path, True)
        with pytest.raises(CawUsageError, match="--force"):
            check_output(path)

    def test_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stdout = replace_stdout(monkeypatch)
        stdout.terminal = True
        with pytest.raises(CawUsageError, match="terminal"):
            check_output("-")

    def test_folder_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(CawError, match="is not a directory"):
            check_output(tmp_path / "file" / "a.wav")

    def test_folder_without_permission(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)
        with pytest.raises(CawError, match="no permission"):
            check_output(tmp_path / "a.wav")
