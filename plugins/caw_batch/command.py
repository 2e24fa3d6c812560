"""`caw batch`: a command on many files."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from caw_batch.signature import Value, signature
from caw_toolkit import CawUsageError
from caw_toolkit.cli.options import NamedPath, json_option, quiet_option, shard
from caw_toolkit.cli.renamed_options import RenamedOption, former_names


def _batch_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Where and how jobs run, for both forms of the command."""
    options = [
        click.option(
            "--workers",
            type=click.IntRange(1, 10_000),
            metavar="N",
            help="Jobs at a time. Default: one for two cores, or for each GPU; with --slurm, one for each job.",
        ),
        click.option("--scheduler", metavar="ADDRESS", help="Of a Dask scheduler, such as tcp://host:8786."),
        click.option(
            "--slurm",
            type=NamedPath(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE.toml",
            help="Arguments of dask_jobqueue.SLURMCluster: workers are jobs of Slurm.",
        ),
        click.option(
            "--shard",
            type=shard,
            metavar="I/N",
            help="Only every N-th job from the I-th on, one by one in this process, without Dask.",
        ),
        click.option("--retry-failed", is_flag=True, help="Try again what failed in earlier runs."),
        click.option("-f", "--force", is_flag=True, help="Replace outputs that are there and no batch has made."),
        json_option,
        quiet_option,
    ]
    for option in reversed(options):
        function = option(function)
    return function


class _BatchGroup(click.Group):
    """Knows every command that makes a file of files, beside its own."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """`run`, or the batch form of another command."""
        own = super().get_command(ctx, cmd_name)
        return own if own is not None or ctx.resilient_parsing else _for_many(cmd_name)


@click.group(cls=_BatchGroup, subcommand_metavar="COMMAND INPUT... -o OUT [OPTIONS] | run JOBS")
def batch() -> None:
    """Run a command of caw on many inputs, on many cores or machines.

    COMMAND is any that makes a file of files: train, bwe, denoise, and those of other plugins. It takes the options
    that it always takes. What is finished is skipped the next time, unless an input, an option or a model has changed;
    interrupted trainings go on.

    \b
    caw batch train clips/ -o models/{stem}.pt --minutes 2
    caw batch bwe lowres/ -o out/ --model 'models/{folder}.pt'
    caw batch run jobs.csv

    Fields of OUT and of options: {stem}, {parent} and {folder} (path and name of the input's folder), {ext} (of the
    result, with its dot), {task}.
    """  # noqa: D301 - click's mark of a paragraph that stays as it is


@batch.command()
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="JOBS")
@_batch_options
def run(table: Path, **settings: Any) -> None:
    """Run the jobs of JOBS, a CSV file with a row a job or a TOML file with a [[job]] each.

    Columns are command, input, output, and any options of that command by name; others are fields for {field} in
    outputs and options. A job whose input another job makes waits for it.
    """
    from caw_batch.table import read_jobs

    _run(read_jobs(table), **settings)


def _for_many(name: str) -> click.Command:
    """The form of a command that takes many inputs."""
    known = signature(name)

    @click.command(name, help=f"Run caw {name} on each INPUT, a file or a folder of files. See caw batch --help.")
    @click.argument("inputs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="INPUT...")
    @click.option("-o", "--output", required=True, metavar="OUT", help="Folder, or name with fields such as {stem}.")
    @_batch_options
    def run_many(inputs: Sequence[Path], output: str, **settings: Any) -> None:
        from caw_batch.jobs import plan_jobs

        context = click.get_current_context()
        raw = {option.name: settings.pop(option.name or "") for option in known.options}
        typed = click.core.ParameterSource.COMMANDLINE
        options: dict[str, Value] = {
            name: value for name, value in raw.items() if name and context.get_parameter_source(name) == typed
        }
        _run(plan_jobs(name, inputs, output, options, quiet=settings["quiet"]), **settings)

    run_many.params += [_as_text(option) for option in known.options]
    return run_many


def _as_text(option: click.Option) -> click.Option:
    """An option whose value is taken as it was typed: it may be a template."""
    names = list(option.opts)
    if option.secondary_opts:
        names[-1] += "/" + option.secondary_opts[-1]
    is_flag = {"is_flag": True} if option.is_flag else {"metavar": option.metavar, "multiple": option.multiple}
    former = former_names(option)
    return RenamedOption([*names, option.name or ""], former_names=former, help=option.help, **is_flag)


def _run(
    jobs: Sequence[Any],
    *,
    workers: int | None,
    scheduler: str | None,
    slurm: Path | None,
    shard: tuple[int, int] | None,
    retry_failed: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    from caw_batch.agenda import require_order, shard_of
    from caw_batch.cluster import Cluster
    from caw_batch.execution import Run
    from caw_batch.jobs import check_jobs
    from caw_batch.report import Report
    from caw_batch.runner import one_by_one, run_jobs

    where = {"--scheduler": scheduler, "--slurm": slurm, "--shard": shard}
    given = [name for name, value in where.items() if value is not None]
    if len(given) > 1:
        raise CawUsageError(f"{given[0]} and {given[1]} exclude each other")
    if workers is not None and given and slurm is None:
        raise CawUsageError(f"--workers and {given[0]} exclude each other")
    check_jobs(jobs)
    require_order(jobs)
    if shard is not None:
        jobs = shard_of(jobs, *shard)
    report = Report(len(jobs), quiet=quiet)
    runner = one_by_one if shard else Cluster(workers, scheduler, slurm)
    run_jobs(jobs, Run(uuid.uuid4().hex, retry_failed, force), report, runner)
    report.finish(as_json=as_json)
