"""`caw evaluate denoise`: how near a cleaned recording comes to the clean one."""

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
    """SNR and scale-invariant SDR in dB, and log-spectral distance (natural logarithm).

    Args:
        reference: the clean recording, `(samples,)`.
        output: the cleaned one.
        sample_rate: of both, Hz; none of these depends on it.
    """
    from caw_toolkit.metrics import log_spectral_distance, scale_invariant_sdr, signal_to_noise_ratio

    return {
        "snr_db": signal_to_noise_ratio(reference, output),
        "si_sdr_db": scale_invariant_sdr(reference, output),
        "lsd": log_spectral_distance(reference, output),
    }


@click.command("denoise")
@outputs_argument
@reference_option("--reference", "The clean recording.")
@json_option
@score_page_option
def evaluate(outputs: Sequence[Path], reference: Path, as_json: bool, page: PageFile | None) -> None:
    """Score cleaned recordings: SNR, scale-invariant SDR, log-spectral distance (natural logarithm).

    SNR is plain: level and alignment have to be those of the clean recording.
    """
    scores = [score(*read_pair(reference, output)) for output in outputs]
    show_scores(outputs, scores, as_json=as_json, page=page, reference=reference)
