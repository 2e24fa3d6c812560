"""Bad input to the real command: one clear line, an exit code, nothing lost and nothing executed."""

from __future__ import annotations

import os
import pickle
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from caw_process import contents, limit_file_size, run_caw

RATE = 8000


@dataclass
class Workplace:
    """A folder with a good clip, a good model and a small preset, and whatever a case adds to them."""

    folder: Path
    preset: Path

    @property
    def clip(self) -> Path:
        return self.folder / "clip.wav"

    @property
    def model(self) -> Path:
        return self.folder / "good.pt"

    def audio(self, samples: np.ndarray[Any, Any], name: str = "bad.wav", subtype: str = "FLOAT") -> Path:
        """A file of `(samples,)` or `(samples, channels)`."""
        path = self.folder / name
        soundfile.write(path, samples, RATE, subtype=subtype)
        return path

    def file(self, data: bytes | str, name: str = "bad.wav") -> Path:
        path = self.folder / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def train(self, clip: Path, *more: str | Path) -> list[str | Path]:
        return ["train", clip, "-o", self.folder / "new.pt", "--preset", self.preset, "--seed", "1", *more]

    def generate(self, *more: str | Path) -> list[str | Path]:
        return ["generate", "-m", self.model, "--duration", "1", "--seed", "1", *more]


@dataclass(frozen=True)
class Case:
    """One kind of bad input.

    Attributes:
        prepare: lays the input out, and returns the arguments of `caw`.
        says: what the line must hold; `{folder}` stands for the workplace.
        exit_code: 1 where the request cannot be carried out, 2 where it is wrong.
        options: of the process.
        slow: loads torch for what another case checks nearly the same way.
    """

    prepare: Callable[[Workplace], list[str | Path]]
    says: str
    exit_code: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    slow: bool = False


def noise(seconds: float, channels: int = 1) -> np.ndarray[Any, Any]:
    return 0.1 * np.random.default_rng(0).standard_normal((round(seconds * RATE), channels)).astype(np.float32)


def with_nan(place: Workplace) -> list[str | Path]:
    samples = noise(3)
    samples[9000] = np.nan
    return place.train(place.audio(samples))


