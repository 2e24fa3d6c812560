"""Draw the spectrograms of audio files under each other: `python plot_spectrograms.py OUT.png FILE...`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import stft

from caw_toolkit import read_audio

SECONDS = 10


def plot(target: Path, sources: Sequence[Path]) -> None:
    figure, rows = plt.subplots(len(sources), 1, figsize=(10, 2.2 * len(sources)), squeeze=False, sharex=True)
    for axes, source in zip(rows[:, 0], sources, strict=True):
        clip = read_audio(source, duration_seconds=SECONDS)
        frequencies, times, spectrum = stft(clip.samples.mean(0), clip.sample_rate, nperseg=1024, noverlap=768)
        level = 20 * np.log10(np.abs(spectrum) + 1e-7)
        axes.pcolormesh(times, frequencies / 1000, level, vmin=level.max() - 80, cmap="magma", rasterized=True)
        axes.set(title=source.name, ylabel="kHz")
    rows[-1, 0].set_xlabel("seconds")
    figure.tight_layout()
    figure.savefig(target, dpi=80)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the spectrograms of audio files under each other.")
    parser.add_argument("target", type=Path, metavar="OUT.png", help="picture to write")
    parser.add_argument("sources", type=Path, nargs="+", metavar="FILE", help=f"audio, of which {SECONDS} s are shown")
    plot(**vars(parser.parse_args()))
