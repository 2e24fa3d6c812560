"""The model file: its header without torch, versions, damage, code that is never executed, full disks."""

from __future__ import annotations

import contextlib
import json
import pickle
import random
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from caw_process import contents, limit_file_size, run_python
from caw_toolkit.cli import main
from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.pyramid import model_file
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.pyramid.model_file import TensorInfo, read_header
from malice import Malicious


def refusal(path: Path) -> str:
    """What is said of a file, which must be the same whether it is described or loaded."""
    with pytest.raises(CawError) as loaded:
        PyramidModel.load(path, "cpu")
    described = CliRunner().invoke(main, ["info", str(path)])
    assert described.exit_code == loaded.value.exit_code
    assert described.stderr == f"caw: error: {loaded.value}\n"
    return str(loaded.value)


def header_of(value: Any) -> Any:
    """What the header of a content should be."""
    if isinstance(value, torch.Tensor):
        return tuple(value.shape)
    if isinstance(value, TensorInfo):
        return value.shape
    if isinstance(value, dict):
        return {key: header_of(item) for key, item in value.items()}
    return [header_of(item) for item in value] if isinstance(value, list) else value


class TestHeader:
    def test_it_is_the_content_without_tensors(self, tiny_model: PyramidModel, tiny_model_path: Path) -> None:
        content = {"format": "caw_toolkit.pyramid", "version": model_file.VERSION, **tiny_model.content()}
        assert header_of(read_header(tiny_model_path)) == header_of(content)

    def test_it_is_read_without_torch(self, tiny_model_path: Path) -> None:
        code = (
            "import json, sys; from caw_toolkit.pyramid.model_file import read_header;"
            "header = read_header(sys.argv[1]);"
            "print(json.dumps([header['sample_rate'], header['training']['seed'], 'torch' in sys.modules]))"
        )
        done = run_python("-c", code, str(tiny_model_path))
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == [4000, 5, False]

    def test_info_describes_it(self, tiny_model: PyramidModel, tiny_model_path: Path) -> None:
        shown = json.loads(CliRunner().invoke(main, ["info", str(tiny_model_path), "--json"]).stdout)
        assert shown["sample_rate"] == 4000 and shown["channels"] == 1
        assert shown["capabilities"] == list(tiny_model.capabilities)
        assert shown["training"] == json.loads(json.dumps(tiny_model.training))
        assert [scale["rate"] for scale in shown["scales"]] == [500, 2000, 4000]
        for scale, described in zip(tiny_model.scales, shown["scales"], strict=True):
            stored = sum(value.numel() for value in scale.generator.state_dict().values())
            assert described["parameters"] == stored

    def test_info_for_people(self, tiny_model_path: Path) -> None:
        shown = CliRunner().invoke(main, ["info", str(tiny_model_path)]).stdout
        assert "4000 Hz, mono" in shown and "scale    500 Hz" in shown and "seed 5" in shown


class TestVersions:
    @pytest.mark.parametrize("version", [3, 99, None, "1"])
    def test_others_are_refused(self, tiny_model: PyramidModel, tmp_path: Path, version: object) -> None:
        path = tmp_path / "model.pt"
        torch.save({"format": model_file.FORMAT, **tiny_model.content(), "version": version}, path)
        assert f"has model format {version}, this caw_toolkit reads up to 2: upgrade it" in refusal(path)


