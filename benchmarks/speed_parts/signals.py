"""Real recordings of any length and rate: the bundled clips, repeated or cut."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from caw_toolkit import AudioClip, read_audio
from caw_toolkit.dsp.resampling import resample

EXAMPLES = Path(__file__).parents[2] / "examples" / "audio"


def clips(folder: Path = EXAMPLES) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in {".flac", ".wav"})


def recording(path: Path, seconds: float, rate: int, channels: int = 1) -> AudioClip:
    """A clip brought to a length, rate and number of channels; a second channel is the first, 10 ms later."""
    clip = read_audio(path)
    samples = resample(clip.samples.mean(axis=0, keepdims=True), clip.sample_rate, rate)
    length = round(seconds * rate)
    samples = np.tile(samples, -(-length // samples.shape[1]))[:, :length]
    if channels == 2:
        samples = np.concatenate([samples, np.roll(samples, rate // 100, axis=1)])
    return AudioClip(np.ascontiguousarray(samples), rate)


def coarser(rates: Sequence[int], rate: int) -> list[int]:
    return [lower for lower in rates if lower < rate]
