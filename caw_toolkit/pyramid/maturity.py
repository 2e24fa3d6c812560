"""How far the training of a model got, and whether that is enough."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

#: For plugins that train several models.
__all__ = ["trained_share", "warn_if_rough"]

logger = logging.getLogger(__name__)

#: Below this share of the planned training of a scale, a model is rough (docs/decisions.md#short-trainings).
ROUGH_SHARE = 0.1


def trained_share(training: Mapping[str, Any]) -> float:
    """Share of the planned training that the scale has had which had the least; 1 where a model does not say.

    Args:
        training: `PyramidModel.training`.

    >>> trained_share({"trained_shares": [0.5, 1.0, 0.04]})
    0.04
    """
    return float(min(training.get("trained_shares", ()), default=1.0))


def warn_if_rough(training: Mapping[str, Any], name: str) -> None:
    """Say so if a model has had little training.

    Args:
        training: `PyramidModel.training`.
        name: of the model.

    Example:
        >>> warn_if_rough({"trained_shares": [0.5, 1.0]}, "the model")  # nothing to say
        >>> warn_if_rough({"trained_shares": [0.5, 0.01]}, "the model")  # logs a warning
    """
    share = trained_share(training)
    if share < ROUGH_SHARE:
        logger.warning(
            "%s has had %.0f %% of its planned training, and what it makes is rough: give it more --minutes",
            name,
            100 * share,
        )
