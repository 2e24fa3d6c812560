"""Options that commands share, for the engine and for plugins: same name, same meaning, same help everywhere.

    @click.command()
    @click.argument("clip", type=FILE)
    @model_option()
    @output_option()
    @quiet_option
    @seed_option
    def shout(clip, model_path, output, quiet, seed): ...

.. versionadded:: 0.1
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from caw_toolkit.cli.renamed_options import RenamedOption
from caw_toolkit.devices import DEVICES, PRECISION_VARIABLE, PRECISIONS
from caw_toolkit.seeds import LARGEST_SEED
from caw_toolkit.standard_output import reserved_output

__all__ = [
    "DEVICES",
    "FILE",
    "OUTPUT_FILE",
    "Amount",
    "Decorator",
    "NamedPath",
    "OutputFile",
    "clipping_option",
    "device_option",
    "draw_seed",
    "examples",
    "force_option",
    "json_option",
    "keep_for_audio",
    "minutes_option",
    "model_option",
    "next_take",
    "output_beside",
    "output_option",
    "quiet_option",
    "seed_option",
    "shard",
    "takes_option",
]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Decorator(Protocol):
    """What `click.option` returns: adds an option to a function and keeps its type.

    Example:
        >>> loud: Decorator = click.option("--loud", is_flag=True)
        >>> @click.command()
        ... @loud
        ... def shout(loud):
        ...     print(loud)
        >>> shout(["--loud"], standalone_mode=False)
        True

    .. versionadded:: 0.1
    """

    def __call__(self, function: Decorated, /) -> Decorated:
        """Decorate a function."""
        ...


#: An existing file to read; `-` is standard input.
FILE = click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True, path_type=Path)

#: What functions of commands call the model file.
MODEL_PARAMETER = "model_path"

_LARGEST_DRAWN_SEED = 2**31 - 1  # short enough to copy by hand
_MOST_TAKES = 10_000

#: No clip is longer and no training takes as long; neither does what is computed from it overflow.
_LARGEST_AMOUNT = 1e9


def shard(value: str) -> tuple[int, int]:
    """Type of an option that names a part of what is to be done, the I-th of N: `(I, N)`.

    Args:
        value: `I/N`.

    Raises:
        click.BadParameter: it is something else.

    >>> shard("3/10")
    (3, 10)

    .. versionadded:: 0.2
    """
    match = re.fullmatch(r"(\d+)/(\d+)", value)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise click.BadParameter(f"{value!r} is not I/N with I from 1 to N, such as 3/10")
    return int(match[1]), int(match[2])


class Amount(click.FloatRange):
    """A number of seconds, minutes or Hz, or a share, within bounds as for `click.FloatRange`; NaN is in none.

    Example:
        >>> Amount(min=0).convert("2.5", None, None)
        2.5
        >>> Amount(min=0).convert("1e12", None, None)
        Traceback (most recent call last):
        click.exceptions.BadParameter: 1e12 is not a number up to 1e+09.

    .. versionadded:: 0.2
    """

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check that it is a number within bounds, and no more than a billion."""
        amount = super().convert(value, param, ctx)
        if not abs(amount) <= _LARGEST_AMOUNT:
            self.fail(f"{value} is not a number up to {_LARGEST_AMOUNT:g}.", param, ctx)
        return amount


class NamedPath(click.Path):
    """A path that is not empty, which would stand for the folder that one is in.

    Example:
        >>> NamedPath(path_type=Path).convert("", None, None)
        Traceback (most recent call last):
        click.exceptions.BadParameter: the name is empty.

    .. versionadded:: 0.2
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check the path."""
        if not os.fspath(value):
            self.fail("the name is empty.", param, ctx)
        return super().convert(value, param, ctx)


class OutputFile(NamedPath):
    """A file to write, `-` being standard output. That its folder is there or can be made is found out now.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     OUTPUT_FILE.convert(f"{folder}/new/take.wav", None, None).name  # the folder can be made
        'take.wav'

    .. versionadded:: 0.1
    """

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True, allow_dash=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check the path and its folder."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if str(path) == "-":
            if ctx is not None and not ctx.resilient_parsing:
                ctx.with_resource(reserved_output(for_text=True))
            return path
        folder = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
        if not folder.is_dir():
            self.fail(f"{str(folder)!r} is no folder.", param, ctx)
        if not os.access(folder, os.W_OK):
            self.fail(f"folder {str(folder)!r} cannot be written to.", param, ctx)
        return path


