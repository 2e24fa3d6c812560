"""The engine knows no task, and each task works without the others."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest
from caw_process import run_caw

ROOT = Path(__file__).resolve().parent.parent
ENGINE, PLUGINS = ROOT / "caw_toolkit", ROOT / "plugins"

#: Names by which code would single out a task. `generate` is what models do, and `variation` a word like others.
TASK_WORDS = ("bwe", "bandwidth_extension", "inpaint", "inpainting", "denoise", "denoising", "vary", "unconditional")
_TASK_NAME = re.compile(rf"(?<![a-z])({'|'.join(TASK_WORDS)}|caw_variation)(?![a-z])", re.IGNORECASE)

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
    assert task_names("import caw_bwe") == ["bwe"]
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
    checked = run_caw("plugins", "--check", environment=environment)
    assert checked.returncode == 0, checked.stdout
    missing = run_caw(COMMANDS[disabled], str(speech_path), environment=environment)
    assert missing.returncode == 2 and f"no command '{COMMANDS[disabled]}'" in missing.stderr
