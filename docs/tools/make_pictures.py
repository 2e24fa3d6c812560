"""Draw the pictures of docs/how-it-works.md: `python docs/tools/make_pictures.py [--minutes M]`; extra `docs`.

A model of the tabla loop in examples/audio is trained for them. Pictures are stacks of spectrograms.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from example_recordings import EXAMPLES
from matplotlib.axes import Axes
from PIL import Image

from caw_toolkit import PyramidModel, read_audio, train
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.dsp.spectra import power_spectrogram
from caw_toolkit.metrics import source_map

IMAGES = Path(__file__).resolve().parents[1] / "images"
SECONDS, TAKE_SEED = 8.0, 3
WINDOW_SECONDS, RANGE_DB, COLOURS = 0.032, 70, 256
LOWEST_KHZ, HIGHEST_KHZ, TICKS_KHZ = 0.06, 8, (0.125, 0.5, 2, 8)


@dataclass(frozen=True)
class Panel:
    """A signal to draw.

    Attributes:
        title: above it.
        samples: `(samples,)`.
        sample_rate: Hz.
    """

    title: str
    samples: np.ndarray
    sample_rate: int


def draw_panel(axes: Axes, panel: Panel, loudest_db: float) -> None:
    """Draw a spectrogram over octaves; above half its rate there is nothing."""
    level_db = _level_db(panel)
    times = np.linspace(0, panel.samples.size / panel.sample_rate, level_db.shape[1] + 1)
    frequencies = np.linspace(0, panel.sample_rate / 2000, level_db.shape[0] + 1)
    axes.pcolormesh(times, frequencies, level_db, cmap="magma", vmin=loudest_db - RANGE_DB, vmax=loudest_db)
    axes.set_yscale("log", base=2)
    axes.set_title(panel.title, loc="left", fontsize=9)
    axes.set(ylabel="kHz", facecolor="black", yticks=TICKS_KHZ, yticklabels=TICKS_KHZ, ylim=(LOWEST_KHZ, HIGHEST_KHZ))


def draw_stack(name: str, panels: Sequence[Panel]) -> None:
    """Draw signals under each other, on the same axes."""
    _, rows = plt.subplots(len(panels), 1, figsize=(8, 1.35 * len(panels)), sharex=True, layout="constrained")
    for axes, panel in zip(rows, panels, strict=True):
        draw_panel(axes, panel, _level_db(panels[-1]).max())
        axes.set_xlim(0, SECONDS)
    rows[-1].set_xlabel("seconds")
    save(name)


def draw_sources(name: str, take: Panel, recording: Panel) -> None:
    """Draw a take and its recording, with a strip of colours for the place in the recording."""
    segments = source_map(take.samples, recording.samples, take.sample_rate)
    strips = {"height_ratios": [6, 1, 6, 1]}
    _, rows = plt.subplots(4, 1, figsize=(8, 4), gridspec_kw=strips, layout="constrained")
    colours = plt.get_cmap("turbo")
    length = recording.samples.size / recording.sample_rate
    for axes, panel in zip(rows[::2], (recording, take), strict=True):
        draw_panel(axes, panel, _level_db(recording).max())
        axes.set_xticks([])
    rows[1].imshow(np.linspace(0, 1, 512)[None], aspect="auto", cmap=colours, extent=(0, length, 0, 1))
    rows[3].set_facecolor("grey")
    for segment in segments:
        last = segment.source + segment.stop - segment.start
        strip = np.linspace(segment.source / length, last / length, 64)[None]
        rows[3].imshow(strip, aspect="auto", cmap=colours, vmin=0, vmax=1, extent=(segment.start, segment.stop, 0, 1))
    for axes, panel in zip(rows[1::2], (recording, take), strict=True):
        axes.set(yticks=[], xlim=(0, panel.samples.size / panel.sample_rate), ylim=(0, 1))
    rows[3].set_xlabel("seconds")
    save(name)


def save(name: str) -> None:
    """Write the current figure with few colours, which makes it small."""
    buffer = BytesIO()
    plt.savefig(buffer, dpi=90)
    plt.close()
    with Image.open(buffer) as image:
        image.convert("RGB").quantize(COLOURS).save(IMAGES / f"{name}.png", optimize=True)


def draw_all(model: PyramidModel) -> None:
    """Draw all pictures from a model."""
    recording = model.recording()
    assert recording is not None
    rate = model.sample_rate
    scales = [Panel(_title(each), resample(recording, rate, each)[0], each) for each in model.rates]
    draw_stack("pyramid-recording", scales)
    takes = {each: model.generate(SECONDS, seed=TAKE_SEED, up_to_rate=each)[0] for each in model.rates}
    grown = [Panel(_title(each), take, each) for each, take in takes.items()]
    draw_stack("pyramid-take", grown)
    draw_sources("pyramid-sources", Panel("the take", takes[rate], rate), Panel("the recording", recording[0], rate))


def _title(rate: int) -> str:
    """What a scale holds, in words."""
    return f"scale of {rate} Hz: up to {rate / 2000:g} kHz"


def _level_db(panel: Panel) -> np.ndarray:
    """Level by frequency and time, `(bins, frames)`, comparable between sample rates."""
    hop = round(WINDOW_SECONDS / 4 * panel.sample_rate)
    power = power_spectrogram(panel.samples.astype(np.float64), 4 * hop, hop)
    return 10 * np.log10(power / panel.sample_rate**2 + 1e-16)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/how-it-works.md.")
    parser.add_argument("--minutes", type=float, default=1.5, help="of training; default: %(default)s")
    draw_all(train(read_audio(EXAMPLES / "tabla.flac"), minutes=parser.parse_args().minutes, seed=1))
