"""`caw evaluate vary`: how much of a song's structure variations keep, and how much of them is new."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit.cli.options import json_option
from caw_toolkit.cli.scores import outputs_argument, read_pair, reference_option, score_page_option, show_scores

if TYPE_CHECKING:
    from caw_toolkit.cli.page_output import PageFile
    from caw_toolkit.metrics import Signal


def score(reference: Signal, output: Signal, sample_rate: int) -> dict[str, float]:
    """Agreement of harmony, beat and level, share that is new, copied share, and bias of the spectral flatness in dB.

    Args:
        reference: the song, `(samples,)`.
        output: the variation, as long; what is longer is cut.
        sample_rate: of both, Hz.
    """
    from caw_music_variation.novelty import new_share
    from caw_music_variation.structure import beat_agreement, harmony_agreement, level_agreement
    from caw_toolkit.metrics import copied_share, flatness_bias

    length = min(len(reference), len(output))
    song, varied = reference[:length], output[:length]
    return {
        "harmony": harmony_agreement(song, varied, sample_rate),
        "beat": beat_agreement(song, varied, sample_rate),
        "level": level_agreement(song, varied, sample_rate),
        "new": new_share(song[None], varied[None], sample_rate),
        "copied": copied_share(song, varied, sample_rate),
        "flatness_bias_db": flatness_bias(song, varied),
    }


@click.command("vary")
@outputs_argument
@reference_option("--song", "The song that was varied.")
@json_option
@score_page_option
def evaluate(outputs: Sequence[Path], reference: Path, as_json: bool, page: PageFile | None) -> None:
    """Score variations: what is kept of the song's structure, the shares that are new and copied, and hiss.

    Harmony is the mean cosine of the pitch classes, beat the correlation of onset strength, level that of level. New is
    the share of the moments that have another spectrum above 1 kHz; copied counts runs of 0.5 s.
    """
    scores = [score(*read_pair(reference, output)) for output in outputs]
    show_scores(outputs, scores, as_json=as_json, page=page, reference=reference)
