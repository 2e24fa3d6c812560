"""Spectrograms of a case under each other, as PNG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from caw_toolkit.dsp.spectra import power_spectrogram
from caw_toolkit.metrics import scoring_signal
from harness.task import Case

_SECONDS, _RANGE_DB = 8.0, 80
_WINDOW_SECONDS = 0.064


def draw(target: Path, case: Case, files: Mapping[str, Path]) -> None:
    """Draw up to 8 s of each file, around the gap if there is one.

    Args:
        target: PNG to write.
        case: what they belong to.
        files: audio files by title.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(files), 1, figsize=(11, 2.3 * len(files)), squeeze=False, sharex=True)
    _, reference_rate = scoring_signal(case.reference)
    for axis, (title, path) in zip(axes[:, 0], files.items(), strict=True):
        signal, rate = scoring_signal(path)
        middle = sum(case.gap) / 2 / reference_rate
        start = max(0.0, middle - _SECONDS / 2)
        shown = signal[int(start * rate) : int((start + _SECONDS) * rate)]
        window = 2 ** round(np.log2(_WINDOW_SECONDS * rate))
        level = 10 * np.log10(power_spectrogram(shown, window, window // 8) + 1e-9)
        extent = (start, start + len(shown) / rate, 0, rate / 2000)
        axis.imshow(level, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=level.max() - _RANGE_DB)
        axis.set(title=title, ylabel="kHz", ylim=(0, reference_rate / 2000))
    axes[-1, 0].set_xlabel("seconds")
    figure.tight_layout()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=80)
    plt.close(figure)
