"""`caw evaluate generate`: how near takes are to their recording, and how much of them is copied from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit import CawUsageError
from caw_toolkit.cli.options import OutputFile, json_option
from caw_toolkit.cli.scores import outputs_argument, read_pair, reference_option, score_page_option, show_scores
from caw_toolkit.cli.texts import expect_text, write_bytes

if TYPE_CHECKING:
    from caw_toolkit.cli.page_output import PageFile
    from caw_toolkit.metrics import Signal, SimilarityMatrix


def score(reference: Signal, output: Signal, sample_rate: int) -> dict[str, float]:
    """Frechet distance of log-mel patches, copied share, and bias of the spectral flatness in dB.

    Args:
        reference: the recording that the model was trained on, `(samples,)`.
        output: what it generated.
        sample_rate: of both, Hz.
    """
    from caw_toolkit.metrics import copied_share, flatness_bias, frechet_distance

    return {
        "frechet": frechet_distance(reference, output, sample_rate),
        "copied": copied_share(reference, output, sample_rate),
        "flatness_bias_db": flatness_bias(reference, output),
    }


@click.command("generate")
@outputs_argument
@reference_option("--training", "The recording that the model was trained on.")
@click.option(
    "--matrix",
    type=OutputFile(),
    metavar="FILE.png",
    help="Draw what of the recording each moment of a take is like, beside takes cut and pasted from the recording: "
    "copies are lines, which are counted.",
)
@json_option
@score_page_option
def evaluate(
    outputs: Sequence[Path], reference: Path, matrix: Path | None, as_json: bool, page: PageFile | None
) -> None:
    """Score takes: Frechet distance to the recording, share copied from it in runs of 0.5 s, and how much they hiss.

    Lower is better in all three.
    """
    force = bool(click.get_current_context().params["force"])  # that of --html holds for both
    if matrix is not None:
        _expect_picture(matrix, [reference, *outputs], force=force)
    scores, rows = [], []
    for number, output in enumerate(outputs):
        training, take, rate = read_pair(reference, output, of_one_length=False)
        scores.append(score(training, take, rate))
        if matrix is not None:
            rows.append(_matrices(training, take, rate, seed=number))
            scores[-1] |= _lines(*rows[-1])
    show_scores(outputs, scores, as_json=as_json, page=page, reference=reference)
    if matrix is not None:
        from caw_unconditional.similarity_picture import draw

        picture = draw(
            [{path.name: own, "cut and paste": pasted} for path, (own, pasted) in zip(outputs, rows, strict=True)]
        )
        write_bytes(matrix, picture, force=force, quiet=False)


def _expect_picture(path: Path, inputs: Sequence[Path], *, force: bool) -> None:
    """Check now what would fail after the work."""
    if path.suffix.lower() != ".png":
        raise CawUsageError(f"--matrix writes a PNG file: name one that ends in .png, not {path}")
    expect_text(path, others=inputs, force=force)


def _matrices(
    training: Signal, take: Signal, sample_rate: int, *, seed: int
) -> tuple[SimilarityMatrix, SimilarityMatrix]:
    """Similarity to the recording of a take, and of as much that is cut and pasted from the recording."""
    import numpy as np

    from caw_toolkit.metrics import similarity_matrix
    from caw_unconditional import cut_and_paste

    pasted = cut_and_paste.generate(training, sample_rate, len(take) / sample_rate, np.random.default_rng(seed))
    return similarity_matrix(training, take, sample_rate), similarity_matrix(training, pasted, sample_rate)


def _lines(own: SimilarityMatrix, pasted: SimilarityMatrix) -> dict[str, float]:
    return {
        "lines": len(own.lines),
        "longest_line_s": own.longest_line_seconds,
        "cut_and_paste_lines": len(pasted.lines),
    }
