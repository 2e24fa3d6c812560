"""Files that are whole while the system fails: the reason is in the line, and nothing is called damaged."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from caw_process import run_python
from caw_toolkit.errors import CawError
from caw_toolkit.pyramid import model_file
from caw_toolkit.training.checkpoints import Checkpoint, stored_seed

#: Opens a file with too few descriptors, or too little memory, left; `use` is a function of a path.
LIMITED = """
import resource, sys, torch, zipfile, caw_toolkit.pyramid.model
from caw_toolkit import CawError
from caw_toolkit.pyramid.model_file import load, read_header
from caw_toolkit.training.checkpoints import stored_seed

use, path, limit = globals()[sys.argv[1]], sys.argv[2], sys.argv[3]
torch.set_num_threads(1)
use(sys.argv[4])  # everything that is imported late
if limit == "descriptors":
    import os
    lowest = os.open(path, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, lowest))
else:
    pages = int(open("/proc/self/statm").read().split()[0])
    size = pages * resource.getpagesize() + (20 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
try:
    use(path)
except CawError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def files(tiny_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """A large file and a small one, by the function that reads it."""
    folder = tmp_path_factory.mktemp("large")
    large = model_file.load(tiny_model_path)
    large["scales"][0]["weights"]["more"] = torch.zeros(2**26)
    torch.save(large, folder / "large.pt")
    state = Checkpoint("abc", 1, trainer={"weights": torch.zeros(2**26)})
    state.save(folder / "large.checkpoint")
    Checkpoint("abc", 1).save(folder / "small.checkpoint")
    models = folder / "large.pt", tiny_model_path
    return {
        "load": models,
        "read_header": models,
        "stored_seed": (folder / "large.checkpoint", folder / "small.checkpoint"),
    }


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits of Linux")
@pytest.mark.parametrize(
    ("use", "limit", "reason"),
    [
        ("load", "descriptors", "too many open files"),
        ("read_header", "descriptors", "too many open files"),
        ("stored_seed", "descriptors", "too many open files"),
        ("load", "memory", "out of memory"),
        ("stored_seed", "memory", "out of memory"),
    ],
)
def test_what_the_system_lacks(files: dict[str, tuple[Path, Path]], use: str, limit: str, reason: str) -> None:
    large, small = files[use]
    done = run_python("-c", LIMITED, use, str(large), limit, str(small))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"cannot read {large}: {reason}; the file may well be whole\n"


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.ESTALE, errno.EMFILE])
@pytest.mark.parametrize("use", [model_file.load, model_file.read_header, stored_seed])
def test_what_the_system_denies(
    files: dict[str, tuple[Path, Path]], monkeypatch: pytest.MonkeyPatch, use: Callable[[Path], Any], code: int
) -> None:
    """As root, files without permissions can be read: the call that fails is replaced."""
    _, path = files[use.__name__]

    def denied(*_: object) -> None:
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr("caw_toolkit.pyramid.archive.open", denied, raising=False)
    with pytest.raises(CawError) as error:
        use(path)
    reason = os.strerror(code).lower()
    assert str(error.value) == f"cannot read {path}: {reason}; the file may well be whole"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permissions(tiny_model_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(tiny_model_path.read_bytes())
    path.chmod(0)
    with pytest.raises(CawError, match="permission denied"):
        model_file.load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_pipes_and_links_without_end(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    with pytest.raises(CawError, match="is a device or a pipe, not a model file"):
        model_file.load(pipe)
    with pytest.raises(CawError, match=r"cannot read .*symbolic links"):
        model_file.load(loop)
