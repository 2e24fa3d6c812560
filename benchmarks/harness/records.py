"""Denoising of records: the surface of shellac and vinyl, crackle, rumble and hum, added to clean recordings."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import soundfile as sf
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

from baselines.transforms import Signal
from caw_toolkit.metrics import scoring_signal
from harness.denoising import Denoising
from harness.task import Case, find_audio

RATE, SECONDS, LEVELS = 16_000, 12, (5, 10)
#: Records whose pauses lend their noise.
SHELLAC = ("joachim_1904", "bach_tempo_di_borea_1903")


class Records(Denoising):
    """Clean clips of `denoise`, `music`, `speech` and `published`, mixed with each kind of noise at 5 and 10 dB."""

    name = "records"

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        recordings = [
            *find_audio(clips / "denoise", "strings_clean"),
            *find_audio(clips / "music", "[gjt]*"),
            *find_audio(clips / "speech", "librispeech_male"),
            *find_audio(clips / "speech", "ru_female_test1"),
            *find_audio(clips / "published" / "unconditional" / "instruments", "*_real"),
            *find_audio(clips / "published" / "music", "[GW]*_real"),
        ]
        return [case for path in recordings for case in self._of(path, clips, scratch / self.name)]

    def _of(self, path: Path, clips: Path, scratch: Path) -> list[Case]:
        name = path.stem.split("_")[0]
        reference = scratch / f"{name}.wav"
        clean = scoring_signal(path, RATE)[0][: SECONDS * RATE]
        _write(reference, clean)
        cases = []
        for kind, noise in noises(clips).items():
            added = noise(len(clean), np.random.default_rng(zlib.crc32(f"{name}{kind}".encode())))
            for level in LEVELS:
                source = scratch / f"{name}_{kind}_{level}.wav"
                _write(source, clean + added * clean.std() / added.std() * 10 ** (-level / 20))
                cases.append(Case(source.stem, kind, reference, source, published={"input": (source,)}))
        return cases


def _write(path: Path, signal: Signal) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, signal, RATE, subtype="FLOAT")


Noise = Callable[[int, np.random.Generator], Signal]


def noises(clips: Path) -> Mapping[str, Noise]:
    """Kinds of noise, each a function of a number of samples."""
    kinds: dict[str, Noise] = {
        "white": lambda samples, random: random.standard_normal(samples),
        "crackle": lambda samples, random: record(samples, random, crackle=2.5),
        "rumble": lambda samples, random: record(samples, random, crackle=0.5, rumble=3),
        "gramophone": record,
        "hum": hum,
    }
    for path in find_audio(clips / "noise", "*"):
        kinds[path.stem.split("_")[0]] = lambda samples, random, path=path: _looped(
            scoring_signal(path, RATE)[0], samples
        )
    for name in SHELLAC:
        for path in find_audio(clips / "published" / "old_recording", name):
            kinds[f"shellac {name.split('_')[0]}"] = lambda samples, random, path=path: shellac(path, samples, random)
    return kinds


def record(samples: int, random: np.random.Generator, *, crackle: float = 1, rumble: float = 1) -> Signal:
    """Hiss that turns at 78 rpm, rumble in bursts, and crackle, some of it with a thump of 90 Hz."""
    time = np.arange(samples) / RATE
    hiss = random.standard_normal(samples)
    hiss = 0.4 * (lfilter([1], [1, -0.85], hiss) + hiss) * (1 + 0.25 * np.sin(2 * np.pi * 1.3 * time))
    lows = sosfilt(butter(2, [25, 180], "bandpass", fs=RATE, output="sos"), random.standard_normal(samples))
    bursts = np.abs(sosfilt(butter(2, 2.5, fs=RATE, output="sos"), random.standard_normal(samples)))
    strokes = np.zeros(samples)
    at = random.integers(0, samples, random.poisson(25 * samples / RATE))
    strokes[at] = 6 * random.standard_t(2, len(at))
    tick = np.exp(-np.arange(40) / 6) * np.cos(1.2 * np.arange(40))
    thump = 0.5 * np.exp(-np.arange(800) / 150) * np.sin(2 * np.pi * 90 / RATE * np.arange(800))
    crackles = (
        fftconvolve(strokes, tick)[:samples] + fftconvolve(strokes * (random.random(samples) < 0.15), thump)[:samples]
    )
    return np.asarray(hiss + 4 * rumble * lows * (0.5 + 0.7 * bursts / bursts.mean()) + crackle * crackles)


def hum(samples: int, random: np.random.Generator) -> Signal:
    """Mains hum of five harmonics that drifts by .2 %, and a little hiss."""
    time = np.arange(samples) / RATE
    phase = 2 * np.pi * 50 * np.cumsum(1 + 0.002 * np.sin(2 * np.pi * 0.1 * time)) / RATE
    lines = sum(
        level * np.sin(number * phase + number) for number, level in ((1, 1), (2, 0.5), (3, 0.6), (5, 0.3), (7, 0.2))
    )
    return np.asarray(lines + 0.15 * random.standard_normal(samples))


def shellac(path: Path, samples: int, random: np.random.Generator) -> Signal:
    """The six quietest quarters of a second of a record, in random order."""
    signal = scoring_signal(path, RATE)[0]
    half = RATE // 8
    heard = sosfilt(butter(2, 200, "high", fs=RATE, output="sos"), signal)
    halves = (heard[: len(heard) // half * half].reshape(-1, half) ** 2).mean(1)
    energy = halves[:-1] + halves[1:]
    energy[(energy < 1e-6) | (np.arange(len(energy)) < 3)] = np.inf
    chosen: list[int] = []
    for place in np.argsort(energy):
        if len(chosen) < 6 and all(abs(place - other) > 1 for other in chosen):
            chosen.append(int(place))
    parts = [signal[place * half : (place + 2) * half] for place in chosen]
    joined = parts[0]
    while len(joined) < samples:
        joined = _crossfaded(joined, parts[random.integers(len(parts))])
    return joined[:samples]


def _looped(signal: Signal, samples: int) -> Signal:
    joined = signal
    while len(joined) < samples:
        joined = _crossfaded(joined, signal)
    return joined[:samples]


def _crossfaded(before: Signal, after: Signal, fade: int = RATE // 25) -> Signal:
    """One signal after another, their powers crossfaded."""
    rise = np.linspace(0, 1, fade)
    join = before[-fade:] * np.sqrt(1 - rise) + after[:fade] * np.sqrt(rise)
    return np.concatenate([before[:-fade], join, after[fade:]])
