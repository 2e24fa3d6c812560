"""Options that the quality benchmarks share."""

from __future__ import annotations

from pathlib import Path

import click

from caw_toolkit.cli.options import shard

#: Names the folder of test recordings where `--clips` does not.
CLIPS_VARIABLE = "CAW_TEST_AUDIO"

clips_option = click.option(
    "--clips",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar=CLIPS_VARIABLE,
    required=True,
    help=f"Folder of test recordings; default: the environment variable {CLIPS_VARIABLE}.",
)
results_option = click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("benchmark-results"),
    show_default=True,
    help="Folder that models, outputs and scores are kept in.",
)
shard_option = click.option(
    "--shard",
    type=shard,
    default="1/1",
    metavar="I/N",
    help="Only every N-th clip from the I-th on, for another machine each. A run without it over all shards' results "
    "folders, put together, makes the table.",
)
seed_option = click.option("--seed", type=int, default=0, show_default=True)