class TestDamage:
    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99, 0.9999])
    def test_truncated(self, tiny_model_path: Path, tmp_path: Path, share: float) -> None:
        data = tiny_model_path.read_bytes()
        path = tmp_path / "model.pt"
        path.write_bytes(data[: int(share * len(data))])
        assert "is not a caw_toolkit model, or it is truncated" in refusal(path)

    def test_tensors_that_are_missing(self, tiny_model_path: Path, tmp_path: Path) -> None:
        path = tmp_path / "model.pt"
        with zipfile.ZipFile(tiny_model_path) as whole, zipfile.ZipFile(path, "w") as part:
            for name in whole.namelist():
                if "/data/" not in name:
                    part.writestr(name, whole.read(name))
        read_header(path)
        with pytest.raises(CawError, match="damaged or truncated; make it anew or restore a copy"):
            PyramidModel.load(path, "cpu")

    def test_bits_that_flipped(self, tiny_model_path: Path, tmp_path: Path) -> None:
        """Whatever is damaged: an error of ours, or it goes unnoticed; the process lives on."""
        data = tiny_model_path.read_bytes()
        path = tmp_path / "model.pt"
        draw = random.Random(0)
        for _ in range(60):
            damaged = bytearray(data)
            for _ in range(draw.choice((1, 20, 500))):
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
            path.write_bytes(damaged)
            with contextlib.suppress(CawError):
                PyramidModel.load(path, "cpu")

    @pytest.mark.parametrize("data", [b"no model", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), bytes(5000)])
    def test_other_files(self, tmp_path: Path, data: bytes) -> None:
        path = tmp_path / "model.pt"
        path.write_bytes(data)
        assert "is not a caw_toolkit model" in refusal(path)

    @pytest.mark.parametrize("content", [{"a": 1}, [1, 2], {"format": "other", "version": 1}])
    def test_other_files_of_torch(self, tmp_path: Path, content: object) -> None:
        path = tmp_path / "model.pt"
        torch.save(content, path)
        assert "is not a caw_toolkit model" in refusal(path)

    def test_a_checkpoint_is_told_from_other_files(self, tmp_path: Path) -> None:
        path = tmp_path / "model.pt.checkpoint"
        torch.save({"format": "caw_toolkit.checkpoint", "version": 1}, path)
        assert "the state of an unfinished training, not a model: add --resume" in refusal(path)

    def test_none_and_folders(self, tmp_path: Path) -> None:
        with pytest.raises(CawUsageError, match="no such model file"):
            PyramidModel.load(tmp_path / "none.pt", "cpu")
        with pytest.raises(CawUsageError, match="is a folder"):
            PyramidModel.load(tmp_path, "cpu")


class TestMalice:
    def stored(self, path: Path, data: bytes) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", data)
            archive.writestr("archive/version", "3\n")
        return path

    def test_code_in_place_of_the_content(self, tmp_path: Path) -> None:
        mark = tmp_path / "executed"
        path = self.stored(tmp_path / "model.pt", pickle.dumps(Malicious(mark)))
        assert "nothing in it was executed" in refusal(path)
        assert not mark.exists()

    @pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
    def test_code_within_a_good_content(self, tiny_model: PyramidModel, tmp_path: Path, protocol: int) -> None:
        mark, path = tmp_path / "executed", tmp_path / "model.pt"
        content = {"format": model_file.FORMAT, "version": 1, **tiny_model.content(), "extra": Malicious(mark)}
        torch.save(content, path, pickle_protocol=protocol)
        assert "nothing in it was executed" in refusal(path)
        assert not mark.exists()

    def test_a_bare_pickle(self, tmp_path: Path) -> None:
        mark, path = tmp_path / "executed", tmp_path / "model.pt"
        path.write_bytes(pickle.dumps(Malicious(mark)))
        assert "is not a caw_toolkit model" in refusal(path)
        assert not mark.exists()

    def test_names_that_are_only_looked_up(self, tmp_path: Path) -> None:
        data = b"\x80\x02cbuiltins\neval\n."
        assert "it refers to builtins.eval" in refusal(self.stored(tmp_path / "model.pt", data))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_leaves_the_old_model(tiny_model_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(tiny_model_path.read_bytes())
    before = contents(tmp_path)
    code = (
        "import sys; from caw_toolkit import CawError, PyramidModel\n"
        "model = PyramidModel.load(sys.argv[1], 'cpu')\n"
        "try:\n    model.save(sys.argv[1])\n"
        "except CawError as error:\n    print(error)\n"
    )
    done = run_python("-c", code, str(path), preexec_fn=lambda: limit_file_size(20_000))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"cannot write {path}: ")
    assert contents(tmp_path) == before


def test_saving_replaces_and_leaves_nothing_else(tiny_model: PyramidModel, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "model.pt"
    tiny_model.save(path)
    path.write_bytes(b"old")
    tiny_model.save(path)
    assert [item.name for item in path.parent.iterdir()] == ["model.pt"]
    np.testing.assert_array_equal(PyramidModel.load(path, "cpu").generate(1, seed=1), tiny_model.generate(1, seed=1))
