"""Features of a stretch of audio, and how far two stretches are apart in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.stats import wasserstein_distance

from caw_toolkit.metrics import Signal

#: Of all signals that are described, Hz.
RATE = 16_000


class Feature(Protocol):
    """Something that a stretch of audio has."""

    @property
    def value(self) -> float:
        """What to show of it; NaN for nothing."""
        ...

    def distance(self, other: Feature) -> float:
        """How far another stretch is; NaN where one has nothing to compare."""
        ...


@dataclass(frozen=True)
class Figure:
    """A number, such as notes a second."""

    value: float

    def distance(self, other: Feature) -> float:
        return abs(self.value - other.value)


@dataclass(frozen=True, eq=False)
class Observations:
    """Any number of values of the same thing, such as durations: compared as distributions (Wasserstein distance)."""

    values: npt.NDArray[np.float64]

    @property
    def value(self) -> float:
        return float(self.values.mean()) if len(self.values) else math.nan

    def distance(self, other: Feature) -> float:
        assert isinstance(other, Observations)
        if not (len(self.values) and len(other.values)):
            return math.nan
        return float(wasserstein_distance(self.values, other.values))


class _WithoutValue:
    """A feature that no single number shows."""

    @property
    def value(self) -> float:
        return math.nan


@dataclass(frozen=True, eq=False)
class Histogram(_WithoutValue):
    """How much there is of each of several things: compared by the share that lies elsewhere (total variation)."""

    counts: npt.NDArray[np.float64]

    def distance(self, other: Feature) -> float:
        assert isinstance(other, Histogram)
        totals = self.counts.sum(), other.counts.sum()
        if not all(totals):
            return math.nan
        return float(np.abs(self.counts / totals[0] - other.counts / totals[1]).sum() / 2)


@dataclass(frozen=True, eq=False)
class Vector(_WithoutValue):
    """Values of which each has its counterpart: compared by the root of their mean squared difference."""

    vector: npt.NDArray[np.float64]

    def distance(self, other: Feature) -> float:
        assert isinstance(other, Vector)
        return float(np.sqrt(np.mean((self.vector - other.vector) ** 2)))


@dataclass(frozen=True, eq=False)
class Direction(_WithoutValue):
    """A vector of which only the direction counts, such as an embedding: compared by 1 less the cosine."""

    vector: npt.NDArray[np.float64]

    def distance(self, other: Feature) -> float:
        assert isinstance(other, Direction)
        return float(1 - self.vector @ other.vector / (np.linalg.norm(self.vector) * np.linalg.norm(other.vector)))


@dataclass(frozen=True)
class Aspect:
    """Features that are found together.

    Attributes:
        packages: without which they cannot be found, as they are imported.
        describe: finds them in a signal at `RATE`, by name.
    """

    packages: tuple[str, ...]
    describe: Callable[[Signal], Mapping[str, Feature]]
