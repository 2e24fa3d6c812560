"""How much of a generated signal is a copy of the recording that it was learnt from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from caw_toolkit.dsp.spectra import power_spectrogram
from caw_toolkit.metrics.signals import Signal

_WINDOW, _HOP = 4096, 128
_BLOCK_FRAMES = 256
#: Frames this far below the mean energy (40 dB) are silence, which matches nothing.
_SILENCE = 1e-4


def copied_share(
    real: Signal, generated: Signal, sample_rate: int, *, shortest_seconds: float = 0.5, similarity: float = 0.9
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

    Returns:
        From 0 to 1; NaN where the generated signal is silent.

    Raises:
        ValueError: if a signal is not one-dimensional, or `shortest_seconds` is NaN.

    Example:
        >>> noise = np.random.default_rng(0).standard_normal(32000)
        >>> copied_share(noise[:16000], noise[:16000], 16000), copied_share(noise[:16000], noise[16000:], 16000)
        (1.0, 0.0)
    """
    known, known_heard = _unit_spectra(real)
    made, made_heard = _unit_spectra(generated)
    known[~known_heard] = 0
    shortest = int(np.ceil(shortest_seconds * sample_rate / _HOP))
    runs = np.zeros(len(known) + 1, np.int64)  # runs[k + 1]: length of the run that ends at frame k of the recording
    copied = np.zeros(len(made), bool)
    for start in range(0, len(made), _BLOCK_FRAMES):
        alike = made[start : start + _BLOCK_FRAMES] @ known.T > similarity
        for frame, row in enumerate(alike, start):
            runs[1:] = (runs[:-1] + 1) * row
            if runs.max() >= shortest:
                copied[frame - shortest + 1 : frame + 1] = True
    return float(copied[made_heard].mean()) if made_heard.any() else float("nan")


def _unit_spectra(signal: Signal) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Magnitude spectra of unit norm, `(frames, bins)`, and which frames are no silence."""
    power = power_spectrogram(signal, _WINDOW, _HOP)
    energies = power.sum(0)
    unit = np.sqrt(power / np.maximum(energies, 1e-18)).T.astype(np.float32)
    return unit, energies > energies.mean() * _SILENCE
