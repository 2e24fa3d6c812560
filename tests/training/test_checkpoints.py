"""Checkpoints: what is stored comes back; damage, other trainings and foreign files are refused."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest
import torch

import short_training
from caw_toolkit.audio.reading import read_audio
from caw_toolkit.errors import CawError
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.training.checkpoints import Checkpoint, checkpoint_path, stored_seed
from caw_toolkit.training.trainer import train
from malice import Malicious


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "model.pt.checkpoint"
    checkpoint = Checkpoint(
        fingerprint="abc",
        seed=7,
        scale=1,
        trainer={"weights": {"a": torch.arange(6.0).reshape(2, 3)}, "steps": [1, 2], "random": "int:123"},
        steps=12,
        seconds=[3.5, 0.25],
        losses=[{"loss": 0.5}],
        previous={"energy": 0.1},
    )
    checkpoint.save(path)
    return path


def test_what_is_stored_comes_back(stored: Path) -> None:
    again = Checkpoint.load(stored, "abc")
    assert (again.seed, again.scale, again.steps, again.seconds) == (7, 1, 12, [3.5, 0.25])
    assert again.model is None and again.losses == [{"loss": 0.5}] and again.previous == {"energy": 0.1}
    assert torch.equal(again.trainer["weights"]["a"], torch.arange(6.0).reshape(2, 3))
    assert stored_seed(stored) == 7


def test_a_model_that_holds_its_recording_comes_back(stored: Path, tmp_path: Path) -> None:
    short_training.prepare(tmp_path)
    clip, preset = read_audio(tmp_path / "clip.wav"), tmp_path / "tiny.toml"
    model = train(clip, preset=preset, material="speech", rates=(500, 2000, 4000), device="cpu", seed=3)
    Checkpoint("abc", 7, model=model.content(), scale=3).save(stored)
    again = Checkpoint.load(stored, "abc").model
    assert again is not None and PyramidModel.from_content(again).rates == model.rates


def test_it_lies_beside_the_model() -> None:
    assert checkpoint_path(Path("some/model.pt")) == Path("some/model.pt.checkpoint")


def test_another_training_is_refused(stored: Path) -> None:
    with pytest.raises(CawError, match="another recording or other settings: resume with the same options"):
        Checkpoint.load(stored, "xyz")


def test_the_setting_that_is_another_is_named(stored: Path) -> None:
    Checkpoint("abc", 7, settings={"minutes": "1", "seed": "7", "recording": "a"}).save(stored)
    with pytest.raises(CawError, match=r"a training with minutes '1', not '0.5': resume with the same options"):
        Checkpoint.load(stored, "xyz", {"minutes": "0.5", "seed": "7", "recording": "a"})
    with pytest.raises(CawError, match="a training with another recording: resume with the same options"):
        Checkpoint.load(stored, "xyz", {"minutes": "1", "recording": "b"})


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_truncated_file(stored: Path, share: float) -> None:
    data = stored.read_bytes()
    stored.write_bytes(data[: int(share * len(data))])
    with pytest.raises(CawError, match="train again with --force in place of --resume"):
        Checkpoint.load(stored, "abc")
    with pytest.raises(CawError, match="train again with --force in place of --resume"):
        stored_seed(stored)


def test_damage_of_any_kind_is_an_error_of_ours_or_harmless(stored: Path) -> None:
    data = stored.read_bytes()
    draw = random.Random(0)
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(draw.choice((1, 8, 100))):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        stored.write_bytes(damaged)
        with contextlib.suppress(CawError):
            Checkpoint.load(stored, "abc")


@pytest.mark.parametrize("content", [b"", b"text\n", b"\x80\x02}q\x00.", b"PK\x05\x06" + bytes(18), bytes(1000)])
def test_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.checkpoint"
    path.write_bytes(content)
    with pytest.raises(CawError, match="train again with --force in place of --resume"):
        Checkpoint.load(path, "abc")


@pytest.mark.parametrize("content", [{"format": "caw_toolkit.pyramid", "version": 1}, [1, 2], {"version": 1}])
def test_other_files_of_torch(tmp_path: Path, content: object) -> None:
    path = tmp_path / "file.checkpoint"
    torch.save(content, path)
    with pytest.raises(CawError, match="is not a checkpoint of this version"):
        Checkpoint.load(path, "abc")


@pytest.mark.parametrize("version", [None, 0, 3, "new"])
def test_other_versions(stored: Path, version: object) -> None:
    content = torch.load(stored, weights_only=True)
    torch.save({**content, "version": version}, stored)
    with pytest.raises(CawError, match="is not a checkpoint of this version"):
        Checkpoint.load(stored, "abc")


def test_code_in_it_is_not_executed(tmp_path: Path) -> None:
    path, mark = tmp_path / "file.checkpoint", tmp_path / "executed"
    torch.save({"format": "caw_toolkit.checkpoint", "version": 1, "seed": Malicious(mark)}, path)
    with pytest.raises(CawError, match="damaged"):
        Checkpoint.load(path, "abc")
    with pytest.raises(CawError, match="damaged"):
        stored_seed(path)
    assert not mark.exists()


def test_a_new_checkpoint_replaces_the_old_one_whole(stored: Path) -> None:
    Checkpoint(fingerprint="def", seed=8).save(stored)
    assert Checkpoint.load(stored, "def").seed == 8
    assert [path.name for path in stored.parent.iterdir()] == [stored.name]
