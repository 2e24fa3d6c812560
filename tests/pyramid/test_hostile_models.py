"""Model files made to do harm or edited by hand: one line that names the fault, before memory or time are spent."""

from __future__ import annotations

import json
import math
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from caw_process import run_caw, run_python
from caw_toolkit.errors import CawError
from caw_toolkit.pyramid import model_file, plain_pickle
from caw_toolkit.pyramid.model import PyramidModel
from edited_files import archive, with_pickle, with_value, without
from paths import ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "version_0_1_0"

FLOW = ("scales", 0, "architecture")
BANDS = ("scales", 2, "architecture", "gaussian")
HOLDING = ("scales", 2, "architecture", "exemplar")
#: Place, value, and what is said of it after "FILE is no usable model: ". The model has three scales, the last two
#: of which hold the recording.
WRONG: list[tuple[tuple[Any, ...], Any, str]] = [
    (("sample_rate",), 0, "sample_rate must be a whole number from 1 to 384000, not 0"),
    (("sample_rate",), 8000, "sample_rate must be 4000, the rate of the last scale, not 8000"),
    (("channels",), 0, "channels must be a whole number from 1 to 2, not 0"),
    (("channels",), True, "channels must be a whole number from 1 to 2, not True"),
    (("channels",), 2, "scales[0].architecture.audio_channels must be 2, not 1"),
    (("peak",), None, "peak must be a number above 0 and at most 1e+09, not None"),
    (("peak",), 0.0, "peak must be a number above 0 and at most 1e+09, not 0.0"),
    (("peak",), math.nan, "peak must be a number above 0 and at most 1e+09, not nan"),
    (("gain",), "x", "gain must be a number from 0 to 1e+06, not 'x'"),
    (("gain",), math.inf, "gain must be a number from 0 to 1e+06, not inf"),
    (("upsampling",), "x", "upsampling must be 'keys' or 'sinc', not 'x'"),
    (
        ("capabilities",),
        ["\x1b[2J"],
        r"capabilities[0] must be a name of up to 200 printable characters, not '\x1b[2J'",
    ),
    (("scales",), [], "scales must be a list of 1 to 1000 values, not 0 of them"),
    (("scales",), "x", "scales must be a list of 1 to 1000 values, not 'x'"),
    (("scales", 1, "rate"), "x", "scales[1].rate must be a whole number from 1 to 384000, not 'x'"),
    (("scales", 1, "rate"), 2**31, "scales[1].rate must be a whole number from 1 to 384000, not 2147483648"),
    (("scales", 1, "rate"), 500, "scales must have ascending rates"),
    (("scales", 1, "noise_std"), -1.0, "scales[1].noise_std must be a number from 0 to 1e+06, not -1.0"),
    (("scales", 1, "weights"), {"a": "x"}, "scales[1].weights.a must be a tensor, not 'x'"),
    (("scales", 1, "plugin"), {}, "scales[1].plugin.distribution is missing"),
    (
        ("scales", 1, "plugin"),
        {"distribution": "a;b", "version": "1"},
        "scales[1].plugin.distribution must be the name of a distribution, not 'a;b'",
    ),
    ((*FLOW, "type"), 5, "scales[0].architecture.type must be a name of up to 200 printable characters, not 5"),
    ((*FLOW, "type"), "gaussian", "scales[0].architecture.bands is missing"),
    ((*FLOW, "conditional"), True, "scales[0].architecture.conditional must be true at every scale but the coarsest"),
    (
        (*FLOW, "widths"),
        [20000] * 3,
        "scales[0].architecture.frame_samples does not fit the weights: 'network.entry.weight' is (8, 8, 5)",
    ),
    (
        (*FLOW, "widths"),
        [8, 20000],
        "scales[0].architecture.widths does not fit the weights: 'network.encoder.1.0.first.weight' is (8, 8, 5)",
    ),
    ((*FLOW, "widths"), [], "scales[0].architecture.widths must be a list of 1 to 10 values, not 0 of them"),
    ((*FLOW, "solver_steps"), 10**9, "scales[0].architecture.solver_steps must be a whole number from 1 to 1000"),
    ((*FLOW, "kernel_size"), 4, "scales[0].architecture.kernel_size must be odd, not 4"),
    (
        (*FLOW, "kernel_size"),
        7,
        "scales[0].architecture.kernel_size does not fit the weights: 'network.entry.weight' is (8, 8, 5)",
    ),
    ((*FLOW, "frame_samples"), 10**9, "scales[0].architecture.frame_samples must be a whole number from 1 to 65536"),
    ((*FLOW, "companding"), 0.0, "scales[0].architecture.companding must be a number from 0.01 to 100, not 0.0"),
    ((*FLOW, "more"), 1, "scales[0].architecture has an unknown key 'more'"),
    ((*BANDS, "bands"), 4096, "scales[2].architecture.gaussian.bands does not fit the weights: 'gaussian.band_level'"),
    ((*BANDS, "smoothing"), 2, "scales[2].architecture.gaussian.smoothing must be odd, not 2"),
    ((*HOLDING, "samples"), 10**9, "scales[2].architecture.exemplar.samples does not fit the weights: 'exemplar.real'"),
    ((*HOLDING, "hop"), 0, "scales[2].architecture.exemplar.hop must be a whole number from 1 to 1048576, not 0"),
    ((*HOLDING, "hop"), 2, "scales[2].architecture.exemplar.hop must be a whole number from 4 to 4000, not 2"),
    ((*HOLDING, "ratio"), 100, "scales[2].architecture.exemplar.ratio must be a whole number from 1 to 2, not 100"),
    ((*HOLDING, "candidates"), 10**9, "scales[2].architecture.exemplar.candidates must be a whole number from 1 to"),
    ((*HOLDING, "selection_noise"), math.nan, "scales[2].architecture.exemplar.selection_noise must be a number from"),
    (("reconstruction_noise",), 5, "reconstruction_noise must be a tensor, not 5"),
    (
        ("reconstruction_noise",),
        torch.zeros(2, 9),
        "reconstruction_noise must be a float32 tensor (1, 2 to 601000), not",
    ),
    (("inverted_noise",), 2, "inverted_noise must be a number from 0 to 1, not 2"),
    (("training",), None, "training must be a dict, not None"),
    (("training", "seconds_spent"), "x", "training.seconds_spent must be a list of 0 to 1000 values, not 'x'"),
    (("training", "sources"), [{"name": 1}], "training.sources[0].seconds is missing"),
]
#: What only the tensors say: torch has to read them first.
WRONG_TENSORS: list[tuple[tuple[Any, ...], Any, str]] = [
    (("scales", 0, "weights", "gain"), torch.tensor(1e38), "scales[0].weights.gain has values beyond 1e+12"),
    (("scales", 0, "weights", "gain"), torch.tensor(math.nan), "scales[0].weights.gain has values that are not finite"),
    (
        ("scales", 2, "weights", "exemplar.usable"),
        torch.zeros(12000, dtype=torch.bool),
        "scales[2].weights['exemplar.usable'] is false everywhere",
    ),
    (("reconstruction_noise",), torch.full((1, 90), math.inf), "reconstruction_noise has values that are not finite"),
]


