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

#: What others' ways to compute a log-spectral distance are called in `log_spectral_distance`: of Lu et al., "Towards
#: High-Quality and Efficient Speech Bandwidth Extension with Parallel Amplitude and Phase Prediction", 2024; of Mandel,
#: Tal and Adi, "AERO: Audio Super Resolution in the Spectral Domain", 2023.
CONVENTIONS = {"ap-bwe": "decimal", "aero": "decimal"}


def score(reference: Signal, output: Signal, sample_rate: int, *, convention: str | None = None) -> dict[str, float]:
    """SNR in dB, log-spectral distance (natural logarithm) and ESTOI.

    Args:
        reference: the full-bandwidth recording, `(samples,)`.
        output: the extended one.
        sample_rate: of both, Hz.
        convention: of `CONVENTIONS`, by which to give the log-spectral distance as well, as `lsd_NAME`.
    """
    from caw_toolkit.metrics import extended_stoi, log_spectral_distance, signal_to_noise_ratio

    scores = {"snr_db": signal_to_noise_ratio(reference, output), "lsd": log_spectral_distance(reference, output)}
    if convention is not None:
        name = f"lsd_{convention.replace('-', '_')}"
        scores[name] = log_spectral_distance(reference, output, convention=CONVENTIONS[convention])
    return {**scores, "estoi": extended_stoi(reference, output, sample_rate)}


@click.command("bwe")
@outputs_argument
@reference_option("--reference", "The full-bandwidth recording.")
@click.option(
    "--convention",
    type=click.Choice(list(CONVENTIONS)),
    help="Give the log-spectral distance as this paper computes it, too: decimal logarithm, a window of 2048 samples "
    "every 512, power at least 1e-8. Both compute the same.",
)
@json_option
@score_page_option
def evaluate(
    outputs: Sequence[Path], reference: Path, convention: str | None, as_json: bool, page: PageFile | None
) -> None:
    """Score extended recordings: SNR, log-spectral distance (natural logarithm), and ESTOI, which is for speech.

    lsd is as in the paper on Catch-A-Waveform: a window of 2048 samples without overlap, power at least 1e-15.
    """
    scores = [score(*read_pair(reference, output), convention=convention) for output in outputs]
    show_scores(outputs, scores, as_json=as_json, page=page, reference=reference)
