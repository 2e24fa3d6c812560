"""One level of a pyramid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caw_toolkit.generators.base import ScaleGenerator

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Scale:
    """One level of the pyramid.

    Attributes:
        rate: samples per second.
        generator: makes this scale's signal from noise and the coarser signal.
        noise_std: standard deviation of the noise it expects.
    """

    rate: int
    generator: ScaleGenerator
    noise_std: float
