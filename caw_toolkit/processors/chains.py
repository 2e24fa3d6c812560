"""Chains written down: `Compressor(threshold_db=-20)` on the command line, or a TOML file.

Both are read as data. Only names of effects and plain values are understood; nothing is evaluated.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from caw_toolkit.errors import CawUsageError, did_you_mean, one_line
from caw_toolkit.processors import get_processor, registered_classes
from caw_toolkit.processors.board import Mix, Pedalboard
from caw_toolkit.processors.native import make_native, native_effects
from caw_toolkit.processors.protocols import AudioProcessor
from caw_toolkit.toml_file import read_toml

_EFFECT = re.compile(r"(?P<name>[A-Za-z][\w-]*)\s*(?P<arguments>\(.*\))?", re.DOTALL)
_LONGEST_TEXT = 10_000
_DEEPEST_NESTING = 20


def parse_effect(text: str) -> tuple[str, dict[str, Any]]:
    """Read an effect and its parameters.

    Args:
        text: a name, or a name with parameters whose values are numbers, texts in quotes, True, False, None, or lists
            of such.

    Raises:
        CawUsageError: the text is anything else.

    >>> parse_effect("Compressor(threshold_db=-20, ratio=4)")
    ('Compressor', {'threshold_db': -20, 'ratio': 4})
    """
    if len(text) > _LONGEST_TEXT:
        raise CawUsageError(f"an effect of {len(text)} characters is too long")
    match = _EFFECT.fullmatch(text.strip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's opinion of its own syntax does not matter here
            call = ast.parse(f"effect{match['arguments'] or '()'}", mode="eval").body if match else None
        if match is None or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            raise ValueError
        values = {_keyword(keyword): _literal(keyword.value) for keyword in call.keywords}
        if len(values) < len(call.keywords):
            raise CawUsageError("a parameter is given twice")
        return match["name"], values
    except CawUsageError as error:
        raise CawUsageError(f"{one_line(text)[:80]}: {error}") from error
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise CawUsageError(f"cannot read the effect {text[:80]!r}: write NAME(parameter=value, ...)") from error


def _keyword(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise CawUsageError("** is not understood")
    return keyword.arg


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float, str, type(None))):
        return node.value
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_literal(element) for element in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = _literal(node.operand)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return -value if isinstance(node.op, ast.USub) else value
    raise CawUsageError("values are numbers, texts in quotes, True, False, None, and lists of them")


def make_effect(name: str, values: Mapping[str, Any], seed: Callable[[], int] | None = None) -> AudioProcessor:
    """Make an effect from its name and parameters.

    Args:
        name: of a native effect (`Compressor`), of a registered processor, or of its class, in any case.
        values: parameters by name.
        seed: gives the seed of effects that have one, where `values` does not; None: they have their own default.

    Raises:
        CawUsageError: there is no such effect, or it refuses a parameter.
    """
    from caw_toolkit.plugins import get_host

    native = native_effects()
    classes = registered_classes()
    registered = get_host().items("processor")
    known = [*native, *registered, *classes]
    name = _in_its_case(name, known)
    if name in native:
        made: AudioProcessor = make_native(name, values)
        return made
    if name not in known:
        raise CawUsageError(f"no effect named {name!r}; {did_you_mean(name, known)}")
    processor = get_processor(name if name in registered else classes[name])
    if seed is not None and "seed" in getattr(processor, "parameters", {}) and "seed" not in values:
        values = {**values, "seed": seed()}
    try:
        return processor(**values)
    except (TypeError, ValueError) as error:
        if isinstance(error, CawUsageError):
            raise
        raise CawUsageError(f"{name}: {one_line(str(error))}") from error


def _in_its_case(name: str, known: Sequence[str]) -> str:
    """The known name that differs in nothing but case; the name itself where there is none."""
    by_case = {each.casefold(): each for each in reversed(known)}
    return name if name in known else by_case.get(name.casefold(), name)


def parse_effects(texts: Sequence[str], *, seed: Callable[[], int] | None = None) -> Pedalboard:
    """A board of effects written as for `parse_effect`; `seed` as for `make_effect`."""
    return Pedalboard([make_effect(*parse_effect(text), seed) for text in texts])


def load_chain(path: str | Path, *, seed: Callable[[], int] | None = None) -> Pedalboard:
    """Read a chain file.

    Args:
        path: a TOML file with a `[[chain]]` table for each effect: `effect` is its name, the other keys are its
            parameters. The effect `Mix` has `branches`, a list of chains.
        seed: as for `make_effect`.

    Raises:
        CawUsageError: the file does not exist, is no TOML, or describes no chain.
    """
    path = Path(path)
    content = read_toml(path, "chain")
    unknown = sorted(content.keys() - {"chain"})
    if unknown:
        raise CawUsageError(f"{path}: unknown key {unknown[0]!r}: a chain file has [[chain]] tables only")
    if "chain" not in content:
        raise CawUsageError(f"{path} holds no [[chain]] table")
    if content["chain"] == []:
        raise CawUsageError(f"{path}: the chain is empty, and would change nothing")
    return _board(content["chain"], str(path), _DEEPEST_NESTING, seed)


def _board(tables: Any, where: str, depth: int, seed: Callable[[], int] | None) -> Pedalboard:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise CawUsageError(f"{where}: a chain is a list of tables with the key 'effect'")
    if depth == 0:
        raise CawUsageError(f"{where}: chains are nested more than {_DEEPEST_NESTING} deep")
    named = ((table, f"{where}, effect {index}") for index, table in enumerate(tables, 1))
    return Pedalboard([_from_table(table, name, depth, seed) for table, name in named])


def _from_table(table: dict[str, Any], where: str, depth: int, seed: Callable[[], int] | None) -> AudioProcessor:
    values = dict(table)
    name = values.pop("effect", None)
    if not isinstance(name, str):
        raise CawUsageError(f"{where}: the key 'effect' must name the effect")
    if name.casefold() == "mix":
        branches = values.pop("branches", None)
        if values or not isinstance(branches, list) or not branches:
            raise CawUsageError(f"{where}: Mix has one key, 'branches', a list of chains")
        return Mix([_board(branch, where, depth - 1, seed) for branch in branches])
    try:
        return make_effect(name, values, seed)
    except CawUsageError as error:
        raise CawUsageError(f"{where}: {error}") from error
