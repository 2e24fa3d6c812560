"""Markdown tables of scores: mean and 95 % bootstrap interval over cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from harness.task import Column, Scores

#: Scores by case, by system.
Results = dict[str, dict[str, Scores]]

_RESAMPLES = 10_000


def summary(results: Results, columns: Sequence[Column]) -> str:
    """A row for each system."""
    shown = present_columns(results, columns)
    rows = [
        [
            system,
            str(len(cases)),
            *(_interval([scores[column.score] for scores in cases.values()], column) for column in shown),
        ]
        for system, cases in results.items()
    ]
    return _markdown(["system", "clips", *(column.heading for column in shown)], rows)


def per_case(results: Results, columns: Sequence[Column]) -> str:
    """A row for each case and system."""
    shown = present_columns(results, columns)
    names = dict.fromkeys(name for cases in results.values() for name in cases)
    rows = [
        [name, system, *(f"{cases[name][column.score]:.{column.decimals}f}" for column in shown)]
        for name in names
        for system, cases in results.items()
        if name in cases
    ]
    return _markdown(["clip", "system", *(column.heading for column in shown)], rows)


def bootstrap_interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean."""
    means = np.random.default_rng(0).choice(values, (_RESAMPLES, len(values))).mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _interval(values: Sequence[float], column: Column) -> str:
    mean = f"{np.mean(values):.{column.decimals}f}"
    if len(values) < 2:
        return mean
    low, high = bootstrap_interval(values)
    return f"{mean} [{low:.{column.decimals}f}, {high:.{column.decimals}f}]"


def present_columns(results: Results, columns: Sequence[Column]) -> list[Column]:
    """Columns that every scored case has: some scores need packages that may be missing."""
    every = [scores for cases in results.values() for scores in cases.values()]
    return [column for column in columns if all(column.score in scores for scores in every)]


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
