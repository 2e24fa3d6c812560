"""Presets: merging by material, and errors that name the file, the key and the closest known one."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest

from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.pyramid.material import Material
from caw_toolkit.training import presets
from caw_toolkit.training.presets import load_preset, preset_directory
from paths import ROOT

COMPLETE = """
description = "for the tests"
[scales]
candidate_rates = [500, 1000, 4000]
largest_ratio = 4
energy_threshold = 0.0025
[objective]
name = "adversarial"
channels = 32
[objective.loss]
waveform = 0.0
spectrogram = 1e-4
[training]
minutes = 2.5
coarsest_share = 0.4
[material.speech.scales]
lowest_speech_rate = 1000
upsampling = "sinc"
[material.speech.objective.loss]
waveform = 10
[material.ambience.objective]
name = "flow_matching"
depth = 3
"""


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped presets with `fast` and `paper`."""
    folder = tmp_path / "presets"
    folder.mkdir()
    (folder / "fast.toml").write_text(COMPLETE)
    (folder / "paper.toml").write_text('[objective]\nname = "adversarial"\n')
    monkeypatch.setattr(presets, "preset_directory", lambda: folder)
    return folder


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


@pytest.mark.usefixtures("shipped")
def test_music_has_no_changes() -> None:
    preset = load_preset("fast", material=Material.MUSIC)
    assert (preset.name, preset.description, preset.upsampling) == ("fast", "for the tests", "keys")
    assert preset.scales == {"candidate_rates": (500, 1000, 4000), "largest_ratio": 4, "energy_threshold": 0.0025}
    assert preset.objective == "adversarial"
    assert preset.objective_options == {"channels": 32, "loss": {"waveform": 0.0, "spectrogram": 1e-4}}
    assert preset.training == {"minutes": 2.5, "coarsest_share": 0.4}


@pytest.mark.usefixtures("shipped")
def test_material_is_laid_over() -> None:
    preset = load_preset("fast", material=Material.SPEECH)
    assert preset.upsampling == "sinc"
    assert preset.scales["lowest_speech_rate"] == 1000
    assert preset.scales["largest_ratio"] == 4
    assert preset.objective_options == {"channels": 32, "loss": {"waveform": 10, "spectrogram": 1e-4}}


@pytest.mark.usefixtures("shipped")
def test_other_objective_starts_afresh() -> None:
    preset = load_preset("fast", material=Material.AMBIENCE)
    assert preset.objective == "flow_matching"
    assert preset.objective_options == {"depth": 3}


@pytest.mark.usefixtures("shipped")
def test_defaults() -> None:
    preset = load_preset("paper", material=Material.SPEECH)
    assert (preset.description, preset.scales, preset.upsampling, preset.training) == ("", {}, "keys", {})


def test_path(tmp_path: Path) -> None:
    path = written(tmp_path, COMPLETE)
    assert load_preset(path, material=Material.MUSIC).name == str(path)
    assert load_preset(str(path), material=Material.MUSIC).objective == "adversarial"


@pytest.mark.usefixtures("shipped")
def test_registered(tmp_path: Path) -> None:
    extra = {"bells": written(tmp_path, '[objective]\nname = "ringing"\n'), "fast": tmp_path / "none.toml"}
    assert load_preset("bells", material=Material.MUSIC, extra=extra).objective == "ringing"
    assert load_preset("fast", material=Material.MUSIC, extra=extra).objective == "adversarial"


@pytest.mark.parametrize(("name", "hint"), [("fsat", "did you mean 'fast'?"), ("xyz", "known: fast, paper")])
@pytest.mark.usefixtures("shipped")
def test_unknown_name(name: str, hint: str) -> None:
    with pytest.raises(CawUsageError) as caught:
        load_preset(name, material=Material.MUSIC)
    assert str(caught.value) == f"unknown preset {name!r}: {hint}"


