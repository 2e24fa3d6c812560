"""`caw evaluate bwe`: how near added highs come to those that were lost."""

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
    """SNR in dB, log-spectral distance (natural logarithm) and ESTOI.

    Args:
        reference: the full-bandwidth recording, `(samples,)`.
        output: the extended one.
        sample_rate: of both, Hz.
    """
    from caw_toolkit.metrics import extended_stoi, log_spectral_distance, signal_to_noise_ratio

    return {
        "snr_db": signal_to_noise_ratio(reference, output),
        "lsd": log_spectral_distance(reference, output),
        "estoi": extended_stoi(reference, output, sample_rate),
    }


@click.command("bwe")
@outputs_argument
@reference_option("--reference", "The full-bandwidth recording.")
@json_option
@score_page_option
def evaluate(outputs: Sequence[Path], reference: Path, as_json: bool, page: PageFile | None) -> None:
    """Score extended recordings: SNR, log-spectral distance (natural logarithm), and ESTOI, which is for speech."""
    scores = [score(*read_pair(reference, output)) for output in outputs]
    show_scores(outputs, scores, as_json=as_json, page=page, reference=reference)