def truncated(place: Workplace) -> list[str | Path]:
    data = place.audio(noise(3)).read_bytes()
    return place.train(place.file(data[: len(data) // 2]))


def truncated_flac(place: Workplace) -> list[str | Path]:
    data = place.audio(noise(3), "whole.flac", "PCM_16").read_bytes()
    return place.train(place.file(data[: len(data) // 2], "bad.flac"))


def unknown_key(place: Workplace) -> list[str | Path]:
    preset = place.file(place.preset.read_text().replace("largest_ratio", "largest_ration"), "bad.toml")
    return place.train(place.clip, "--preset", preset)


def unknown_option(place: Workplace) -> list[str | Path]:
    preset = place.file(place.preset.read_text().replace("widths", "width"), "bad.toml")
    return place.train(place.clip, "--preset", preset)


class Malicious:
    """Pickles as a call of `os.system` that leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch '{self.mark}'",)


def malicious(place: Workplace) -> Path:
    """A model file whose content is code; the mark that it would leave makes the folder differ."""
    path = place.folder / "bad.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Malicious(place.folder / "executed")))
    return path


def newer(place: Workplace) -> Path:
    path = place.folder / "bad.pt"
    content = {"format": "caw_toolkit.pyramid", "version": 99}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, protocol=2))
    return path


def existing(place: Workplace, name: str) -> Path:
    return place.file("precious", name)


CASES = {
    # found before torch is imported
    "missing": Case(lambda p: p.train(p.folder / "none.wav"), "'{folder}/none.wav' does not exist", 2),
    "empty": Case(lambda p: p.train(p.file(b"")), "bad.wav is empty (0 bytes)"),
    "non-audio": Case(lambda p: p.train(p.file("text, no audio\n" * 99)), "bad.wav cannot be read as audio"),
    "truncated": Case(truncated, "bad.wav is truncated: only 49.9 %"),
    "truncated-flac": Case(truncated_flac, "bad.flac is "),
    "silent": Case(lambda p: p.train(p.audio(np.zeros(3 * RATE))), "the recording is silent"),
    "constant": Case(lambda p: p.train(p.audio(np.full(3 * RATE, 0.3))), "the recording is constant"),
    "nan": Case(with_nan, "bad.wav has NaN or infinite samples, the first at 1.125 s"),
    "beyond-any-level": Case(
        lambda p: p.train(p.audio(np.append(noise(3), 1e30))),
        "bad.wav has samples beyond any level, the first at 3.000 s",
    ),
    "tenth-of-a-second": Case(lambda p: p.train(p.audio(noise(0.1))), "0.100 s long: at least 2 s"),
    "8-channels": Case(lambda p: p.train(p.audio(noise(3, 8))), "bad.wav has 8 channels"),
    "20-minutes": Case(
        lambda p: p.train(p.audio(noise(1200), subtype="PCM_16")), "bad.wav is 1200.0 s long, more than the 600 s"
    ),
    "folder-as-clip": Case(lambda p: p.train(p.folder), "is a directory", 2),
    "train-existing-output": Case(
        lambda p: [*p.train(p.clip), "-o", existing(p, "old.pt")], "old.pt exists; add --force", 2
    ),
    "train-existing-checkpoint": Case(
        lambda p: [*p.train(p.clip), "-o", existing(p, "old.pt.checkpoint").with_suffix("")],
        "holds an unfinished training: add --resume",
        2,
    ),
    "train-into-a-file": Case(lambda p: [*p.train(p.clip), "-o", p.clip / "new.pt"], "clip.wav' is no folder", 2),
    "train-into-a-pipe": Case(lambda p: [*p.train(p.clip), "-o", "-"], "cannot be written to standard output", 2),
    "rates-without-sense": Case(lambda p: p.train(p.clip, "--scales", "500,abc"), "is not a list of whole numbers", 2),
    "8000-rates": Case(
        lambda p: p.train(p.clip, "--scales", ",".join(map(str, range(1, 8000)))), "scales may be up to 50, not 7999", 2
    ),
    "train-unnamed-output": Case(lambda p: [*p.train(p.clip), "-o", ""], "the name is empty", 2),
    "generate-unnamed-output": Case(lambda p: p.generate("-o", ""), "the name is empty", 2),
    "start-beyond-all-time": Case(
        lambda p: p.train(p.clip, "--start", "1e308"), "1e308 is not a number up to 1e+09", 2
    ),
    "start-nan": Case(lambda p: p.train(p.clip, "--start", "nan"), "nan is not a number up to 1e+09", 2),
    "endless-take": Case(lambda p: p.generate("--duration", "inf"), "inf is not a number up to 1e+09", 2),
    "gap-beyond-all-time": Case(
        lambda p: ["inpaint", p.clip, "--gap", "0", "1e308"], "1e308 is not a number up to 1e+09", 2
    ),
    "info-missing": Case(lambda p: ["info", p.folder / "none.pt"], "none.pt: no such model file", 2),
    "info-no-model": Case(lambda p: ["info", p.clip], "clip.wav is not a caw_toolkit model"),
    "info-truncated": Case(
        lambda p: ["info", p.file(p.model.read_bytes()[:-2000], "bad.pt")],
        "bad.pt is not a caw_toolkit model, or it is truncated",
    ),
    "info-newer": Case(lambda p: ["info", newer(p)], "bad.pt has model format 99, this caw_toolkit reads up to 2"),
    "info-malicious": Case(lambda p: ["info", malicious(p)], "nothing in it was executed"),
    "generate-existing-output": Case(
        lambda p: p.generate("-o", existing(p, "old.wav")), "old.wav exists; add --force to replace it", 2
    ),
    "generate-into-a-file": Case(lambda p: p.generate("-o", p.clip / "new.wav"), "clip.wav is not a directory"),
    "generate-unknown-format": Case(
        lambda p: p.generate("-o", p.folder / "new.xyz"), "cannot tell the format of {folder}/new.xyz", 2
    ),
    "generate-takes-into-a-pipe": Case(
        lambda p: p.generate("-o", "-", "-n", "2"), "standard output takes a single take", 2
    ),
    "generate-missing-model": Case(
        lambda p: ["generate", "-m", p.folder / "none.pt"], "'{folder}/none.pt' does not exist", 2
    ),
    "device-as-clip": Case(
        lambda p: ["process", "/dev/zero", p.folder / "new.wav", "-e", "Gain"], "/dev/zero is a device", 2
    ),
    "input-by-way-of-a-missing-folder": Case(
        lambda p: ["process", "clip.wav", "missing/../clip.wav", "-e", "Gain", "--force"],
        "is read here, and would be",
        2,
    ),
    # found later
    "unknown-preset": Case(
        lambda p: p.train(p.clip, "--preset", "fsat"), "unknown preset 'fsat': did you mean 'fast'?", 2
    ),
    "unknown-preset-key": Case(
        unknown_key, "unknown key scales.largest_ration: did you mean 'largest_ratio'?", 2, slow=True
    ),
    "unknown-objective-option": Case(unknown_option, "no option 'width': did you mean 'widths'?", 2),
    "generate-malicious": Case(
        lambda p: ["generate", "-m", malicious(p), "-o", p.folder / "new.wav", "--seed", "1"],
        "nothing in it was executed",
    ),
    "generate-truncated": Case(
        lambda p: [
            *("generate", "-m", p.file(p.model.read_bytes()[:-2000], "bad.pt")),
            *("-o", p.folder / "new.wav", "--seed", "1"),
        ],
        "bad.pt is not a caw_toolkit model, or it is truncated",
        slow=True,
    ),
}


def posix(name: str) -> dict[str, Any]:
    return {"marks": pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX"), "id": name}


def to_full_device() -> None:
    """Let standard output be a full disk."""
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


ON_A_FULL_DISK = {
    "train": Case(
        lambda p: [*p.train(p.clip, "--force"), "-o", existing(p, "old.pt")],
        "cannot write {folder}/old.pt",
        options={"preexec_fn": lambda: limit_file_size(4000)},
    ),
    "generate": Case(
        lambda p: p.generate("--force", "-o", existing(p, "old.wav")),
        "cannot write {folder}/old.wav",
        options={"preexec_fn": lambda: limit_file_size(4000)},
    ),
    "process": Case(  # there is room for the samples, but not for the file
        lambda p: [
            *("process", p.clip, existing(p, "old.wav"), "--force", "-e", "Gain", "-q"),
            *("--bit-depth", "double"),
        ],
        "cannot write {folder}/old.wav: File too large",
        options={"preexec_fn": lambda: limit_file_size(150_000)},
    ),
    "generate-to-stdout": Case(
        lambda p: p.generate("-o", "-"), "the disk is full", options={"preexec_fn": to_full_device}
    ),
    "info-to-stdout": Case(lambda p: ["info", p.model], "the disk is full", options={"preexec_fn": to_full_device}),
}


@pytest.fixture
def place(tmp_path: Path, tiny_model_path: Path, tiny_preset: Path) -> Workplace:
    made = Workplace(tmp_path.resolve(), tiny_preset)
    soundfile.write(made.clip, noise(3), RATE)
    made.model.write_bytes(tiny_model_path.read_bytes())
    return made


def assert_refused(case: Case, place: Workplace) -> None:
    arguments = case.prepare(place)
    before = contents(place.folder)
    done = run_caw(*arguments, cwd=place.folder, **case.options)
    lines = done.stderr.splitlines()
    errors = [line for line in lines if line.startswith(("caw: error: ", "Error: "))]
    assert done.returncode == case.exit_code, done.stderr
    assert len(errors) == 1 and lines[-1] == errors[0], done.stderr
    assert "Traceback" not in done.stderr and "unexpected error" not in done.stderr, done.stderr
    assert case.says.format(folder=place.folder) in errors[0]
    assert contents(place.folder) == before


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if case.slow else []) for name, case in CASES.items()]
)
def test_bad_input(name: str, place: Workplace) -> None:
    assert_refused(CASES[name], place)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs POSIX limits and /dev/full")
@pytest.mark.parametrize("name", ON_A_FULL_DISK)
def test_a_full_disk(name: str, place: Workplace) -> None:
    assert_refused(ON_A_FULL_DISK[name], place)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("command", ["train", "generate"])
def test_an_output_that_is_not_permitted(command: str, place: Workplace) -> None:
    folder = place.folder / "locked"
    folder.mkdir(mode=0o500)
    arguments: dict[str, list[str | Path]] = {
        "train": [*place.train(place.clip), "-o", folder / "new.pt"],
        "generate": place.generate("-o", folder / "new.wav"),
    }
    case = Case(lambda p: arguments[command], "locked", 2 if command == "train" else 1)
    assert_refused(case, place)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_standard_error_that_takes_nothing_costs_nothing(place: Workplace) -> None:
    done = run_caw(
        *place.generate("-o", place.folder / "new.wav"),
        preexec_fn=lambda: os.dup2(os.open("/dev/full", os.O_WRONLY), 2),
    )
    assert done.returncode == 0 and (place.folder / "new.wav").exists()


def test_long_input_is_not_repeated_in_full(place: Workplace) -> None:
    for arguments in (["--preset", "x" * 25_000], ["--scales", "x" * 25_000]):
        lines = run_caw(*place.train(place.clip), *arguments).stderr.splitlines()
        assert len(lines[-1]) < 1200 and "xxx ... xxx" in lines[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="needs names that are not UTF-8")
def test_a_name_that_is_not_utf_8_is_shown(place: Workplace) -> None:
    path = place.folder / "a\udcff.pt"
    path.write_bytes(place.model.read_bytes())
    done = run_caw("info", path, environment={"PYTHONIOENCODING": "utf-8:strict"})
    assert done.returncode == 0 and "a\\udcff.pt: " in done.stdout, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="needs names with any characters")
def test_names_cannot_command_the_terminal(place: Workplace) -> None:
    odd = place.clip.rename(place.folder / "a\x1b]0;b\x07\udcff.wav")
    soundfile.write(place.folder / "c\x1b[2J.wav", noise(2), RATE)
    done = run_caw("evaluate", "denoise", "--reference", odd, place.folder / "c\x1b[2J.wav")
    assert done.returncode == 0 and "c\\x1b[2J.wav is 2.000 s long" in done.stderr, done.stderr
    labels = place.file("0.5\t0.6\tx\x1b[2Jy\n", "gaps.txt")
    listed = run_caw("inpaint", odd, "--labels", labels, "--dry-run", "-m", place.model, "--seed", "1")
    assert not any(char in text for char in "\x1b\x07" for text in (done.stderr, listed.stdout, listed.stderr))


def test_no_cuda(place: Workplace) -> None:
    hidden = {"CUDA_VISIBLE_DEVICES": ""}
    case = Case(
        lambda p: p.train(p.clip, "--device", "cuda"),
        "this machine has no usable cuda device: use --device cpu",
        2,
        {"environment": hidden},
    )
    assert_refused(case, place)


def test_a_torchaudio_built_for_another_torch(place: Workplace, tmp_path_factory: pytest.TempPathFactory) -> None:
    """As pip leaves it when torch comes from the index of CPU wheels and torchaudio does not."""
    shadow = tmp_path_factory.mktemp("shadow")
    (shadow / "torchaudio").mkdir()
    message = "libc10_cuda.so: cannot open shared object file: No such file or directory"
    (shadow / "torchaudio" / "__init__.py").write_text(f"raise OSError({message!r})\n")
    case = Case(
        lambda p: p.train(p.clip, "--quiet"),
        f"torchaudio does not load beside this torch ({message}): install a matching pair",
        options={"environment": {"PYTHONPATH": str(shadow)}},
    )
    assert_refused(case, place)