OBJECTIVE = '[objective]\nname = "adversarial"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[scales", "not valid TOML"),
        ("a = " + "9" * 5000, "not valid TOML"),
        ("a = " + "[" * 20_000, "nested too deep"),
        (".".join("a" * 20_000) + " = 1", "has a key of more than 50 parts"),
        ("", "objective.name is missing"),
        ("objective = 3", "objective must be a table, not 3"),
        ("[objective]\nname = 3", "objective.name must be a text, not 3"),
        ("[objectve]\n" + OBJECTIVE, "unknown key objectve: did you mean 'objective'?"),
        (OBJECTIVE + "[scales]\nlargest_ration = 4", "scales.largest_ration: did you mean 'largest_ratio'?"),
        (OBJECTIVE + "[scales]\nlargest_ratio = '4'", "scales.largest_ratio must be a finite number, not '4'"),
        (OBJECTIVE + "[scales]\nminimum_samples = true", "scales.minimum_samples must be an integer, not True"),
        (OBJECTIVE + "[scales]\nfallback_rate = 500.5", "scales.fallback_rate must be an integer"),
        (OBJECTIVE + "[scales]\ncandidate_rates = [500, 'x']", "scales.candidate_rates must be a list of integers"),
        (OBJECTIVE + "[scales]\nupsampling = 'cubic'", "scales.upsampling must be 'keys' or 'sinc', not 'cubic'"),
        (OBJECTIVE + "[training]\nminute = 4", "training.minute: did you mean 'minutes'?"),
        (OBJECTIVE + "[scales]\nlargest_ratio = nan", "scales.largest_ratio must be a finite number, not nan"),
        (OBJECTIVE + "[scales]\nenergy_threshold = inf", "scales.energy_threshold must be a finite number, not inf"),
        (OBJECTIVE + "[scales]\nfallback_rate = 0", "scales.fallback_rate must be an integer above 0, not 0"),
        (OBJECTIVE + "[training]\nminutes = 0", "training.minutes must be a number above 0, not 0"),
        (OBJECTIVE + "[training]\nminutes = nan", "training.minutes must be a number above 0, not nan"),
        (OBJECTIVE + "[training]\ncoarsest_share = 1", "training.coarsest_share must be a number between 0 and 1"),
        (OBJECTIVE + "[material.speach.scales]", "material.speach: did you mean 'speech'?"),
        (OBJECTIVE + "[material]\nmusic = 1", "material.music must be a table"),
        (
            OBJECTIVE + "[material.music.training]",
            "unknown key material.music.training: known: generation, objective, scales",
        ),
        (OBJECTIVE + "[material.music.scales]\nrate = 1", "unknown key material.music.scales.rate"),
        (OBJECTIVE + "[material.music.objective]\nname = ''", "material.music.objective.name must be a text"),
    ],
)
def test_malformed(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(CawUsageError) as caught:
        load_preset(path, material=Material.SPEECH)
    message = str(caught.value)
    assert words in message
    assert message.startswith(f"preset {path}")
    assert "\n" not in message


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(CawUsageError, match=r"none\.toml does not exist"):
        load_preset(tmp_path / "none.toml", material=Material.MUSIC)
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(CawUsageError, match="cannot read preset"):
        load_preset(tmp_path / "folder.toml", material=Material.MUSIC)
    (tmp_path / "latin.toml").write_bytes(b'description = "\xe9"')
    with pytest.raises(CawUsageError, match="UTF-8"):
        load_preset(tmp_path / "latin.toml", material=Material.MUSIC)


def test_directory_prefers_the_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.resources, "files", lambda _: tmp_path)
    assert preset_directory() == tmp_path


def test_directory_of_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> Path:
        raise ModuleNotFoundError(package)

    monkeypatch.setattr(importlib.resources, "files", missing)
    assert preset_directory() == ROOT / "presets"
    monkeypatch.setattr(presets, "__file__", "/nowhere/caw_toolkit/presets.py")
    with pytest.raises(CawError, match="install caw-toolkit again"):
        preset_directory()


@pytest.mark.parametrize("material", Material)
def test_every_shipped_preset_loads(material: Material) -> None:
    for name in (path.stem for path in preset_directory().glob("*.toml")):
        assert load_preset(name, material=material).description
