"""A state that was read from a checkpoint, until the first step shows that one can go on from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from caw_toolkit.errors import CawError, describe_exception
from caw_toolkit.pyramid.archive import reason_of_system
from caw_toolkit.pyramid.schema import dtype_of, shown
from caw_toolkit.training.adamw import AdamW
from caw_toolkit.training.checkpoints import Checkpoint, unusable
from caw_toolkit.training.objectives.base import ScaleTrainer
from caw_toolkit.training.plan import Plan

#: A budget is exceeded by a step at the most, which may take long; more than this is no time that was spent.
_OVERRUN, _OVERRUN_SECONDS = 10.0, 3600.0


class ResumedState:
    """What is asked of a checkpoint's content beyond its types: it has to be of this plan.

    Args:
        state: as it was read.
        plan: that it is to go on with.
        path: of the checkpoint.

    Raises:
        CawError: if it is of other scales, or more time was spent than there is.
    """

    def __init__(self, state: Checkpoint, plan: Plan, path: Path) -> None:
        self._state = state
        self._plan = plan
        self._path = path
        state.require_scales(plan.rates, path)
        if state.model is not None:
            for key, value in (("channels", plan.recording.channels), ("upsampling", plan.preset.upsampling)):
                if state.model[key] != value:
                    raise unusable(path, f"model.{key} is {state.model[key]!r}, and {value!r} in this training")
        if plan.minutes is not None and sum(state.seconds) > _OVERRUN * plan.minutes * 60 + _OVERRUN_SECONDS:
            raise unusable(path, f"seconds are {sum(state.seconds):g}, of {plan.minutes * 60:g} that there are")

    def require_fit(self, trainer: ScaleTrainer) -> None:
        """Refuse more steps than a scale has, which would count as finished, and optimisers of other weights.

        Torch's fused optimisers trust the shapes of their state: they would read and write beyond it.

        Args:
            trainer: of the scale, its state loaded.

        Raises:
            CawError: naming the key.
        """
        steps, own = self._state.steps, self._state.trainer.get("steps_done")
        most = trainer.most_steps
        if self._plan.minutes is None:
            most = min(most, trainer.total_steps)
        if steps > most:
            raise unusable(self._path, f"steps is {steps}, of {most:g} that this scale has")
        if steps and not self._state.trainer and most:
            raise unusable(self._path, f"steps is {steps}, but there is no state of the trainer")
        # Those of version 0.1.0 that were interrupted within a step are one apart.
        if type(own) is int and abs(own - steps) > 1:
            raise unusable(self._path, f"steps is {steps}, but trainer.steps_done is {own}")

        for optimiser in _optimisers(trainer):
            for parameter, kept in optimiser.state.items():
                for name, value in kept.items():
                    if isinstance(value, Tensor) and not _is_state_of(parameter, name, value):
                        given = f"{dtype_of(value)} {tuple(value.shape)}"
                        reason = f"the optimiser's {shown(name)} is {given} for weights {tuple(parameter.shape)}"
                        raise unusable(self._path, reason)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Whatever fails meanwhile is due to the checkpoint, unless it is the system's fault.

        Raises:
            CawError: in place of other exceptions.
        """
        try:
            yield
        except CawError:
            raise
        except Exception as error:
            if reason_of_system(error) is not None:
                raise
            reason = f"its state of the trainer does not fit ({describe_exception(error)[:200]})"
            raise unusable(self._path, reason) from error


def _optimisers(holder: object) -> Iterator[AdamW | torch.optim.Optimizer]:
    """Those of a trainer, and of trainers and dicts that it holds."""
    for value in (holder if isinstance(holder, Mapping) else vars(holder)).values():
        if isinstance(value, (AdamW, torch.optim.Optimizer)):
            yield value
        elif isinstance(value, (Mapping, ScaleTrainer)):
            yield from _optimisers(value)


def _is_state_of(parameter: Tensor, name: object, value: Tensor) -> bool:
    """Whether a tensor of an optimiser's state fits what it is the state of."""
    if name == "step":
        return value.numel() == 1 and value.dtype == torch.float32
    alike = value.dtype == parameter.dtype and value.is_contiguous() == parameter.is_contiguous()
    return value.shape == parameter.shape and alike
