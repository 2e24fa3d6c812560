"""The optimiser beside torch's."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from caw_process import run_python
from caw_toolkit.training.adamw import AdamW

RATE, BETAS = 0.01, (0.9, 0.99)


def weights() -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=random).requires_grad_() for shape in ((3, 5), (7,), (2, 1, 4))]


def descend(parameters: list[Tensor], optimiser: AdamW | torch.optim.Optimizer, steps: int) -> None:
    for step in range(steps):
        optimiser.zero_grad()
        # The last weights have a gradient in every other step only.
        used = parameters if step % 2 else parameters[:-1]
        sum((parameter - 0.3).pow(2).sum() for parameter in used).backward()  # type: ignore[union-attr]
        optimiser.step()


@pytest.mark.parametrize(("decay", "fused"), [(0.0, None), (1e-3, True)])
def test_weights_are_those_of_torch_bit_for_bit(decay: float, fused: bool | None) -> None:
    own, expected = weights(), weights()
    ours = AdamW(own, learning_rate=RATE, betas=BETAS, weight_decay=decay, fused=fused)
    kind = torch.optim.AdamW if decay else torch.optim.Adam
    theirs = kind(expected, lr=RATE, betas=BETAS, weight_decay=decay, fused=fused)
    descend(own, ours, 6)
    descend(expected, theirs, 6)
    for one, other in zip(own, expected, strict=True):
        assert torch.equal(one, other)

    gone_on = AdamW(own, learning_rate=RATE, betas=BETAS, weight_decay=decay, fused=fused)
    gone_on.load_state_dict(copy.deepcopy(theirs.state_dict()))
    descend(own, gone_on, 3)
    descend(expected, theirs, 3)
    for one, other in zip(own, expected, strict=True):
        assert torch.equal(one, other)


def test_torchs_compiler_stays_unloaded() -> None:
    code = (
        "import sys, torch; from caw_toolkit.training.adamw import AdamW\n"
        "weight = torch.ones(3, requires_grad=True)\n"
        "optimiser = AdamW([weight], learning_rate=0.1, betas=(0.9, 0.99), fused=True)\n"
        "weight.sum().backward(); optimiser.step(); optimiser.zero_grad()\n"
        "optimiser.load_state_dict(optimiser.state_dict())\n"
        "print('torch._dynamo' in sys.modules)"
    )
    assert run_python("-c", code).stdout == "False\n"
