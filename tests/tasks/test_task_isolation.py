"""The engine knows no task, and each task works without the others."""

from __future__ import annotations

import io
import os
import re
import sys
import tokenize
from importlib.metadata import entry_points, version
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from caw_process import run_caw, run_python
from caw_toolkit import AudioClip, read_audio, write_audio
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.parts import DISTRIBUTION
from paths import ROOT

ENGINE, PLUGINS = ROOT / "caw_toolkit", ROOT / "plugins"

#: Names by which code would single out a task. `generate` is what models do, and `variation` a word like others.
TASK_WORDS = ("bwe", "bandwidth_extension", "inpaint", "inpainting", "denoise", "denoising", "vary", "unconditional")
_TASK_NAME = re.compile(rf"(?<![a-z])({'|'.join(TASK_WORDS)}|caw_music_variation)(?![a-z])", re.IGNORECASE)

COMMANDS = {
    "unconditional": "generate",
    "music-variation": "vary",
    "bandwidth-extension": "bwe",
    "inpainting": "inpaint",
    "denoising": "denoise",
}


def task_names(source: str) -> list[str]:
    """Task names in code and strings; comments are free."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    text = (token.string for token in tokens if token.type != tokenize.COMMENT)
    return [match[0] for part in text for match in _TASK_NAME.finditer(part)]


def test_the_check_finds_task_names_and_leaves_other_words() -> None:
    assert task_names("import caw_bandwidth_extension") == ["bandwidth_extension"]
    assert task_names("modes = {'inpaint': 1}") == ["inpaint"]
    assert task_names("model.generate(seed=1)  # vary") == []


@pytest.mark.parametrize("module", sorted(ENGINE.rglob("*.py")), ids=lambda path: str(path.relative_to(ENGINE)))
def test_no_module_of_the_engine_names_a_task(module: Path) -> None:
    assert task_names(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("package", sorted(path.name for path in PLUGINS.glob("caw_*")))
def test_no_plugin_imports_another(package: str) -> None:
    for module in (PLUGINS / package).rglob("*.py"):
        imported = set(re.findall(r"^\s*(?:from|import) (caw_\w+)", module.read_text(encoding="utf-8"), re.MULTILINE))
        assert imported <= {package, "caw_toolkit"}, module


@pytest.mark.parametrize("disabled", COMMANDS)
def test_without_one_plugin_the_others_work(disabled: str, speech_path: Path) -> None:
    environment = {"CAW_DISABLE_PLUGINS": disabled}
    listing = run_caw("--help", environment=environment)
    assert listing.returncode == 0 and listing.stderr == ""
    for plugin, command in COMMANDS.items():
        assert bool(re.search(rf"^  {command}  ", listing.stdout, re.MULTILINE)) == (plugin != disabled)
    missing = run_caw(COMMANDS[disabled], str(speech_path), environment=environment)
    assert missing.returncode == 2 and f"no command '{COMMANDS[disabled]}'" in missing.stderr


class Installation:
    """The toolkit as it is installed, but for the folder of one plugin, which the metadata still advertise.

    Args:
        folder: where to make it.
        without: the plugin.
    """

    def __init__(self, folder: Path, *, without: str) -> None:
        points = {point.name: point for point in entry_points(group="caw_toolkit") if point.name in COMMANDS}
        for package in (ENGINE, *PLUGINS.glob("caw_*")):
            if package.name != points[without].module.partition(".")[0]:
                (folder / package.name).symlink_to(package)
        release = version(DISTRIBUTION)
        metadata = folder / f"caw_toolkit-{release}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Name: {DISTRIBUTION}\nVersion: {release}\n", encoding="utf-8")
        lines = ["[caw_toolkit]", *(f"{point.name} = {point.value}" for point in points.values())]
        (metadata / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
        dependencies = (entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages"))
        self._environment = {"PYTHONPATH": os.pathsep.join([str(folder), *dependencies])}
        self._folder = folder

    def caw(self, *arguments: str) -> CompletedProcess[str]:
        """Run its `caw`; `-S` hides the checkout, should that be installed as editable."""
        command = ("-S", "-m", "caw_toolkit", *arguments)
        return run_python(*command, environment=self._environment, cwd=self._folder)


@pytest.fixture(scope="module")
def muffled_path(speech: AudioClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of speech at 4 kHz, without anything above 1 kHz."""
    path = tmp_path_factory.mktemp("clip") / "muffled.wav"
    low = resample(speech.samples[:, : 4 * speech.sample_rate], speech.sample_rate, 2000)
    write_audio(path, resample(low, 2000, 4000), 4000)
    return path


@pytest.mark.parametrize(
    ("deleted", "run"),
    [
        ("unconditional", "vary {clip} --model {model}"),
        ("music-variation", "bwe {clip} --model {model}"),
        ("bandwidth-extension", "inpaint {clip} --gap 1 1.2 --model {model}"),
        ("inpainting", "denoise {clip}"),
        ("denoising", "generate --duration 1 --model {model}"),
    ],
)
def test_deleting_one_plugin_leaves_the_others_and_the_engine(
    deleted: str, run: str, tiny_model_path: Path, muffled_path: Path, tmp_path: Path
) -> None:
    installation = Installation(tmp_path, without=deleted)
    checked = installation.caw("plugins", "--check")
    assert checked.returncode == 1, checked.stderr
    assert checked.stdout.count("problem:") == 1 and "broken:" not in checked.stdout
    warning = checked.stderr
    assert warning.count("\n") == 1 and f"plugin {deleted!r}" in warning and "No module named" in warning

    remaining = [command for plugin, command in COMMANDS.items() if plugin != deleted]
    for arguments in (["info", str(tiny_model_path)], *([command, "--help"] for command in remaining)):
        done = installation.caw(*arguments)
        assert (done.returncode, done.stderr) == (0, warning)

    result = tmp_path / "result.wav"
    command = run.format(clip=muffled_path, model=tiny_model_path).split()
    done = installation.caw(*command, "--output", str(result))
    assert done.returncode == 0, done.stderr
    assert read_audio(result).samples.any()
