"""A plugin that adds to the engine itself, built as a wheel and installed by pip in an environment of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from caw_toolkit import CawError, PyramidModel
from caw_toolkit.generators.registry import build_generator
from paths import EXAMPLES, ROOT
from plugin_environment import TYPES, PluginEnvironment

EXAMPLE = ROOT / "examples" / "caw-plugin-linear"
CLIP = EXAMPLES / "tabla.flac"
TRAIN = ("train", CLIP, "--preset", "linear", "--duration", "6", "--material", "music", "--seed", "1")

#: `caw`, killed as by the system after its fifth step; the state is kept after each.
KILLED = """\
import os, signal
from caw_toolkit.cli import main
from caw_toolkit.training import trainer

trainer.CHECKPOINT_INTERVAL_SECONDS = 0.0
report = trainer.Trainer._check

def kill(self, losses, spec):
    if self.state.steps == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    report(self, losses, spec)

trainer.Trainer._check = kill
main()
"""

STREAM = """\
import itertools, sys
import numpy as np
from caw_toolkit import PyramidModel

model = PyramidModel.load(sys.argv[1], "cpu")
streamed = np.concatenate(list(itertools.islice(model.stream(0.7, seed=3), 4)), axis=1)
generated = model.generate(2.8, seed=3)
assert np.isfinite(generated).all() and generated.std() > 1e-3
np.testing.assert_allclose(streamed, generated, atol=1e-4)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> PluginEnvironment:
    """An environment with the plugin, from a wheel built from a copy of its folder."""
    folder = tmp_path_factory.mktemp("engine-plugin")
    environment = PluginEnvironment(folder)
    source = shutil.copytree(EXAMPLE, folder / "source")
    environment.pip("wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source)
    (wheel,) = folder.glob("caw_linear-*.whl")
    environment.pip("install", "--quiet", "--no-deps", wheel)
    return environment


@pytest.fixture(scope="module")
def model(environment: PluginEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was trained with the plugin."""
    path = tmp_path_factory.mktemp("model") / "tabla.pt"
    done = environment.caw(*TRAIN, "-o", path)
    assert done.returncode == 0, done.stderr
    return path


def test_its_parts_are_listed(environment: PluginEnvironment) -> None:
    done = environment.caw("plugins", "--json", "--check")
    assert done.returncode == 0, done.stderr
    (record,) = [record for record in json.loads(done.stdout)["plugins"] if record["name"] == "linear"]
    assert record["error"] is None and record["problems"] == []
    assert [record[kind] for kind in ("generators", "objectives", "presets")] == [["linear"]] * 3


def test_a_model_says_what_it_needs(environment: PluginEnvironment, model: Path) -> None:
    content = torch.load(model, weights_only=True)
    assert content["scales"][0]["plugin"] == {"distribution": "caw-linear", "version": "0.1.0"}
    assert all("plugin" not in scale for scale in content["scales"][1:])
    shown = environment.caw("info", model)
    assert shown.returncode == 0 and "1000 Hz  linear" in shown.stdout


def test_takes_are_as_long_as_asked_and_the_same_for_a_seed(
    environment: PluginEnvironment, model: Path, tmp_path: Path
) -> None:
    takes = []
    for name in ("a.wav", "b.wav"):
        done = environment.caw("generate", "-m", model, "--duration", "3", "--seed", "4", "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
        takes.append(soundfile.read(tmp_path / name)[0])
    np.testing.assert_array_equal(*takes)
    assert len(takes[0]) == 48000 and takes[0].std() > 1e-3


def test_streams_are_what_is_generated(environment: PluginEnvironment, model: Path) -> None:
    done = environment.run("-c", STREAM, model)
    assert done.returncode == 0, done.stderr


def test_a_killed_training_goes_on_to_the_same_model(
    environment: PluginEnvironment, model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "resumed.pt"
    killed = environment.run("-c", KILLED, *TRAIN, "-o", path)
    assert killed.returncode == -9 and not path.exists()
    checkpoint = tmp_path / "resumed.pt.checkpoint"
    assert torch.load(checkpoint, weights_only=True)["steps"] == 4
    resumed = environment.caw(*TRAIN, "-o", path, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    expected, made = (torch.load(file, weights_only=True) for file in (model, path))
    for one, other in zip(expected["scales"], made["scales"], strict=True):
        assert one["architecture"] == other["architecture"]
        assert all(torch.equal(one["weights"][name], other["weights"][name]) for name in one["weights"])
    assert not checkpoint.exists()


def test_opening_a_model_imports_no_module_that_it_names(
    environment: PluginEnvironment, model: Path, tmp_path: Path
) -> None:
    imported = tmp_path / "imported"
    (tmp_path / "intruder.py").write_text(f"open({str(imported)!r}, 'w').close()\n", encoding="utf-8")
    path = {"PYTHONPATH": str(tmp_path)}
    content = torch.load(model, weights_only=True)
    content["scales"][0]["architecture"]["type"] = "intruder:Generator"
    torch.save(content, tmp_path / "altered.pt")
    arguments = ("generate", "-m", tmp_path / "altered.pt", "--seed", "1", "-q", "-o", tmp_path / "take.wav")
    done = environment.caw(*arguments, environment=path)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "'intruder:Generator'" in done.stderr
    assert not imported.exists()
    assert environment.run("-c", "import intruder", environment=path).returncode == 0
    assert imported.exists(), "it could have been imported"


@pytest.mark.slow
def test_the_tests_and_the_types_of_the_example_are_right(environment: PluginEnvironment, tmp_path: Path) -> None:
    tests = shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    done = environment.run("-m", "pytest", "-q", "-p", "no:cacheprovider", tests)
    assert done.returncode == 0, done.stdout
    arguments = (
        "--strict",
        "--implicit-reexport",
        "--follow-imports=silent",
        "--ignore-missing-imports",
        EXAMPLE / "caw_linear",
    )
    done = environment.run("-m", "mypy", *arguments, environment=TYPES)
    assert done.returncode == 0, done.stdout


def test_without_the_plugin_a_line_says_what_to_install(model: Path) -> None:
    """In the environment of these tests it has never been installed."""
    with pytest.raises(CawError) as raised:
        PyramidModel.load(model, "cpu")
    assert str(raised.value) == (
        "the model uses a generator of type 'linear' from the plugin caw-linear 0.1.0: caw install caw-linear"
    )


def test_after_its_removal_a_line_says_what_to_install(
    environment: PluginEnvironment, model: Path, tmp_path: Path
) -> None:
    """Stands last: it removes the plugin."""
    environment.pip("uninstall", "--yes", "--quiet", "caw-linear")
    done = environment.caw("generate", "-m", model, "--seed", "1", "-q", "-o", tmp_path / "take.wav")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "type 'linear'" in done.stderr
    assert "caw-linear 0.1.0: caw install caw-linear" in done.stderr
    assert environment.caw("info", model).returncode == 0
    missing = environment.caw(*TRAIN, "-o", tmp_path / "new.pt")
    assert missing.returncode == 2 and "unknown preset 'linear'" in missing.stderr


@pytest.mark.parametrize("kind", ["os:system", "caw_linear.generator:LinearGenerator", "../evil", 7, None, ["flow"]])
def test_a_file_cannot_name_what_is_imported(kind: object) -> None:
    with pytest.raises(CawError, match="which this caw_toolkit does not know"):
        build_generator({"type": kind, "command": "true"})


def test_words_of_a_file_are_shown_on_one_short_line() -> None:
    plugin = {"distribution": "evil\nline" * 50, "version": 3}
    with pytest.raises(CawError) as raised:
        build_generator({"type": "x\n" * 100}, plugin=plugin)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 300
