"""What is found in a recording, and is heard in takes of its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from caw_toolkit.arrays import Array
from caw_toolkit.pyramid.material import Material
from caw_toolkit.pyramid.pauses import Pauses, find_pauses
from caw_toolkit.pyramid.pulse import Pulse, find_pulse
from caw_toolkit.pyramid.texture import is_texture


@dataclass(frozen=True)
class Findings:
    """What takes have to keep of a recording.

    Attributes:
        pulse: which takes keep to; None where there is none that is clear.
        pauses: of a speaker, which takes have, too.
        is_texture: whether the recording is one, such as rain, of which takes are made in grains.

    Example:
        >>> import numpy as np
        >>> hiss = np.random.default_rng(0).standard_normal((1, 48000)).astype(np.float32)
        >>> Findings.of(hiss, 16000, Material.AMBIENCE)
        Findings(pulse=None, pauses=(), is_texture=True)
    """

    pulse: Pulse | None = None
    pauses: Pauses = ()
    is_texture: bool = False

    @classmethod
    def of(cls, samples: Array, sample_rate: int, material: Material) -> Findings:
        """Look at a recording.

        Args:
            samples: `(channels, samples)`.
            sample_rate: Hz.
            material: what is heard in it; speech alone has pauses, and is no texture.
        """
        is_speech = material is Material.SPEECH
        pulse = find_pulse(samples, sample_rate)
        pauses = find_pauses(samples, sample_rate) if is_speech else ()
        return cls(pulse, pauses, not is_speech and pulse is None and is_texture(samples, sample_rate))

    def content(self) -> dict[str, Any]:
        """Its part of a model file (`docs/model-file.md`), as plain types."""
        return {
            "pulse": None if self.pulse is None else self.pulse.content(),
            "pauses": [list(pause) for pause in self.pauses],
            "is_texture": self.is_texture,
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Findings:
        """The inverse of `content`, where nothing is missing but pauses."""
        pulse = content["pulse"] and Pulse.from_content(content["pulse"])
        pauses = tuple((start, stop) for start, stop in content.get("pauses", []))
        return cls(pulse, pauses, content["is_texture"])
