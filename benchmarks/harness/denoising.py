"""Denoising: clean recordings with noise added."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from baselines import log_mmse, noise_reduce
from baselines.transforms import Signal
from caw_denoising.evaluation import score
from caw_toolkit.metrics import scoring_signal
from harness.task import Case, Column, Scores, Task, find_audio
from harness.toolkit import Toolkit


class Denoising(Task):
    """`denoise/NAME_NOISE_LEVEL_noisy` beside `denoise/NAME_clean`."""

    name = "denoise"
    columns = (Column("snr_db", "SNR, dB"), Column("si_sdr_db", "SI-SDR, dB"), Column("lsd", "LSD"))
    trains = False

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        return [
            Case(
                path.stem.removesuffix("_noisy"),
                group=self.name,
                reference=find_audio(path.parent, path.stem.split("_")[0] + "_clean")[0],
                source=path,
                published={"input": (path,)},
            )
            for path in find_audio(clips / "denoise", "*_noisy")
        ]

    def run(self, case: Case, toolkit: Toolkit, target: Path) -> list[Path]:
        toolkit.run("denoise", case.source, "-o", target, "-q", "--force")
        return [target]

    def baselines(self) -> dict[str, Callable[[Case], tuple[Signal, int]]]:
        def with_log_mmse(case: Case) -> tuple[Signal, int]:
            noisy, rate = scoring_signal(case.source)
            return log_mmse.clean(noisy), rate

        def with_noisereduce(case: Case) -> tuple[Signal, int]:
            noisy, rate = scoring_signal(case.source)
            return noise_reduce.clean(noisy, rate), rate

        methods = {"log-MMSE": with_log_mmse}
        return {**methods, "noisereduce": with_noisereduce} if noise_reduce.is_installed() else methods

    def score(self, case: Case, output: Path) -> Scores:
        clean, rate = scoring_signal(case.reference)
        return score(clean, scoring_signal(output, rate)[0], rate)
