"""Bandwidth extension to 44.1 or 48 kHz: other sentences of speakers, and other seconds of music."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from baselines.transforms import Signal
from caw_bandwidth_extension.task import bandwidth
from caw_toolkit import read_audio, write_audio
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.metrics import log_spectral_distance, signal_to_noise_ratio
from harness.bandwidth import METHODS, BandwidthExtension, Method
from harness.levels import band_error, distance_within_band
from harness.stereo import Channels, each_channel, mean_of_channels, scoring_channels
from harness.task import Case, Column, Scores, find_audio

#: Sources by name: the rate that holds what they have. MP3s have the rate of the recording, and highs cut off.
_SOURCES = {"8 kHz": 8000, "16 kHz": 16_000, "MP3 cut at 11 kHz": 22_050}
#: Of a piece of music, seconds that are trained on, and seconds that are extended.
_TRAINING_SECONDS, _OTHER_SECONDS = (0, 15), (16, 23)
#: What sources call full band, Hz.
_LEAST_RATE = 32_000


class FullBand(BandwidthExtension):
    """Speakers in `speech` and pieces in `music` at 32 kHz or more, from 8 kHz, from 16 kHz and from MP3s.

    `speech` holds `SPEAKER_train` and `SPEAKER_testN`; of each piece the first 15 s are trained on and 7 s of the rest
    are extended.
    """

    columns = (
        Column("snr_db", "SNR, dB"),
        Column("lsd", "LSD"),
        Column("lsd_within_band", "LSD within band"),
        Column("band_error_db", "level error, dB"),
    )

    def __init__(self) -> None:
        super().__init__("bwe-full-band", "")

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        scratch /= self.name
        pairs = [
            ("speech", training, test)
            for training in find_audio(clips / "speech", "*_train")
            for test in find_audio(clips / "speech", training.stem.removesuffix("_train") + "_test*")
        ]
        pairs += [
            (
                "music",
                *(
                    _cut(path, seconds, scratch / f"{path.stem}_{name}.wav")
                    for name, seconds in (("train", _TRAINING_SECONDS), ("test", _OTHER_SECONDS))
                ),
            )
            for path in find_audio(clips / "music", "*")
        ]
        return [
            Case(
                f"{test.stem}_{source.split()[0]}",
                group=f"{self.name}, {kind} from {source}",
                reference=test,
                source=_limited(test, rate, scratch / f"{test.stem}_{rate}.{'mp3' if 'MP3' in source else 'wav'}"),
                training=(training,),
            )
            for source, rate in _SOURCES.items()
            for kind, training, test in pairs
            if read_audio(test).sample_rate >= _LEAST_RATE
        ]

    def baselines(self) -> dict[str, Callable[[Case], tuple[Channels, int]]]:
        return {name: _baseline(method) for name, method in METHODS.items()}

    def score(self, case: Case, output: Path) -> Scores:
        real, rate = scoring_channels(case.reference)
        made, _ = scoring_channels(output, rate)
        source = read_audio(case.source)
        cutoff = bandwidth(source.samples, source.sample_rate)

        def score(real: Signal, made: Signal) -> Scores:
            return {
                "snr_db": signal_to_noise_ratio(real, made),
                "lsd": log_spectral_distance(real, made),
                "lsd_within_band": distance_within_band(real, made, rate),
                "band_error_db": band_error(real, made, rate, cutoff),
            }

        return mean_of_channels(score, real, made)


def _cut(path: Path, seconds: tuple[int, int], target: Path) -> Path:
    if not target.exists():
        clip = read_audio(path)
        start, stop = (second * clip.sample_rate for second in seconds)
        _write(target, clip.samples[:, start:stop], clip.sample_rate)
    return target


def _limited(path: Path, rate: int, target: Path) -> Path:
    """A recording at a lower rate; as an MP3, at its own rate with what the lower one holds."""
    if not target.exists():
        clip = read_audio(path)
        low = resample(clip.samples, clip.sample_rate, rate)
        if target.suffix == ".mp3":
            low, rate = resample(low, rate, clip.sample_rate), clip.sample_rate
        _write(target, low, rate)
    return target


def _write(target: Path, samples: np.ndarray, rate: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    write_audio(target, samples, rate, bit_depth="16", clipping="clip")


def _baseline(method: Method) -> Callable[[Case], tuple[Channels, int]]:
    def make(case: Case) -> tuple[Channels, int]:
        real, rate = scoring_channels(case.reference)
        training, _ = scoring_channels(case.training[0], rate)
        low_rate = next(low_rate for low_rate in _SOURCES.values() if case.source.stem.endswith(f"_{low_rate}"))
        low, _ = scoring_channels(case.source, low_rate)

        def extend(low: Signal, training: Signal) -> Signal:
            return method(low, low_rate, training, rate, real.shape[1])

        return each_channel(extend, low, training), rate

    return make
