"""`caw process`: a chain of effects on a file."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit.cli.errors import explain
from caw_toolkit.cli.files import Files, file_options
from caw_toolkit.cli.options import draw_seed, examples, quiet_option
from caw_toolkit.cli.progress import ProgressDisplay, progress_option
from caw_toolkit.cli.results import Results, result_options
from caw_toolkit.errors import CawError, CawUsageError, one_line
from caw_toolkit.plugins import get_host
from caw_toolkit.seeds import LARGEST_SEED
from caw_toolkit.standard_output import reserved_output

if TYPE_CHECKING:
    from caw_toolkit.arrays import Array
    from caw_toolkit.audio.blocks import AudioBlocks
    from caw_toolkit.processors.board import Pedalboard

#: What is looked at to find the effect that fails.
_BEGINNING_SECONDS, _BUFFER_SAMPLES = 10, 8192


def _show_list(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo("\n".join([*_native_lines(), "", *_processor_lines()]))
        context.exit()


@click.command(
    epilog=examples(
        'caw process in.wav out.wav -e "Compressor(threshold_db=-20)" -e "Reverb(room_size=0.2)"',
        'caw process takes/ louder/ -e "Gain(gain_db=6)"',
        "ffmpeg -i film.mkv -f wav - | caw process - - -e Limiter > sound.wav",
    )
)
@file_options(metavar="IN", label=None)
@click.option(
    "-e",
    "--effect",
    "effects",
    multiple=True,
    metavar="'NAME(PARAMETER=VALUE, ...)'",
    help="An effect; once for each effect of the chain, in their order.",
)
@click.option(
    "--chain",
    "chain_file",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    metavar="FILE",
    help="Read the chain from a TOML file.",
)
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_list,
    help="Show all effects with their parameters and defaults.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, LARGEST_SEED),
    help="Seed of effects whose seed is not given; drawn and shown if one needs it.",
)
@result_options(what="whole", clipping="scale")
@quiet_option
@progress_option
def process(
    files: Files, effects: Sequence[str], chain_file: Path | None, seed: int | None, results: Results, quiet: bool
) -> None:
    """Run a chain of effects on the file IN and write OUT; rate, channels and length stay.

    Effects are those of pedalboard, and the processors of the toolkit and of plugins. A long file is processed block by
    block if all effects of the chain can do that.

    Of several files, and of folders, OUT is the folder of the results, or a template such as
    '{parent}/{stem}.{task}{ext}'. IN and OUT may be -, standard input and output.
    """
    if bool(effects) == (chain_file is not None):
        raise CawUsageError("give the chain either as --effect, once for each effect, or as a file with --chain")

    batch = files.plan(results, reads=[chain_file])

    from caw_toolkit.processors.chains import load_chain, parse_effects

    click.get_current_context().with_resource(reserved_output())  # whatever an effect prints
    seeds = _seeds(seed, quiet=quiet)
    board = parse_effects(effects, seed=seeds) if chain_file is None else load_chain(chain_file, seed=seeds)
    batch.run(lambda job, display: _process_file(job.source, job.target, board, results, display))


def _seeds(seed: int | None, *, quiet: bool) -> Callable[[], int]:
    """Gives the seed of the run, which is drawn, shown and kept for the log when it is first asked for."""

    @functools.cache
    def of_the_run() -> int:
        if seed is not None:
            return seed
        drawn = draw_seed()
        click.get_current_context().params["seed"] = drawn
        if not quiet:
            click.echo(f"seed {drawn}", err=True)
        return drawn

    return of_the_run


def _process_file(source: Path, target: Path, board: Pedalboard, results: Results, display: ProgressDisplay) -> None:
    from caw_toolkit.audio.blocks import open_audio

    with open_audio(source) as audio:
        blocks = _process_blocks(board, audio, display, beside=target)
        results.write_blocks(
            target, blocks, audio.sample_rate, channels=audio.channels, source=audio.source, read=[source]
        )


def _process_blocks(
    board: Pedalboard, audio: AudioBlocks, display: ProgressDisplay, *, beside: Path
) -> Iterator[Array]:
    """The audio of a file after a chain, block by block if the chain can do that."""
    import numpy as np

    from caw_toolkit.processors.supervision import blamed_effect

    begun = False

    def read() -> Iterable[Array]:
        """The audio; the work is done as it is read, but for what an effect has to know before it begins."""
        nonlocal begun
        is_listening, begun = not begun and not board.can_stream, True
        if is_listening:
            display.update(0.0, "processing")
        return audio if is_listening else display.tracked(audio, audio.samples)

    try:
        for block in board.process_blocks(read, audio.channels, audio.sample_rate, beside=beside):
            if not np.isfinite(block).all():
                raise _overflow(board, audio)
            yield block
    except Exception as error:
        if isinstance(error, CawError) and blamed_effect(error) is None:  # such as what the file itself is
            raise
        raise _failure(error, audio.name) from error


def _overflow(board: Pedalboard, audio: AudioBlocks) -> CawError:
    """Which effect makes NaN or infinity of a file: the first one that does of its beginning, else one of all."""
    import numpy as np

    from caw_toolkit.dsp.queues import rechunked
    from caw_toolkit.processors.streams import call_plugin, effect_name

    culprit = effect_name(board)
    made = next(rechunked(audio, _BEGINNING_SECONDS * audio.sample_rate))
    for plugin in board:
        assert plugin is not None  # chains hold no dry signal
        made = call_plugin(plugin, made, audio.sample_rate, _BUFFER_SAMPLES, reset=True)
        if not np.isfinite(made).all():
            culprit = effect_name(plugin)
            break
    return CawError(
        f"the chain cannot process {audio.name}: {culprit} made samples of it that are NaN or infinite; "
        "give it parameters that are less extreme"
    )


def _failure(error: Exception, source: str) -> CawError:
    """What an exception of an effect is to the user: which effect of which plugin it was, and what it said."""
    from caw_toolkit.processors import registered_classes
    from caw_toolkit.processors.native import native_effects
    from caw_toolkit.processors.supervision import blamed_effect

    effect = blamed_effect(error) or "the chain"
    items = get_host().items("processor")
    registered = items.get(registered_classes().get(effect, ""))
    plugin = f" ({registered.origin})" if registered and not registered.origin.is_own else ""
    native = isinstance(error, (ValueError, RuntimeError)) and effect in native_effects()
    message = one_line(str(error) if native else explain(error))
    named = f"{message}{plugin}" if message.startswith(effect) else f"{effect}{plugin}: {message}"
    failure = CawUsageError if isinstance(error, CawUsageError) else CawError
    return failure(f"the chain cannot process {source}: {named}")


def _native_lines() -> Iterator[str]:
    from caw_toolkit.processors.native import native_effects, native_parameters

    yield "Effects of pedalboard:"
    for name, effect in sorted(native_effects().items()):
        parameters = [
            parameter.name if parameter.default is None else f"{parameter.name}={parameter.default}"
            for parameter in native_parameters(effect)
        ]
        yield f"  {name}({', '.join(parameters)})"
        for parameter in native_parameters(effect):
            if parameter.choices:
                yield f"      {parameter.name}: one of {', '.join(parameter.choices)}"


def _processor_lines() -> Iterator[str]:
    host = get_host()
    yield "Processors:"
    for name, item in sorted(host.items("processor").items()):
        yield f"  {name}: {item.summary}"
        try:
            yield from _parameter_lines(host.processor(name))
        except CawError as error:
            yield f"      cannot be used: {error}"


def _parameter_lines(processor: Callable[..., object]) -> Iterator[str]:
    declared = getattr(processor, "parameters", {})
    for name, parameter in inspect.signature(processor).parameters.items():
        default = "" if parameter.default is inspect.Parameter.empty else f"={parameter.default!r}"
        summary = f"  {declared[name].summary}" if name in declared else ""
        yield f"      {name}{default}{summary}"
