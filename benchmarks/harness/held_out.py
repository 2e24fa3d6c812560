"""Gaps, takes, noise and variations of the recordings in `music`, in all their channels and at their own rates."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import soundfile as sf

from baselines import autoregression, log_mmse, patch_copy
from baselines.transforms import Signal
from caw_denoising import evaluation as denoising
from caw_inpainting import evaluation as inpainting
from caw_unconditional import cut_and_paste
from caw_unconditional import evaluation as generation
from harness.denoising import Denoising
from harness.generation import TAKE_SECONDS, Generation
from harness.inpainting import MARGIN_SECONDS, Gap, Inpainting
from harness.stereo import IMAGE_COLUMNS, Channels, each_channel, image_distance, mean_of_channels, scoring_channels
from harness.task import Case, Scores, find_audio, mean_scores
from harness.toolkit import Toolkit
from harness.variation import Variation

Baselines = dict[str, Callable[[Case], tuple[Channels, int]]]

_GAP_SECONDS = 0.75
#: Gaps begin after so much of the recording.
_GAP_PLACES = (0.2, 0.45, 0.7)
#: What is not like the gap: a stretch of the same length that begins so much later.
_ELSEWHERE_SECONDS = 1.5
_LEVELS = (5, 10)
#: Of clean recordings, so that no mixture is cut off at full scale.
_PEAK = 0.4


class HeldOutGaps(Inpainting):
    """Three gaps of 750 ms in each recording of `music`, filled by one model that has seen none of them."""

    name = "inpaint-held-out"
    columns = (*Inpainting.columns, *IMAGE_COLUMNS)

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        return [self._of(path, scratch / self.name / f"{path.stem}.wav") for path in find_audio(clips / "music", "*")]

    def _of(self, path: Path, source: Path) -> Case:
        if not source.exists():
            broken, rate = scoring_channels(path)
            for start, stop in gaps(broken.shape[1], rate):
                broken[:, start:stop] = 0
            source.parent.mkdir(parents=True, exist_ok=True)
            sf.write(source, broken.T, rate, subtype="PCM_16")
        return Case(path.stem, self.name, path, source, published={"real": (path,)})

    def run(self, case: Case, toolkit: Toolkit, target: Path) -> list[Path]:
        samples, rate = scoring_channels(case.source)
        named = [option for gap in gaps(samples.shape[1], rate) for option in ("--gap", *map(str, gap))]
        options = ["--samples", "--seed", str(toolkit.seed), "--minutes", f"{toolkit.minutes:g}", "--quiet", "--force"]
        toolkit.run("inpaint", case.source, "-o", target, *named, *options)
        return [target]

    def baselines(self) -> Baselines:
        return {
            "AR extrapolation": _filled(_extrapolated),
            "best-context copy": _filled(patch_copy.fill_channels),
            "another stretch": _filled(_from_elsewhere),
        }

    def score(self, case: Case, output: Path) -> Scores:
        real, rate = scoring_channels(case.reference)
        filled, _ = scoring_channels(output, rate)
        length, margin = min(real.shape[1], filled.shape[1]), int(MARGIN_SECONDS * rate)
        outside, rows = np.ones(length, bool), []
        for start, stop in gaps(real.shape[1], rate):
            outside[start - margin : stop + margin] = False
            image = image_distance(real[:, start:stop], filled[:, start:stop], rate)
            rows.append({**inpainting.score(real.mean(0), filled.mean(0), rate, (start, stop)), **image})
        changed = (real[:, :length] != filled[:, :length])[:, outside].mean()
        return {**mean_scores(rows), "changed_outside": float(changed)}


def gaps(samples: int, rate: int) -> list[Gap]:
    """The gaps of a recording of so many samples."""
    length = round(_GAP_SECONDS * rate)
    return [(start, start + length) for start in (round(place * samples) for place in _GAP_PLACES)]


def _filled(fill: Callable[[Channels, int, Gap], Channels]) -> Callable[[Case], tuple[Channels, int]]:
    """Each gap is filled in what is whole but for that gap."""

    def make(case: Case) -> tuple[Channels, int]:
        real, rate = scoring_channels(case.reference)
        filled = real.copy()
        for start, stop in gaps(real.shape[1], rate):
            broken = real.copy()
            broken[:, start:stop] = 0
            margin = int(MARGIN_SECONDS * rate)
            changed = slice(start - margin, stop + margin)
            filled[:, changed] = fill(broken, rate, (start, stop))[:, changed]
        return filled, rate

    return make


def _extrapolated(broken: Channels, rate: int, gap: Gap) -> Channels:
    return each_channel(partial(autoregression.fill, rate=rate, gap=gap), broken)


def _from_elsewhere(broken: Channels, rate: int, gap: Gap) -> Channels:
    return patch_copy.paste(broken, rate, gap, gap[0] + round(_ELSEWHERE_SECONDS * rate))


class HeldOutTakes(Generation):
    """Takes of the recordings in `music` and `ambience`, beside one half of each compared with the other."""

    name = "generate-held-out"
    columns = (*Generation.columns, *IMAGE_COLUMNS)

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        return [
            Case(
                path.stem,
                group=f"{self.name}, {kind}",
                reference=path,
                source=path,
                training=(path,),
                published={"one half beside the other": (path,)},
            )
            for kind in ("music", "ambience")
            for path in find_audio(clips / kind, "*")
        ]

    def baselines(self) -> Baselines:
        def stitch(case: Case) -> tuple[Channels, int]:
            recording, rate = scoring_channels(case.reference)

            def channel(signal: Signal) -> Signal:  # the same cuts in each
                return cut_and_paste.generate(signal, rate, TAKE_SECONDS, np.random.default_rng(0))

            return each_channel(channel, recording), rate

        return {"cut and paste": stitch}

    def score(self, case: Case, output: Path) -> Scores:
        recording, rate = scoring_channels(case.reference)
        take, _ = scoring_channels(output, rate)
        if output == case.reference:
            half = recording.shape[1] // 2
            recording, take = recording[:, :half], recording[:, half:]
        return {**generation.score(recording.mean(0), take.mean(0), rate), **image_distance(recording, take, rate)}


class HeldOutNoise(Denoising):
    """The recordings in `music` in white noise, which differs between channels, and in that of `noise/*`."""

    name = "denoise-held-out"
    columns = (*Denoising.columns, *IMAGE_COLUMNS)

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        kinds = {"white": None, **{path.stem.split("_")[0]: path for path in find_audio(clips / "noise", "*")}}
        return [
            self._noisy(path, kind, noise, level, scratch / self.name)
            for kind, noise in kinds.items()
            for level in _LEVELS
            for path in find_audio(clips / "music", "*")
        ]

    def _noisy(self, path: Path, kind: str, noise: Path | None, level: int, scratch: Path) -> Case:
        reference, source = scratch / f"{path.stem}.wav", scratch / f"{path.stem}_{kind}_{level}.wav"
        if not source.exists():
            clean, rate = scoring_channels(path)
            clean *= _PEAK / np.abs(clean).max()
            if noise is None:
                added = np.random.default_rng(zlib.crc32(path.stem.encode())).standard_normal(clean.shape)
            else:
                sound, _ = scoring_channels(noise, rate)
                added = sound[:, np.arange(clean.shape[1]) % sound.shape[1]]
            scratch.mkdir(parents=True, exist_ok=True)
            sf.write(reference, clean.T, rate, subtype="FLOAT")
            noisy = clean + added * clean.std() / added.std() * 10 ** (-level / 20)
            sf.write(source, noisy.T, rate, subtype="FLOAT")
        return Case(source.stem, f"{self.name}, {kind}, {level} dB", reference, source, published={"input": (source,)})

    def baselines(self) -> Baselines:
        def with_log_mmse(case: Case) -> tuple[Channels, int]:
            noisy, rate = scoring_channels(case.source)
            return each_channel(log_mmse.clean, noisy), rate

        return {"log-MMSE": with_log_mmse}

    def score(self, case: Case, output: Path) -> Scores:
        clean, rate = scoring_channels(case.reference)
        cleaned, _ = scoring_channels(output, rate)
        scores = mean_of_channels(lambda real, made: denoising.score(real, made, rate), clean, cleaned)
        return {**scores, **image_distance(clean, cleaned, rate)}


class HeldOutVariations(Variation):
    """Variations of the recordings in `music`."""

    name = "vary-held-out"
    columns = (*Variation.columns, *IMAGE_COLUMNS)

    def cases(self, clips: Path, scratch: Path) -> list[Case]:
        return [Case(path.stem, self.name, path, path, (path,)) for path in find_audio(clips / "music", "*")]

    def baselines(self) -> Baselines:
        return {"the song itself": lambda case: scoring_channels(case.source)}

    def score(self, case: Case, output: Path) -> Scores:
        song, rate = scoring_channels(case.reference)
        return {**super().score(case, output), **image_distance(song, scoring_channels(output, rate)[0], rate)}
