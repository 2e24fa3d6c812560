"""A coarsest scale without a network: noise through the filters of linear prediction.

The recording is a row of frames, each with a filter that leads from white noise to its sound (Makhoul, "Linear
prediction: a tutorial review", 1975). New audio is noise through these filters, frame by frame. Which filter comes when
is decided by the noise itself: its slow part walks through the recording, forwards and backwards.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from caw_toolkit.generators.base import ScaleGenerator
from torch import Tensor
from torch.nn import functional

#: Frames over which the noise is averaged that walks through the recording: more is slower.
WALK_FRAMES = 17


class LinearGenerator(ScaleGenerator):
    """Generator of the coarsest scale.

    What it has learnt is in buffers, which a model file holds like weights; what it takes to build an empty one is in
    `architecture`.

    Args:
        audio_channels: 1 or 2.
        frames: of the recording.
        hop: samples from frame to frame.
        taps: samples of a filter's impulse response.
    """

    responses: Tensor
    learnt: Tensor

    def __init__(self, *, audio_channels: int, frames: int, hop: int, taps: int) -> None:
        super().__init__()
        self.architecture: dict[str, Any] = {
            "type": "linear",
            "audio_channels": audio_channels,
            "frames": frames,
            "hop": hop,
            "taps": taps,
        }
        self.hop = hop
        self.taps = taps
        # Frames lie on a grid: a stretch that begins on it is made of the same frames as within a longer one.
        self.total_stride = hop
        # Half of it is given as context on each side. Back in time it reaches further: over the walk, the frame and its
        # ringing.
        self.receptive_field = 2 * ((WALK_FRAMES // 2 + 2) * hop + taps)
        self.register_buffer("responses", torch.zeros(frames, audio_channels, taps))
        self.register_buffer("learnt", torch.zeros((), dtype=torch.int64))

    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        if coarse is not None:
            raise ValueError("linear prediction makes the coarsest scale only: use it as the first stage of 'staged'")
        return torch.stack([self._filter(each) for each in noise])

    def _filter(self, noise: Tensor) -> Tensor:
        """Noise through the filters of the frames that it walks through, `(channels, samples)`."""
        samples = noise.shape[1]
        count = math.ceil(samples / self.hop) + 1
        padded = functional.pad(noise, (self.hop, count * self.hop - samples))
        # Windows whose overlapping halves sum to one, so that a sound that goes on is as loud where they meet.
        windowed = padded.unfold(1, 2 * self.hop, self.hop) * torch.hann_window(2 * self.hop, device=noise.device)
        responses = self.responses[self.walk(padded, count)].transpose(0, 1)  # (channels, count, taps)
        size = 2 * self.hop + self.taps
        spectra = torch.fft.rfft(windowed, size) * torch.fft.rfft(responses, size)
        ringing = torch.fft.irfft(spectra, size)  # longer than a frame: filters ring on
        summed = functional.fold(
            ringing.transpose(1, 2), (1, (count - 1) * self.hop + size), kernel_size=(1, size), stride=(1, self.hop)
        )
        return summed[:, 0, 0, self.hop : self.hop + samples]

    def walk(self, padded: Tensor, count: int) -> Tensor:
        """Which frame of the recording comes when, `(count,)`.

        The mean of the noise in a hop is normal; averaged over neighbours it changes slowly, and its distribution
        function spreads it evenly over the recording.
        """
        means = padded[:, : count * self.hop].reshape(len(padded), count, self.hop).mean((0, 2))
        weights = torch.hann_window(WALK_FRAMES + 2, periodic=False, device=padded.device)[1:-1]
        weights = weights / weights.norm() * math.sqrt(len(padded) * self.hop)
        slow = functional.conv1d(means[None], weights[None, None], padding=WALK_FRAMES // 2)[0]
        frames: Tensor = (torch.special.ndtr(slow) * self.learnt).long()
        return frames.clamp(0, int(self.learnt) - 1)
