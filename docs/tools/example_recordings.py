"""Make the recordings that the recipes speak of, from the clips in examples/audio: `python example_recordings.py DIR`.

They are damaged on purpose, in ways that are known: hiss, hum, clicks, pauses where a connection broke, a telephone's
bandwidth. A seed makes them the same every time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mutagen.flac
import numpy as np

from caw_toolkit import Array, AudioClip, read_audio, write_audio
from caw_toolkit.dsp.resampling import resample

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "audio"
TELEPHONE_RATE = 8000
HUM_HZ = 50
#: Where the connection broke in host.wav, in seconds.
DROPOUTS = ((1.95, 2.2), (7.0, 7.15))


def make_recordings(folder: Path) -> None:
    """Write all of them into a folder."""
    tabla, guitar, speech = (read_audio(EXAMPLES / f"{name}.flac") for name in ("tabla", "guitar", "speech"))
    generator = np.random.default_rng(1)

    _write(folder / "loop.wav", tabla)
    _write(folder / "clip.wav", guitar)
    _write(folder / "clips" / "guitar.wav", guitar)
    _write(folder / "clips" / "tabla.wav", tabla)

    middle = speech.samples.shape[-1] // 2
    rate = speech.sample_rate
    _write(folder / "host.wav", with_dropouts(with_hiss(speech, -50, generator), DROPOUTS))
    _write(folder / "guest_studio.wav", AudioClip(speech.samples[:, :middle], rate))
    telephone = resample(speech.samples[:, middle:], rate, TELEPHONE_RATE)
    _write(folder / "guest.wav", AudioClip(telephone, TELEPHONE_RATE))
    for episode in (1, 2):
        _write(folder / "episodes" / f"episode{episode}.wav", with_hiss(speech, -45 - 5 * episode, generator))

    for side, clip in (("side_a", guitar), ("side_b", tabla)):
        path = folder / "records" / side / "01.flac"
        _write(path, like_a_record(clip, generator))
        tags = mutagen.flac.FLAC(path)
        tags["title"] = f"{side.replace('_', ' ').capitalize()}, first track"
        tags.save()

    _write(folder / "bench" / "denoise" / "guitar_clean.wav", guitar)
    _write(folder / "bench" / "denoise" / "guitar_white_noisy.wav", with_hiss(guitar, -35, generator))

    for number in range(16):  # two models of 20 s; of the same four stretches, so that the scores mean nothing
        sentence = speech.samples[:, number % 4 * middle // 2 :][:, : 3 * rate]
        _write(folder / "speakers" / "carlo" / f"{number:02}.wav", AudioClip(sentence, rate))


def with_hiss(clip: AudioClip, level_db: float, generator: np.random.Generator) -> AudioClip:
    """White noise added, of a level relative to full scale."""
    return _with(clip, 10 ** (level_db / 20) * generator.standard_normal(clip.samples.shape))


def with_dropouts(clip: AudioClip, dropouts: tuple[tuple[float, float], ...]) -> AudioClip:
    """Silence in the place of some seconds."""
    samples = clip.samples.copy()
    for start, stop in dropouts:
        samples[:, round(start * clip.sample_rate) : round(stop * clip.sample_rate)] = 0
    return AudioClip(samples, clip.sample_rate)


def like_a_record(clip: AudioClip, generator: np.random.Generator) -> AudioClip:
    """Hiss, hum and clicks added."""
    noisy = with_hiss(clip, -42, generator)
    count = noisy.samples.shape[-1]
    hum = 0.01 * np.sin(2 * np.pi * HUM_HZ * np.arange(count) / clip.sample_rate)
    clicks = np.zeros(count)
    clicks[generator.integers(0, count, count // clip.sample_rate * 4)] = 0.5
    return _with(noisy, hum + clicks)


def _with(clip: AudioClip, addition: np.ndarray) -> AudioClip:
    mixed: Array = np.clip(clip.samples + addition, -1, 1).astype(np.float32)
    return AudioClip(mixed, clip.sample_rate)


def _write(path: Path, clip: AudioClip) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_audio(path, clip.samples, clip.sample_rate, bit_depth="16")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the recordings that the recipes speak of.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder to write them to")
    make_recordings(parser.parse_args().folder)