#: A file to write; `-` is standard output.
OUTPUT_FILE = OutputFile()


def examples(*commands: str) -> str:
    """The end of a command's help, for `click.command(epilog=...)`.

    Args:
        commands: what one may type.

    Example:
        >>> examples("caw shout clip.wav", "caw shout - < clip.wav").splitlines()[1:]
        ['Examples:', '  caw shout clip.wav', '  caw shout - < clip.wav']

    .. versionadded:: 0.2
    """
    lines = [f"  {command}" for command in commands]
    return "\n".join(["\b", "Example:" if len(lines) == 1 else "Examples:", *lines])


def keep_for_audio(*outputs: Path | None) -> None:
    """Keep standard output clean for audio, if one of a command's outputs is `-`, until the command ends.

    From then on, whatever is printed in the process goes to standard error, be it by a generator at work.

    Args:
        outputs: what the command writes; None stands for nothing.

    Example:
        >>> from click.testing import CliRunner
        >>> @click.command()
        ... def shout():
        ...     keep_for_audio(Path("-"))
        ...     print("shouting")
        >>> result = CliRunner().invoke(shout)
        >>> result.stdout, result.stderr.strip()
        ('', 'shouting')
    """
    if any(str(output) == "-" for output in outputs):
        click.get_current_context().with_resource(reserved_output())


def model_option(*, required: bool = True, help_text: str = "Model file made by caw train.") -> Decorator:
    """`--model FILE`, as `model_path`.

    Args:
        required: whether the command needs a model.
        help_text: what the model is for.

    Example:
        >>> @click.command()
        ... @model_option(required=False)
        ... def shout(model_path):
        ...     print(model_path)
        >>> shout([], standalone_mode=False)
        None
    """
    kind = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
    return click.option("-m", "--model", MODEL_PARAMETER, type=kind, required=required, metavar="FILE", help=help_text)


def output_option(*, required: bool = False, help_text: str = "File to write; - is standard output.") -> Decorator:
    """`--output FILE`, as `output`.

    Args:
        required: whether it must be given.
        help_text: what is written, and where by default.

    Example:
        >>> @click.command()
        ... @output_option()
        ... def shout(output):
        ...     print(output)
        >>> shout(["-o", "loud.wav"], standalone_mode=False)
        loud.wav
    """
    return click.option("-o", "--output", type=OUTPUT_FILE, required=required, metavar="FILE", help=help_text)


def draw_seed() -> int:
    """A seed by chance.

    Example:
        >>> 0 <= draw_seed() < 2**31
        True
    """
    return secrets.randbelow(_LARGEST_DRAWN_SEED + 1)


def _seed_or_drawn(context: click.Context, _parameter: click.Parameter, seed: int | None) -> int | None:
    if seed is not None or context.resilient_parsing:
        return seed
    drawn = draw_seed()
    if not context.params.get("quiet"):
        click.echo(f"seed {drawn}", err=True)
    return drawn


#: `--seed N`, as `seed`. Without it a seed is drawn and, unless `--quiet`, shown on standard error.
seed_option: Decorator = click.option(
    "--seed",
    type=click.IntRange(0, LARGEST_SEED),
    callback=_seed_or_drawn,
    help="Seed of all random numbers: the same seed gives the same result. Drawn and shown if left out.",
)

#: `--minutes M`, as `minutes`, for commands that train if no model is given.
minutes_option: Decorator = click.option(
    "--minutes",
    type=Amount(min=0, min_open=True),
    help="Time to spend on training, if no model is given; the default is the preset's.",
)


