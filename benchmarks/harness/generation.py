"""Generation: takes of a model against the recording that it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from baselines.transforms import Signal
from caw_toolkit.metrics import scoring_signal
from caw_unconditional import cut_and_paste
from caw_unconditional.evaluation import score
from harness.task import Case, Column, Scores, Task, case_of_recording, find_audio
from harness.toolkit import Toolkit

TAKES, TAKE_SECONDS = 3, 40


class Generation(Task):
    """`published/unconditional/KIND/NAME_real` with published takes `NAME_caw1`, `NAME_caw2`."""

    name = "generate"
    columns = (
        Column("frechet", "Frechet distance", 3),
        Column("copied", "copied share", 3),
        Column("flatness_bias_db", "flatness bias, dB"),
    )

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        return [
            case_of_recording(path, self.name) for path in find_audio(clips / "published" / "unconditional", "*/*_real")
        ]

    def run(self, case: Case, toolkit: Toolkit, target: Path) -> list[Path]:
        model = toolkit.model(case.training)
        length = ["-n", str(TAKES), "--duration", str(TAKE_SECONDS), "--seed", str(toolkit.seed)]
        toolkit.run("generate", "--model", model, "-o", target, *length, "-q", "--force")
        return [target.with_stem(f"{target.stem}_take{take}") for take in range(1, TAKES + 1)]

    def baselines(self) -> dict[str, Callable[[Case], tuple[Signal, int]]]:
        def stitch(case: Case) -> tuple[Signal, int]:
            training, rate = scoring_signal(case.reference)
            return cut_and_paste.generate(training, rate, TAKE_SECONDS, np.random.default_rng(0)), rate

        return {"cut and paste": stitch}

    def score(self, case: Case, output: Path) -> Scores:
        training, rate = scoring_signal(case.reference)
        return score(training, scoring_signal(output, rate)[0], rate)