@pytest.fixture(scope="module")
def content() -> Any:
    """Of a model with exemplars and a Gaussian, as the present version has it."""
    stored = model_file.load(FIXTURES / "speech.pt")
    return {**stored, "version": model_file.VERSION}


def refusal(path: Path) -> str:
    """What is said of a file by both readers."""
    with pytest.raises(CawError) as described:
        model_file.read_header(path)
    with pytest.raises(CawError) as loaded:
        PyramidModel.load(path, "cpu")
    assert str(described.value) == str(loaded.value) and "\n" not in str(loaded.value)
    return str(loaded.value)


@pytest.mark.parametrize(("at", "value", "said"), WRONG, ids=[f"{at[-1]}-{said[-24:]}" for at, _, said in WRONG])
def test_a_value_that_is_wrong_is_named(content: Any, tmp_path: Path, at: Any, value: Any, said: str) -> None:
    path = tmp_path / "model.pt"
    torch.save(with_value(content, at, value), path)
    assert refusal(path).startswith(f"{path} is no usable model: {said}")


@pytest.mark.parametrize(("at", "value", "said"), WRONG_TENSORS, ids=[case[2] for case in WRONG_TENSORS])
def test_tensors_that_are_no_use_are_named(content: Any, tmp_path: Path, at: Any, value: Any, said: str) -> None:
    path = tmp_path / "model.pt"
    torch.save(with_value(content, at, value), path)
    with pytest.raises(CawError) as error:
        PyramidModel.load(path, "cpu")
    assert str(error.value) == f"{path} is no usable model: {said}"


def test_weights_that_overflow_are_an_error(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    huge = {key: torch.full_like(value, 1e11) for key, value in content["scales"][0]["weights"].items()}
    torch.save(with_value(content, ("scales", 0, "weights"), huge), path)
    with pytest.raises(CawError, match="the scale of 1000 Hz gives NaN or infinite samples"):
        PyramidModel.load(path, "cpu").generate(1, seed=1)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (("peak",), "is not a whole caw_toolkit model: it lacks peak"),
        (("scales", 0, "rate"), "scales[0].rate is missing"),
        ((*FLOW, "widths"), "scales[0].architecture.widths is missing"),
        (("scales", 0, "weights", "network.entry.weight"), "there is no 'network.entry.weight'"),
    ],
)
def test_what_is_missing_is_named(content: Any, tmp_path: Path, at: Any, said: str) -> None:
    path = tmp_path / "model.pt"
    torch.save(without(content, at), path)
    assert said in refusal(path)


