"""Music variation: takes of a song by a model of that song."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from baselines.transforms import Signal
from caw_music_variation.evaluation import score
from caw_toolkit.metrics import scoring_signal
from harness.task import Case, Column, Scores, Task, case_of_recording, find_audio
from harness.toolkit import Toolkit

TAKES = 2


class Variation(Task):
    """`published/music/NAME_real` with published variations `NAME_caw1`, `NAME_caw2`, and what is in `music`."""

    name = "vary"
    columns = (
        Column("harmony", "harmony"),
        Column("beat", "beat"),
        Column("level", "level"),
        Column("new", "new"),
        Column("copied", "copied"),
        Column("flatness_bias_db", "flatness bias, dB"),
    )

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        songs = [*find_audio(clips / "published" / "music", "*_real"), *find_audio(clips / "music", "*")]
        return [case_of_recording(path, self.name) for path in songs]

    def run(self, case: Case, toolkit: Toolkit, target: Path) -> list[Path]:
        made = []
        for take in range(TAKES):
            made.append(target.with_stem(f"{target.stem}_take{take + 1}"))
            seed = ["--seed", str(toolkit.seed + take)]
            model = toolkit.model(case.training)
            toolkit.run("vary", case.source, "--model", model, "-o", made[-1], *seed, "-q", "--force")
        return made

    def baselines(self) -> dict[str, Callable[[Case], tuple[Signal, int]]]:
        return {"the song itself": lambda case: scoring_signal(case.source)}

    def score(self, case: Case, output: Path) -> Scores:
        song, rate = scoring_signal(case.reference)
        return score(song, scoring_signal(output, rate)[0], rate)
