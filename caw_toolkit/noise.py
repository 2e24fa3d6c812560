"""White Gaussian noise addressed by absolute position.

Every draw is a function of (seed, scale, position in time), so that a stretch of noise is the same whether it is asked
for alone or as part of a longer one. Streams and whole files agree, and nothing has to be kept in memory.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


class NoiseSource:
    """Noise of one take, for all scales.

    Args:
        seed: of the take.
        channels: audio channels.
        first_second: where position 0 lies on the time line of the take.

    Example:
        >>> source = NoiseSource(seed=1, channels=1)
        >>> whole = source.normal(scale=0, rate=500, start=-100, stop=900)
        >>> part = source.normal(scale=0, rate=500, start=250, stop=300)
        >>> bool((whole[:, 350:400] == part).all())
        True
    """

    def __init__(self, seed: int, channels: int, first_second: int = 0) -> None:
        self.seed = seed
        self.channels = channels
        self.first_second = first_second

    def normal(self, scale: int, rate: int, start: int, stop: int) -> Tensor:
        """Standard normal noise of the samples `start` to `stop` (exclusive; may be negative) of a scale.

        Args:
            scale: index of the scale, 0 is the coarsest.
            rate: samples per second of the scale: noise is drawn a second at a time.
            start: first sample.
            stop: one past the last sample.

        Returns:
            `(channels, stop - start)` float32 on the CPU.
        """
        first, last = start // rate, -(-stop // rate)
        seconds = [self._second(scale, rate, second + self.first_second) for second in range(first, last)]
        if not seconds:
            return torch.zeros(self.channels, 0)
        return torch.cat(seconds, dim=1)[:, start - first * rate : stop - first * rate]

    def _second(self, scale: int, rate: int, second: int) -> Tensor:
        key = f"{self.seed}/{scale}/{second}".encode()
        generator = torch.Generator().manual_seed(
            int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") >> 1
        )
        return torch.randn(self.channels, rate, generator=generator)


def derived_seed(seed: int, *path: int | str) -> int:
    """A seed for one part of a computation, independent of the other parts' seeds.

    >>> derived_seed(1, "take", 0) != derived_seed(1, "take", 1)
    True
    """
    key = "/".join(map(str, (seed, *path))).encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") >> 33