def test_a_coarsest_scale_that_needs_a_coarser_one(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save({**content, "scales": content["scales"][1:]}, path)
    assert "scales[0].architecture.exemplar.type must not be of the coarsest scale" in refusal(path)


def test_unknown_keys_beside_are_ignored(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save({**content, "mood": {"of": ["the", "future"]}}, path)
    assert PyramidModel.load(path, "cpu").rates == (1000, 2000, 4000)


def test_nothing_that_a_terminal_obeys_is_printed(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    source = {"name": "\x1b[2Ja\nb\udcff.wav", "seconds": 1.0, "sample_rate": 4000}
    training = {"preset": "\x1b]0;x\x07", "material": "\x9b1m", "seed": "\r", "sources": [source]}
    torch.save({**content, "training": training}, path)
    shown = run_caw("info", path)
    assert shown.returncode == 0, shown.stderr
    assert all(char.isprintable() or char == "\n" for char in shown.stdout)
    assert r"\x1b[2Ja\nb\udcff.wav" in shown.stdout
    as_json = run_caw("info", path, "--json").stdout
    assert as_json.isascii() and json.loads(as_json)["training"]["sources"] == [source]


# ---------------------------------------------------------------------- archives

_GROWING = b"\x80\x02]q\x00" + b"".join(b"](" + b"h\x00" * 2 + b"eq\x00" for _ in range(45)) + b"."
_IN_ITSELF = b"\x80\x02]q\x00h\x00a."
_DEEP = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
_HASHED = b"\x80\x02}(K\x01q\x00" + b"".join(b"h\x00h\x00\x86q\x00" for _ in range(45)) + b"K\x01u."
#: Pickles of files that would take all memory, or never end; and what is said of them.
PICKLES: dict[str, tuple[bytes, str]] = {
    "memo index": (b"\x80\x02]r\xff\xff\xff\x07.", "is not a caw_toolkit model"),
    "lists that grow": (_GROWING, "it is nested more than 32 deep, or in itself"),
    "a list in itself": (_IN_ITSELF, "it is nested more than 32 deep, or in itself"),
    "lists in lists": (_DEEP, "it is nested more than 32 deep, or in itself"),
    "a key of tuples of tuples": (_HASHED, "is not a caw_toolkit model"),
    "many values": (b"\x80\x02](" + b"N" * 1_500_000 + b"e.", "it has more than 1000000 parts"),
    "wide lists": (
        b"\x80\x02](" + b"N" * 2000 + b"eq\x01](" + b"h\x01" * 2000 + b"e.",
        "it has more than 1000000 values or 16777216 characters",
    ),
    "one string many times": (
        b"\x80\x02X" + struct.pack("<L", 2**20) + b"x" * 2**20 + b"q\x01](" + b"h\x01" * 2000 + b"e.",
        "it has more than 1000000 values or 16777216 characters",
    ),
    "a number of a million digits": (
        b"\x80\x02\x8b" + struct.pack("<l", 500_000) + b"\x7f" * 500_000 + b".",
        "(LONG4)",
    ),
    "a number of many bits": (b"\x80\x02\x8a\x64" + b"\x7f" * 100 + b".", "a number in it has more than 64 bits"),
    "a long pickle": (b"\x80\x02X" + struct.pack("<L", 2**25) + b"x" * 2**25 + b".", "data.pkl has more than 16 MB"),
    "a string longer than the file": (b"\x80\x02X\xff\xff\xff\xff.", "is not a caw_toolkit model"),
    "protocol 5": (pickle.dumps({"a": 1}, protocol=5), "it holds what a model never does (FRAME)"),
}


@pytest.mark.parametrize(("pickled", "said"), PICKLES.values(), ids=PICKLES)
def test_pickles_made_to_do_harm(tmp_path: Path, pickled: bytes, said: str) -> None:
    assert said in refusal(archive(tmp_path / "model.pt", pickled))


def deflated(folder: Path) -> Path:
    return archive(folder / "deflated.pt", bytes(2**24 - 9), compression=zipfile.ZIP_DEFLATED)


def with_sizes_that_lie(folder: Path) -> Path:
    """The list of parts says that each has 4 GB less a byte."""
    path = folder / "lying.pt"
    data = bytearray((FIXTURES / "speech.pt").read_bytes())
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        data[at + 20 : at + 28] = struct.pack("<LL", 2**32 - 2, 2**32 - 2)
        at = data.find(b"PK\x01\x02", at + 4)
    path.write_bytes(data)
    return path


def with_many_parts(folder: Path) -> Path:
    return archive(folder / "parts.pt", b"\x80\x02N.", extra=150_000)


def with_a_larger_tensor(folder: Path) -> Path:
    """A tensor said to have more elements than its part of the archive has."""
    source = folder / "plain.pt"
    torch.save({"format": model_file.FORMAT, "version": 2, "a": torch.zeros(1000)}, source)

    def change(data: bytes) -> bytes:
        return data.replace(b"M\xe8\x03", b"J\x00\x00\x00\x10")  # 1000, and 2**28

    return with_pickle(source, folder / "tensor.pt", change)


def with_an_expanded_tensor(folder: Path) -> Path:
    path = folder / "expanded.pt"
    content = model_file.load(FIXTURES / "speech.pt")
    torch.save({**content, "version": 2, "reconstruction_noise": torch.zeros(1, 1).expand(1, 10**10)}, path)
    return path


def with_shared_tensors(folder: Path) -> Path:
    path, shared = folder / "shared.pt", torch.zeros(1000)
    torch.save({"format": model_file.FORMAT, "version": 2, "a": [shared] * 5}, path)
    return path


#: Archives made to do harm, and what is said of them.
ARCHIVES: list[tuple[Callable[[Path], Path], str]] = [
    (deflated, "its parts are compressed, which those of a model never are"),
    (with_sizes_that_lie, "its parts are said to be larger than it is"),
    (with_many_parts, "its list of parts has more than 8 MB"),
    (with_a_larger_tensor, "a tensor's part of it has 4000 bytes, not 1073741824"),
    (with_an_expanded_tensor, "a tensor of 10000000000 elements in it has 1 in fact"),
    (with_shared_tensors, "its tensors are larger than it is"),
]


@pytest.mark.parametrize(("make", "said"), ARCHIVES, ids=[make.__name__ for make, _ in ARCHIVES])
def test_archives_made_to_do_harm(tmp_path: Path, make: Callable[[Path], Path], said: str) -> None:
    assert said in refusal(make(tmp_path))


def test_what_stands_before_or_after_an_archive(tmp_path: Path) -> None:
    """Torch takes what does not begin as one for a bare pickle."""
    path, data = tmp_path / "model.pt", (FIXTURES / "speech.pt").read_bytes()
    for edited in (b"\x80\x02N." + data, data + b"\x00", data + data[-22:-2] + b"\x02\x00" + b"ab"):
        path.write_bytes(edited)
        assert "is not a caw_toolkit model" in refusal(path)


_MEASURED = """
import sys, time
from caw_toolkit.cli import main
began = time.monotonic()
for path in sys.argv[1:]:
    sys.argv = ["caw", "info", path]
    try:
        main()
    except SystemExit as end:
        print(end.code, file=sys.stderr)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print("measured", int(peak.split()[1]) * 1024, time.monotonic() - began)
"""


def measured(*paths: Path) -> tuple[float, float, list[str]]:
    """Peak of memory in bytes, seconds, and lines of standard error of `caw info` on files in turn."""
    done = run_python("-c", _MEASURED, *map(str, paths))
    _, peak, seconds = done.stdout.splitlines()[-1].split()
    return float(peak), float(seconds), done.stderr.splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_info_takes_little_memory_and_time_whatever_a_file_says(tmp_path: Path) -> None:
    hostile = [make(tmp_path) for make, _ in ARCHIVES]
    hostile += [archive(tmp_path / f"{number}.pt", pickled) for number, (pickled, _) in enumerate(PICKLES.values())]
    baseline, _, _ = measured(FIXTURES / "speech.pt")
    peak, seconds, said = measured(*hostile)
    assert peak < baseline + 0.5e9
    assert seconds < 10 * len(hostile)
    assert len(said) == 2 * len(hostile)
    assert all(line.startswith("caw: error: ") for line in said[::2]) and set(said[1::2]) == {"1"}


def test_the_interpreter_knows_what_torch_writes(content: Any) -> None:
    """Nothing is left out of what a good file holds."""
    header = model_file.read_header(FIXTURES / "speech.pt")
    for scale, described in zip(content["scales"], header["scales"], strict=True):
        tensors = {name: (tuple(value.shape), str(value.dtype)) for name, value in scale["weights"].items()}
        assert tensors == {name: (v.shape, f"torch.{v.dtype}") for name, v in described["weights"].items()}
        assert scale["architecture"] == described["architecture"]


def test_ordered_dicts_and_opaque_things() -> None:
    data = b"\x80\x02ccollections\nOrderedDict\n)R}X\x01\x00\x00\x00aK\x01sb."
    assert plain_pickle.read(data) == {}
    other = b"\x80\x02ctorch\ndevice\nX\x03\x00\x00\x00cpu\x85R."
    with pytest.raises(plain_pickle.UnreadableError, match=r"it refers to torch\.device"):
        plain_pickle.read(other)
    assert isinstance(plain_pickle.read(other, lenient=True), plain_pickle.Opaque)
