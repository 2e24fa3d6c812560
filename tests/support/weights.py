"""What a model has learnt."""

from __future__ import annotations

import torch

from caw_toolkit.pyramid.model import PyramidModel


def weights(model: PyramidModel) -> list[torch.Tensor]:
    """All tensors of all scales."""
    return [value for scale in model.scales for value in scale.generator.state_dict().values()]


def assert_same_weights(one: PyramidModel, other: PyramidModel) -> None:
    """Fail if two models differ in any bit."""
    pairs = list(zip(weights(one), weights(other), strict=True))
    assert pairs and all(torch.equal(a, b) for a, b in pairs)
