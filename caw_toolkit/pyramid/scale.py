"""One level of a pyramid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from caw_toolkit.errors import CawUsageError
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.generators.registry import build_generator, plugin_record


@dataclass(frozen=True)
class Scale:
    """One level of a pyramid.

    Attributes:
        rate: samples per second.
        generator: makes this scale's signal from noise and the coarser signal.
        noise_std: standard deviation of the noise that it expects.
    """

    rate: int
    generator: ScaleGenerator
    noise_std: float

    def folded(self) -> Scale:
        """The same scale with its generator in its fastest form."""
        return replace(self, generator=self.generator.folded())

    def content(self) -> dict[str, Any]:
        """The scale as plain types and CPU tensors, as `docs/model-file.md` specifies it."""
        content = {
            "rate": self.rate,
            "noise_std": float(self.noise_std),
            "architecture": dict(self.generator.architecture),
            "weights": {name: value.detach().cpu() for name, value in self.generator.state_dict().items()},
        }
        plugin = plugin_record(self.generator.architecture)
        return content if plugin is None else {**content, "plugin": plugin}

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Scale:
        """The inverse of `content`.

        Args:
            content: as `content` returns it.

        Returns:
            The scale, its generator on the CPU and ready to generate.

        Raises:
            CawError: if nothing that is installed knows the generator's type.
            KeyError: if something is missing.
            TypeError: if the generator's class does not take what its architecture says.
            RuntimeError: if the weights do not fit the architecture.
        """
        generator = build_generator(content["architecture"], plugin=content.get("plugin"))
        generator.load_state_dict(content["weights"])
        return cls(content["rate"], generator.eval().requires_grad_(False), content["noise_std"])


def scale_index(scales: Sequence[Scale], rate: int) -> int:
    """Index of the scale of a rate.

    Raises:
        CawUsageError: if there is none.
    """
    rates = [scale.rate for scale in scales]
    if rate not in rates:
        raise CawUsageError(f"the model has no scale of {rate} Hz: its scales are {', '.join(map(str, rates))}")
    return rates.index(rate)