def takes_option(help_text: str = "Number of takes.", *, former_names: Sequence[str] = ()) -> Decorator:
    """`--takes N`, as `takes`.

    Args:
        help_text: of what they are takes.
        former_names: as for `RenamedOption`.

    Example:
        >>> @click.command()
        ... @takes_option("How often to shout.")
        ... def shout(takes):
        ...     print(takes)
        >>> shout(["-n", "3"], standalone_mode=False)
        3

    .. versionadded:: 0.2
    """
    return click.option(
        "-n",
        "--takes",
        cls=RenamedOption,
        former_names=former_names,
        type=click.IntRange(1, _MOST_TAKES),
        default=1,
        show_default=True,
        help=help_text,
    )


def output_beside(source: Path, label: str, *, take: int | None = None, suffix: str = ".wav") -> Path:
    """Where the result for a file goes by default: `song.wav` gives `song.LABEL.wav` in the same folder.

    Args:
        source: the input file.
        label: what was done to it.
        take: number of the take, if there are several.
        suffix: of the result.

    >>> output_beside(Path("song.wav"), "varied", take=2).name
    'song.varied2.wav'
    """
    if str(source) == "-":
        raise click.UsageError("standard input has no name to go by: name the output with -o")
    number = "" if take is None else f"{take}"
    return source.with_name(f"{source.stem}.{label}{number}{suffix}")


def next_take(folder: Path, name: str, suffix: str) -> int:
    """The number after the highest of the takes in a folder, `NAME3.wav` being the third.

    Args:
        folder: where they are.
        name: of the takes, without their number.
        suffix: theirs.

    Example:
        >>> next_take(Path(), "song.varied", ".wav")
        1

    .. versionadded:: 0.2
    """
    numbered = re.compile(rf"{re.escape(name)}(\d{{1,9}}){re.escape(suffix)}")
    matches = map(numbered.fullmatch, os.listdir(folder)) if folder.is_dir() else ()
    return max((int(match[1]) for match in matches if match), default=0) + 1


def _choose_precision(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    """Choose for this command and the processes that it starts."""
    if value is None:
        return
    before = os.environ.get(PRECISION_VARIABLE, "")
    os.environ[PRECISION_VARIABLE] = value
    context.call_on_close(lambda: os.environ.update({PRECISION_VARIABLE: before}))


def device_option(function: Decorated) -> Decorated:
    """`--device NAME`, as `device`; and `--precision NAME`, which takes effect by itself.

    Example:
        >>> @click.command()
        ... @device_option
        ... def shout(device):
        ...     print(device)
        >>> shout(["--device", "cpu"], standalone_mode=False)
        cpu
    """
    options = [
        click.option(
            "--device",
            type=click.Choice(DEVICES),
            default="auto",
            show_default=True,
            help="Where to compute; auto takes a GPU if there is one.",
        ),
        click.option(
            "--precision",
            type=click.Choice(PRECISIONS),
            expose_value=False,
            callback=_choose_precision,
            help="Of the networks; auto takes bfloat16 where that is faster. [default: $CAW_PRECISION, else auto]",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def clipping_option(what: str, *, default: str = "scale") -> Decorator:
    """`--clipping`, as `clipping` of `write_audio`.

    Args:
        what: what would be turned down, for the help.
        default: `scale`, `clip` or `error`.

    Example:
        >>> @click.command()
        ... @clipping_option("take", default="clip")
        ... def shout(clipping):
        ...     print(clipping)
        >>> shout([], standalone_mode=False)
        clip
    """
    return click.option(
        "--clipping",
        type=click.Choice(["scale", "clip", "error"]),
        default=default,
        show_default=True,
        help=f"What to do where audio exceeds full scale: turn the {what} down, clip it, or stop.",
    )


def _clean_for_json(context: click.Context, _parameter: click.Parameter, wanted: bool) -> bool:
    if wanted and not context.resilient_parsing:
        context.with_resource(reserved_output(for_text=True))
    return wanted


#: `--json`, as `as_json`.
json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, callback=_clean_for_json, help="Print JSON instead of text."
)

#: `--quiet`, as `quiet`. Read before all others, so that they can heed it.
quiet_option: Decorator = click.option(
    "-q", "--quiet", is_flag=True, is_eager=True, help="Show only warnings and errors."
)

#: `--force`, as `force`.
force_option: Decorator = click.option("-f", "--force", is_flag=True, help="Overwrite files that exist.")
