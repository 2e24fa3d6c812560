"""`caw evaluate inpaint`: how near a filled gap comes to what was there, and how well it fits in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit import CawUsageError
from caw_toolkit.cli.options import Amount, json_option
from caw_toolkit.cli.renamed_options import RenamedOption
from caw_toolkit.cli.scores import outputs_argument, read_pair, reference_option, score_page_option, show_scores

if TYPE_CHECKING:
    from caw_toolkit import Gap
    from caw_toolkit.cli.page_output import PageFile
    from caw_toolkit.metrics import Signal

#: Shorter gaps and contexts have too few frames to compare.
SHORTEST_GAP_SECONDS, SHORTEST_CONTEXT_SECONDS = 0.05, 1.0


def score(reference: Signal, output: Signal, sample_rate: int, gap: Gap) -> dict[str, float]:
    """Distances in the gap, and how the filling fits in.

    Args:
        reference: the intact recording, `(samples,)`.
        output: the filled one.
        sample_rate: of both, Hz.
        gap: in samples.

    Raises:
        CawUsageError: if the gap does not lie within the recording, or it or what is left is too short to compare.
    """
    from caw_toolkit.metrics import (
        distance_to_context,
        gap_level_error,
        gap_log_mel_distance,
        gap_log_spectral_distance,
        join_flux,
    )

    length = min(len(reference), len(output))
    start, stop = gap
    if not 0 <= start < stop <= length:
        raise CawUsageError(f"a gap from {start} to {stop} does not lie within the {length} samples of the recording")
    if stop - start < SHORTEST_GAP_SECONDS * sample_rate:
        raise CawUsageError(f"the gap is shorter than the {SHORTEST_GAP_SECONDS:g} s that can be compared")
    if length - (stop - start) < SHORTEST_CONTEXT_SECONDS * sample_rate:
        raise CawUsageError(f"the gap leaves less than {SHORTEST_CONTEXT_SECONDS:g} s to compare it with")
    return {
        "gap_lsd": gap_log_spectral_distance(reference, output, gap),
        "mel_l1_db": gap_log_mel_distance(reference, output, sample_rate, gap),
        "level_error_db": gap_level_error(reference, output, gap),
        "join_flux": join_flux(output, sample_rate, gap),
        "nn_context_db": distance_to_context(reference, output, sample_rate, gap),
    }


@click.command("inpaint")
@outputs_argument
@reference_option("--reference", "The intact recording.")
@click.option(
    "--gap",
    cls=RenamedOption,
    former_names=["--hole"],
    type=(Amount(), Amount()),
    required=True,
    metavar="START END",
    help="The gap, in seconds.",
)
@click.option("--samples", "in_samples", is_flag=True, help="--gap is in samples.")
@json_option
@score_page_option
def evaluate(
    outputs: Sequence[Path],
    reference: Path,
    gap: tuple[float, float],
    in_samples: bool,
    as_json: bool,
    page: PageFile | None,
) -> None:
    """Score a filled gap: log-spectral and log-mel distance to what was there, level error, flux at the joins relative
    to the recording's median, and distance to the nearest material outside (near 0: a copy).
    """
    scores = []
    for output in outputs:
        real, filled, rate = read_pair(reference, output)
        unit = 1 if in_samples else rate
        scores.append(score(real, filled, rate, (round(gap[0] * unit), round(gap[1] * unit))))
    show_scores(outputs, scores, as_json=as_json, page=page, reference=reference)
