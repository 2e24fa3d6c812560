"""Inpainting: the published gaps of 750 ms, and gaps of several lengths in music."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from baselines import autoregression, patch_copy
from baselines.transforms import Signal
from caw_inpainting.evaluation import score
from caw_inpainting.gaps import find_runs
from caw_toolkit import AudioClip, read_audio, write_audio
from caw_toolkit.metrics import scoring_signal
from harness.task import Case, Column, Scores, Task, find_audio
from harness.toolkit import Toolkit

Gap = tuple[int, int]
Fill = Callable[[Signal, int, Gap], Signal]

_PUBLISHED = {"CAW, published": "caw", "GACELA, published": "gacela"}
_LENGTHS_MS = (100, 375, 750, 1500)
#: Crossfades at the gap may change this much beside it.
MARGIN_SECONDS = 0.02


class Inpainting(Task):
    """`published/inpainting/N-real`, `N-with_hole` and published outputs; a model is trained for each clip."""

    name = "inpaint"
    columns = (
        Column("gap_lsd", "gap LSD"),
        Column("mel_l1_db", "log-mel L1, dB"),
        Column("level_error_db", "level error, dB"),
        Column("join_flux", "join flux"),
        Column("nn_context_db", "NN to context, dB"),
        Column("changed_outside", "changed outside", 4),
    )

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        names = [path.stem.removesuffix("-real") for path in find_audio(clips / "published" / "inpainting", "*-real")]
        return [
            self._case(clips / "published" / "inpainting", name)
            for name in sorted(names, key=lambda name: (len(name), name))
        ]

    def _case(self, folder: Path, name: str) -> Case:
        real = find_audio(folder, f"{name}-real")[0]
        broken = find_audio(folder, f"{name}-with_hole")[0]
        published = {title: tuple(find_audio(folder, f"{name}-{label}")) for title, label in _PUBLISHED.items()}
        return Case(
            name,
            group=self.name,
            reference=real,
            source=broken,
            published={"real": (real,), **{title: files for title, files in published.items() if files}},
            gap=longest_silence(read_audio(broken)),
        )

    def run(self, case: Case, toolkit: Toolkit, target: Path) -> list[Path]:
        toolkit.run("inpaint", *_task_arguments(case, toolkit, target), "--minutes", f"{toolkit.minutes:g}")
        return [target]

    def baselines(self) -> dict[str, Callable[[Case], tuple[Signal, int]]]:
        return {"AR extrapolation": _baseline(autoregression.fill), "best-context copy": _baseline(patch_copy.fill)}

    def score(self, case: Case, output: Path) -> Scores:
        real, rate = scoring_signal(case.reference)
        filled, _ = scoring_signal(output, rate)
        length, margin = min(len(real), len(filled)), int(MARGIN_SECONDS * rate)
        outside = np.ones(length, bool)
        outside[max(0, case.gap[0] - margin) : case.gap[1] + margin] = False
        changed = (real[:length] != filled[:length])[outside].mean()
        return {**score(real, filled, rate, case.gap), "changed_outside": float(changed)}


class GapLengths(Inpainting):
    """Gaps of several lengths in the middle of the clips of `music`; one model a clip, which never sees the longest."""

    name = "inpaint-lengths"

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        return [
            self._with_gap(path, milliseconds, scratch)
            for milliseconds in _LENGTHS_MS
            for path in find_audio(clips / "music", "*")
        ]

    def _with_gap(self, path: Path, milliseconds: int, scratch: Path) -> Case:
        clip = read_audio(path)
        gap = _middle(clip, milliseconds)
        name = f"{path.stem}_{milliseconds}ms"
        broken = clip.samples.copy()
        broken[:, slice(*gap)] = 0
        start, stop = _middle(clip, max(_LENGTHS_MS))
        source = _written(scratch / f"{name}.wav", broken, clip.sample_rate)
        training = (
            _written(scratch / f"{path.stem}_before.wav", clip.samples[:, :start], clip.sample_rate),
            _written(scratch / f"{path.stem}_after.wav", clip.samples[:, stop:], clip.sample_rate),
        )
        group = f"{self.name}, {milliseconds} ms"
        return Case(name, group, path, source, training, {"real": (path,)}, gap)

    def run(self, case: Case, toolkit: Toolkit, target: Path) -> list[Path]:
        model = toolkit.model(case.training)
        toolkit.run("inpaint", *_task_arguments(case, toolkit, target), "--model", model)
        return [target]


def longest_silence(clip: AudioClip) -> Gap:
    """The longest run of digital silence, in samples."""
    return max(find_runs((clip.samples == 0).all(axis=0)), key=lambda run: run[1] - run[0])


def _task_arguments(case: Case, toolkit: Toolkit, target: Path) -> list[str | Path]:
    start, stop = map(str, case.gap)
    options = ["--gap", start, stop, "--samples", "--seed", str(toolkit.seed), "--quiet", "--force"]
    return [case.source, "-o", target, *options]


def _middle(clip: AudioClip, milliseconds: int) -> Gap:
    length = clip.sample_rate * milliseconds // 1000
    start = (clip.samples.shape[1] - length) // 2
    return start, start + length


def _written(path: Path, samples: np.ndarray, rate: int) -> Path:
    if not path.exists():
        write_audio(path, samples, rate, bit_depth="16", clipping="clip")
    return path


def _baseline(fill: Fill) -> Callable[[Case], tuple[Signal, int]]:
    def make(case: Case) -> tuple[Signal, int]:
        broken, rate = scoring_signal(case.source)
        return fill(broken, rate, case.gap), rate

    return make
