"""Bandwidth extension: the published sentences, and speakers of whom other sentences are extended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from baselines import envelope_noise, frame_copy, sinc
from baselines.transforms import Signal
from caw_bandwidth_extension.evaluation import score
from caw_toolkit import read_audio, write_audio
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.metrics import scoring_signal
from caw_toolkit.metrics.signals import common_length
from harness import dnsmos, visqol
from harness.task import Case, Column, Scores, Task, find_audio
from harness.toolkit import Toolkit

Method = Callable[[Signal, int, Signal, int, int], Signal]

_PUBLISHED = {
    "CAW, published": "caw",
    "TFiLM of many speakers, published": "tfilm_multi",
    "TFiLM of one speaker, published": "tfilm_single",
}
_HELD_OUT_RATES = (4000, 8000)


class BandwidthExtension(Task):
    """Published sentences, each with the clip that was trained on and the published outputs.

    Args:
        name: of the task.
        folder: below `published`.
    """

    columns = (
        Column("snr_db", "SNR, dB"),
        Column("lsd", "LSD"),
        Column("lsd_ap_bwe", "LSD as AP-BWE"),
        Column("estoi", "ESTOI", 3),
        Column("dnsmos", "DNSMOS"),
        Column("visqol", "ViSQOL"),
    )

    def __init__(self, name: str, folder: str) -> None:
        self.name = name
        self._folder = folder

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        folder = clips / "published" / self._folder
        return [self._case(folder, path.stem.removesuffix("_gt")) for path in find_audio(folder, "*_gt")]

    def _case(self, folder: Path, name: str) -> Case:
        published = {title: tuple(find_audio(folder, f"{name}_{label}")) for title, label in _PUBLISHED.items()}
        return Case(
            name,
            group=self.name,
            reference=find_audio(folder, f"{name}_gt")[0],
            source=find_audio(folder, f"{name}_lr")[0],
            training=(find_audio(folder, f"{name}_training")[0],),
            published={title: files for title, files in published.items() if files},
        )

    def run(self, case: Case, toolkit: Toolkit, target: Path) -> list[Path]:
        model = toolkit.model(case.training)
        toolkit.run("bwe", "--model", model, case.source, "-o", target, "--seed", str(toolkit.seed), "-q", "--force")
        return [target]

    def baselines(self) -> dict[str, Callable[[Case], tuple[Signal, int]]]:
        return {name: _baseline(method) for name, method in METHODS.items()}

    def score(self, case: Case, output: Path) -> Scores:
        reference, rate = scoring_signal(case.reference)
        made, _ = scoring_signal(output, rate)
        heard = {**dnsmos.score(made, rate), **visqol.score(*common_length(reference, made), rate)}
        return {**score(reference, made, rate, convention="ap-bwe"), **heard}


class HeldOutSpeech(BandwidthExtension):
    """Other sentences of the speakers in `speech`, downsampled: `SPEAKER_train` and `SPEAKER_testN`."""

    def __init__(self) -> None:
        super().__init__("bwe-held-out", "")

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        folder = clips / "speech"
        return [
            self._downsampled(path, training, rate, scratch)
            for rate in _HELD_OUT_RATES
            for training in find_audio(folder, "*_train")
            for path in find_audio(folder, training.stem.removesuffix("_train") + "_test*")
        ]

    def _downsampled(self, path: Path, training: Path, rate: int, scratch: Path) -> Case:
        name = f"{path.stem}_{rate}hz"
        source = scratch / f"{name}.wav"
        clip = read_audio(path)
        if not source.exists():
            write_audio(source, resample(clip.samples, clip.sample_rate, rate), rate, bit_depth="16", clipping="clip")
        group = f"{self.name}, {rate // 1000} to {clip.sample_rate // 1000} kHz"
        return Case(name, group=group, reference=path, source=source, training=(training,))


def _baseline(method: Method) -> Callable[[Case], tuple[Signal, int]]:
    def make(case: Case) -> tuple[Signal, int]:
        reference, rate = scoring_signal(case.reference)
        training, _ = scoring_signal(case.training[0], rate)
        low, low_rate = scoring_signal(case.source)
        return method(low, low_rate, training, rate, len(reference)), rate

    return make


def _upsample(low: Signal, low_rate: int, _training: Signal, rate: int, length: int) -> Signal:
    return sinc.upsample(low, low_rate, rate, length)


def _envelope_noise(regress: envelope_noise.Regression) -> Method:
    def extend(low: Signal, low_rate: int, training: Signal, rate: int, length: int) -> Signal:
        return envelope_noise.extend(low, low_rate, training, rate, length, np.random.default_rng(0), regress)

    return extend


#: The classical methods.
METHODS: dict[str, Method] = {
    "sinc": _upsample,
    "frame copy": frame_copy.extend,
    "envelope noise, 8 neighbours": _envelope_noise(envelope_noise.neighbours),
    "envelope noise, kernel ridge": _envelope_noise(envelope_noise.kernel_ridge),
}
