"""AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019); without weight decay it is Adam.

The arithmetic is that of `torch.optim.AdamW`, and so is the format of its state. That class loads torch's compiler when
it is first used, which takes a second and 150 MB for nothing that a training needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

_EPSILON = 1e-8


class AdamW:
    """Optimiser of some weights.

    Args:
        parameters: to be changed by `step`.
        learning_rate: of the next step; may be set at any time.
        betas: decays of the averages of the gradient and of its square.
        weight_decay: relative to the learning rate.
        fused: whether all is done in one pass, where the device can; None leaves it to torch.

    Attributes:
        state: `step`, `exp_avg` and `exp_avg_sq` of each parameter.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        learning_rate: float,
        betas: tuple[float, float],
        weight_decay: float = 0.0,
        fused: bool | None = None,
    ) -> None:
        self.learning_rate = learning_rate
        self._parameters = list(parameters)
        self._betas = betas
        self._weight_decay = weight_decay
        self._fused = fused
        self.state = {parameter: self._fresh_state(parameter) for parameter in self._parameters}

    def zero_grad(self) -> None:
        """Drop the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Change the parameters that have a gradient."""
        moved = [parameter for parameter in self._parameters if parameter.grad is not None]
        adamw(
            moved,
            [parameter.grad for parameter in moved if parameter.grad is not None],
            [self.state[parameter]["exp_avg"] for parameter in moved],
            [self.state[parameter]["exp_avg_sq"] for parameter in moved],
            [],
            [self.state[parameter]["step"] for parameter in moved],
            fused=self._fused,
            amsgrad=False,
            beta1=self._betas[0],
            beta2=self._betas[1],
            lr=self.learning_rate,
            weight_decay=self._weight_decay,
            eps=_EPSILON,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """The state by the numbers of the parameters; later steps change it."""
        return {"state": {index: self.state[parameter] for index, parameter in enumerate(self._parameters)}}

    def load_state_dict(self, content: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` of this class or of torch's gave; whether it fits is not checked.

        Args:
            content: of which a copy is made.
        """
        for index, kept in content["state"].items():
            parameter = self._parameters[index]
            fresh = self._fresh_state(parameter)
            self.state[parameter] = {name: kept[name].to(fresh[name].device, copy=True) for name in fresh}

    def _fresh_state(self, parameter: Tensor) -> dict[str, Tensor]:
        averages = {name: torch.zeros_like(parameter, requires_grad=False) for name in ("exp_avg", "exp_avg_sq")}
        # Fused steps count where they compute, others on the CPU.
        return {"step": torch.zeros((), device=parameter.device if self._fused else None), **averages}
