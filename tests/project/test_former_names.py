"""Old spellings stay readable; a setting has one name at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from caw_toolkit import former_names
from caw_toolkit.errors import CawUsageError
from caw_toolkit.pyramid.material import Material
from caw_toolkit.training.objectives import build_objective
from caw_toolkit.training.objectives.flow_matching import FlowMatchingObjective
from caw_toolkit.training.presets import load_preset

OLD = """\
[objective]
name = "flow_matching"
passes = 12
averaging = 0.9

[generation]
own_noise = 0.3

[material.speech.generation]
own_noise = 0.1
"""


def test_presets_may_use_old_names(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    path.write_text(OLD, encoding="utf-8")
    preset = load_preset(path, material=Material.MUSIC)
    assert preset.generation == {"inverted_noise": 0.3}
    assert load_preset(path, material=Material.SPEECH).generation == {"inverted_noise": 0.1}
    objective = build_objective(preset.objective, preset.objective_options)
    assert isinstance(objective, FlowMatchingObjective)
    assert (objective.options.epochs, objective.options.ema_decay) == (12, 0.9)


def test_both_names_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CawUsageError, match="passes is called epochs now: give one of them"):
        build_objective("flow_matching", {"passes": 1, "epochs": 2})
    path = tmp_path / "both.toml"
    path.write_text(f"{OLD}inverted_noise = 0.2\n", encoding="utf-8")
    with pytest.raises(CawUsageError, match="own_noise is called inverted_noise now"):
        load_preset(path, material=Material.MUSIC)


@pytest.mark.parametrize("objective", [*former_names.OPTIONS, "adversarial"])
def test_digests_see_first_names(objective: str) -> None:
    """`epochs` of the adversarial objective has never had another name."""
    first = dict.fromkeys(former_names.OPTIONS.get(objective, {"epochs": ""}), 1)
    now = former_names.present(first, former_names.OPTIONS.get(objective, {}))
    assert former_names.former_options(objective, now) == first == former_names.former_options(objective, first)
