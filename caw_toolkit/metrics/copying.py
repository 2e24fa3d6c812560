"""How much of a generated signal is a copy of the recording that it was learnt from."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from caw_toolkit.dsp.spectra import Spectrogram, power_blocks
from caw_toolkit.metrics.signals import Signal

_WINDOW, _HOP = 4096, 128
_BLOCK_FRAMES = 256
#: Frames this far below the mean energy (40 dB) are silence, which matches nothing.
_SILENCE = 1e-4


def copied_share(
    real: Signal,
    generated: Signal,
    sample_rate: int,
    *,
    shortest_seconds: float = 0.5,
    similarity: float = 0.9,
    on_progress: Callable[[float], None] | None = None,
) -> float:
    """Share of generated frames that lie on a copied run.

    A run is a diagonal of the similarity matrix of the paper's equation (9): frame after frame of the generated signal
    is like frame after frame of the recording. Silent frames do not count.

    Args:
        real: the recording, `(samples,)`.
        generated: what was learnt from it, `(samples,)`.
        sample_rate: of both, Hz.
        shortest_seconds: runs shorter than this are no copies; above 0.
        similarity: cosine of the magnitude spectra (window 4096, hop 128) above which two frames are alike.
        on_progress: called with the share that is done, from 0 to 1.

    Returns:
        From 0 to 1; NaN where the generated signal is silent.

    Raises:
        ValueError: if a signal is not one-dimensional, or `shortest_seconds` is NaN.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(32000)
        >>> copied_share(noise[:16000], noise[:16000], 16000), copied_share(noise[:16000], noise[16000:], 16000)
        (1.0, 0.0)
    """
    known, made = UnitSpectra(real), UnitSpectra(generated)
    places = np.concatenate(list(known.blocks()))
    places[~known.heard] = 0
    shortest = int(np.ceil(shortest_seconds * sample_rate / _HOP))
    runs = np.zeros(len(places) + 1, np.int64)  # runs[k + 1]: length of the run that ends at frame k of the recording
    copied = np.zeros(len(made.heard), bool)
    frame = 0
    for block in made.blocks():
        for row in block @ places.T > similarity:
            runs[1:] = (runs[:-1] + 1) * row
            if runs.max() >= shortest:
                copied[frame - shortest + 1 : frame + 1] = True
            frame += 1
        if on_progress is not None:
            on_progress(frame / len(copied))
    return float(copied[made.heard].mean()) if made.heard.any() else float("nan")


class UnitSpectra:
    """Magnitude spectra of unit norm of a signal's frames, made when they are asked for: ten minutes are gigabytes.

    Args:
        signal: `(samples,)`.

    Attributes:
        heard: which frames are no silence, `(frames,)`.
    """

    def __init__(self, signal: Signal) -> None:
        self._signal = signal
        energies = np.concatenate([power.sum(0) for power in self._power()])
        self.heard = energies > energies.mean() * _SILENCE

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """All frames in order, `(frames, bins)` each."""
        for power in self._power():
            power /= np.maximum(power.sum(0), 1e-18)
            yield np.sqrt(power).T.astype(np.float32)

    def _power(self) -> Iterator[Spectrogram]:
        return power_blocks(self._signal, _WINDOW, _HOP, block_frames=_BLOCK_FRAMES)
