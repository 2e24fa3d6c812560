"""What a model generates by itself has other pauses and another level than its recording: both are brought to those."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.pyramid.pauses import Pauses, find_pauses, needed_pauses, total_seconds
from caw_toolkit.pyramid.recording import Recording
from caw_toolkit.seeds import derived_seed

#: Pauses are measured on so much generated audio.
PAUSES_SECONDS = 60
#: The level is measured on so much.
LEVEL_SECONDS = 30
#: The level is corrected by no more than these factors.
LEVEL_CORRECTIONS = (0.5, 2.0)


def level_gain(wanted: float, generated: float) -> float:
    """What generated audio is multiplied by to have the level wanted: errors of a trained network lower it.

    Args:
        wanted: root mean square of the recording.
        generated: the same of what was generated.

    >>> level_gain(0.1, 0.08), level_gain(0.1, 0.0)
    (1.25, 1.0)
    """
    if not generated > 0:
        return 1.0
    least, most = LEVEL_CORRECTIONS
    return min(max(wanted / generated, least), most)


def match_pauses(model: PyramidModel, recording: Recording, *, seed: int) -> None:
    """Give what a model generates no more pauses than the recording has: it makes some of its own.

    Args:
        model: whose findings are changed.
        recording: that it was trained on.
        seed: of the training.
    """
    found = model.findings.pauses
    if found and model.scales[0].generator.can_renoise:
        without, with_all = (_paused_share(model, pauses, seed) for pauses in ((), found))
        wanted = total_seconds(found) / recording.seconds
        needed = needed_pauses(found, wanted=wanted, without=without, with_all=with_all)
        model.findings = replace(model.findings, pauses=needed)


def _paused_share(model: PyramidModel, pauses: Pauses, seed: int) -> float:
    """Share of the time that is pauses in what a model generates that is given some of them."""
    paused = replace(model, findings=replace(model.findings, pauses=pauses))
    generated = paused.generate(PAUSES_SECONDS, seed=derived_seed(seed, "pauses"))
    return total_seconds(find_pauses(generated, model.sample_rate)) / PAUSES_SECONDS


def match_level(model: PyramidModel, recording: Recording, *, seed: int) -> None:
    """Give what a model generates the level of the recording.

    Args:
        model: whose gain is changed.
        recording: that it was trained on.
        seed: of the training.
    """
    generated = model.generate(LEVEL_SECONDS, seed=derived_seed(seed, "level"))
    model.gain = level_gain(recording.level, float(np.sqrt(np.mean(generated**2))))
