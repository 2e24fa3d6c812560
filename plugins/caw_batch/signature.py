"""What a command takes: its inputs, its output, its options by name, and the tokens that a value becomes."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from caw_toolkit import CawUsageError
from caw_toolkit.cli.files import DESTINATION
from caw_toolkit.cli.invocation import load_command
from caw_toolkit.cli.options import OutputFile
from caw_toolkit.cli.renamed_options import former_names

#: What a user gives for an option: text, a flag, or several texts.
Value = str | bool | Sequence[str]

#: Parameters that are chosen for every job, not by the user.
_CHOSEN = frozenset({"force", "resume", "quiet", "as_json", "dry_run", "recursive", "skip_existing"})
#: Parameters that say where the result goes.
_OUTPUTS = ("output", "destination")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Signature:
    """The parameters of a command.

    Args:
        name: of the command.

    Raises:
        CawUsageError: there is none of this name, or it writes no file.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._parameters = load_command(name).params
        arguments = [one for one in self._parameters if isinstance(one, click.Argument)]
        output = next((one for one in self._parameters if _is_output(one)), None)
        given = [one for one in arguments if one is not output]
        source = given[0] if given else next((one for one in self._parameters if one.name == "model_path"), None)
        if output is None or source is None:
            raise CawUsageError(f"caw {name} does not make a file of files: it cannot be run in a batch")
        self._output, self.source = output, source
        named = [one for one in self._parameters if isinstance(one, click.Option)]
        self.options = [one for one in named if one is not output and one is not source and _is_free(one)]

    def has(self, parameter: str) -> bool:
        """Whether there is a parameter of this name."""
        return any(one.name == parameter for one in self._parameters)

    def option(self, name: str) -> click.Option | None:
        """An option by its long name, with `-` or `_`, or by that of its parameter; None if there is none."""
        flag = f"--{name.replace('_', '-')}"
        for option in self.options:
            if flag in (*option.opts, *option.secondary_opts, *former_names(option)) or name == option.name:
                return option
        return None

    def tokens(self, sources: Sequence[Path], output: Path, values: Mapping[str, Value]) -> Iterator[str]:
        """The command line of a job.

        Args:
            sources: its inputs.
            output: what it writes.
            values: of options, by name.

        Raises:
            CawUsageError: an option does not take its value, or one is missing.
        """
        given: set[click.Parameter] = set()
        for name, value in values.items():
            option = self.option(name)
            assert option is not None, name
            given.add(option)
            yield from self._tokens_of(option, name, value)
        missing = [option for option in self.options if option.required and option not in given]
        if missing:
            raise CawUsageError(f"caw {self.name} needs {missing[0].opts[-1]}")
        if len(sources) > 1 and self.source.nargs == 1:
            raise CawUsageError(f"caw {self.name} takes one input, not {len(sources)}")
        if isinstance(self._output, click.Option):
            yield from (self._output.opts[0], str(output))
        if isinstance(self.source, click.Option):
            yield from (self.source.opts[0], str(sources[0]))
        else:
            yield "--"
            yield from map(str, sources)
        if isinstance(self._output, click.Argument):
            yield str(output)

    def _tokens_of(self, option: click.Option, name: str, value: Value) -> Iterator[str]:
        if option.is_flag:
            word = " ".join(texts_of(value))
            wanted = _WORDS.get(word.lower())
            if wanted is None:
                raise CawUsageError(f"{option.opts[-1]} is a flag: {word!r} is neither true nor false")
            if f"--{name.replace('_', '-')}" in option.secondary_opts:
                wanted = not wanted
            names = option.opts if wanted else option.secondary_opts
            yield from names[-1:]
            return
        texts = texts_of(value)
        if len(texts) > 1 and not option.multiple:
            raise CawUsageError(f"{option.opts[-1]} takes one value, not {len(texts)}")
        for text in texts:
            _check(option, text)
            yield from (option.opts[0], _from_anywhere(option, text))


@functools.cache
def signature(command: str) -> Signature:
    """The parameters of a command, found once.

    Raises:
        CawUsageError: as for `Signature`.
    """
    return Signature(command)


def read_files(command: str, values: Mapping[str, Value]) -> Iterator[Path]:
    """Files that the options of a job name and that it reads, whether they are there yet or not.

    Args:
        command: of the job.
        values: of options, by name.
    """
    for name, value in values.items():
        option = signature(command).option(name)
        if option is not None and not option.is_flag:
            yield from (
                Path(_from_anywhere(option, text)) for text in texts_of(value) if _names_a_file_to_read(option, text)
            )


def texts_of(value: Value) -> list[str]:
    """An option's value as it would be typed, once or several times."""
    return [str(value)] if isinstance(value, (str, bool)) else list(map(str, value))


def _is_output(parameter: click.Parameter) -> bool:
    is_argument = isinstance(parameter, click.Argument)
    return parameter.name in _OUTPUTS or (is_argument and isinstance(parameter.type, OutputFile))


def _is_free(option: click.Option) -> bool:
    """Whether the user chooses it; flags that show something and leave, such as --list, make no file."""
    return option.name not in _CHOSEN and not (option.is_flag and option.is_eager)


def _check(option: click.Option, text: str) -> None:
    """Find out now what would fail in every job. Files may be made by other jobs."""
    if isinstance(option.type, click.Path):
        return
    try:
        option.type.convert(text, option, None)
    except click.BadParameter as error:
        raise CawUsageError(f"{option.opts[-1]}: {error.message}") from None


def _names_a_file_to_read(option: click.Option, text: str) -> bool:
    """An option such as --preset takes a name or a file: it is a file if it has a suffix and is there."""
    if isinstance(option.type, click.Path):
        return option.type.exists
    return bool(Path(text).suffix) and Path(text).is_file()


def _from_anywhere(option: click.Option, text: str) -> str:
    """A value as it holds in any folder, which is that of a worker."""
    if option.type is DESTINATION:
        return os.path.join(os.getcwd(), text)  # a folder is known by the slash at its end
    is_path = isinstance(option.type, click.Path) or _names_a_file_to_read(option, text)
    return os.path.abspath(text) if is_path and text != "-" else text
