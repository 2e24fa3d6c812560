"""Defaults of options from the environment: `CAW_TRAIN_MINUTES=5` is `--minutes 5` of `caw train`."""

from __future__ import annotations

import click

from caw_toolkit.cli.renamed_options import former_names


def name_variables(command: click.Command, parent: click.Context | None, name: str | None) -> None:
    """Give every option of a command, and of those below it, the variable that holds its default.

    Click's own names for them follow the parameters of functions, which nobody sees.

    Args:
        command: as it was imported.
        parent: context of the group that it is in; None: it is the outermost.
        name: of the command.
    """
    names = [name or ""]
    while parent is not None and parent.parent is not None:
        names.append(parent.info_name or "")
        parent = parent.parent
    _name_variables(command, "_".join(["caw", *reversed(names)]))


def _name_variables(command: click.Command, prefix: str) -> None:
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.envvar is None and parameter.allow_from_autoenv:
            variables = [_variable(prefix, name) for name in (max(parameter.opts, key=len), *former_names(parameter))]
            parameter.envvar = variables if len(variables) > 1 else variables[0]
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            _name_variables(inner, f"{prefix}_{name}")


def _variable(prefix: str, option: str) -> str:
    return f"{prefix}_{option.lstrip('-')}".replace("-", "_").upper()
