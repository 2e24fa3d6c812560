"""`caw evaluate generate`: how near takes are to their recording, and how much of them is copied from it."""

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


def score(training: Signal, take: Signal, sample_rate: int) -> dict[str, float]:
    """Frechet distance of log-mel patches, copied share, and bias of the spectral flatness in dB.

    Args:
        training: the recording that the model was trained on, `(samples,)`.
        take: what it generated.
        sample_rate: of both, Hz.
    """
    from caw_toolkit.metrics import copied_share, flatness_bias, frechet_distance

    return {
        "frechet": frechet_distance(training, take, sample_rate),
        "copied": copied_share(training, take, sample_rate),
        "flatness_bias_db": flatness_bias(training, take),
    }


@click.command("generate")
@outputs_argument
@reference_option("--training", "The recording that the model was trained on.")
@json_option
@score_page_option
def evaluate(outputs: Sequence[Path], reference: Path, as_json: bool, page: PageFile | None) -> None:
    """Score takes: Frechet distance to the recording, share copied from it in runs of 0.5 s, and how much they hiss.

    Lower is better in all three.
    """
    scores = [score(*read_pair(reference, output)) for output in outputs]
    show_scores(outputs, scores, as_json=as_json, page=page, reference=reference)
