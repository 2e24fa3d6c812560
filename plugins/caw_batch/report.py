"""What the user is told: a line for each job, and what became of all of them."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from typing import get_args

import click

from caw_batch.execution import Outcome, OutcomeState
from caw_toolkit import CawError
from caw_toolkit.cli.lines import say

_STATES = get_args(OutcomeState)


class Report:
    """Shows outcomes as they come, and sums them up.

    Args:
        count: of jobs.
        quiet: show failures only.
    """

    def __init__(self, count: int, *, quiet: bool = False) -> None:
        self._count = count
        self._quiet = quiet
        self.outcomes: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        """Take down an outcome, and show it unless it was finished before."""
        self.outcomes.append(outcome)
        if outcome.state == "failed" or (outcome.state == "done" and not self._quiet):
            self.say(f"[{len(self.outcomes)}/{self._count}] {_short(outcome.output)}: {_described(outcome)}")

    def say(self, line: str) -> None:
        """Show a line beside the results."""
        say(line)

    def note(self, line: str) -> None:
        """Show a line unless the run is to be quiet."""
        if not self._quiet:
            self.say(line)

    def unfinished(self) -> str:
        """How far a run got that ends before its time."""
        settled = len(self.outcomes)
        return f"{settled} of {self._count} jobs are finished; run the same command again for the rest"

    def finish(self, *, as_json: bool) -> None:
        """Print what became of all jobs.

        Args:
            as_json: print JSON instead of a table.

        Raises:
            CawError: some failed.
        """
        print_json(self.outcomes) if as_json else print_table(self.outcomes)
        failed = sum(outcome.state == "failed" for outcome in self.outcomes)
        if failed:
            raise CawError(f"{failed} of {self._count} jobs failed")


def print_table(outcomes: Iterable[Outcome]) -> None:
    """Print how many jobs were done, skipped and failed, and why."""
    outcomes = list(outcomes)
    counts = Counter(outcome.state for outcome in outcomes)
    width = len(str(max(counts.values())))
    notes = {"skipped": "  finished earlier"}
    for state in _STATES:
        if counts[state]:
            click.echo(f"{state:<8}{counts[state]:>{width}}{notes.get(state, '')}")
    for outcome in outcomes:
        if outcome.state == "failed":
            say(f"  {_short(outcome.output)}: {outcome.error}", err=False)


def print_json(outcomes: Iterable[Outcome]) -> None:
    """Print the same as JSON."""
    summary: dict[str, list[object]] = {state: [] for state in _STATES}
    for outcome in outcomes:
        failed = outcome.state == "failed"
        summary[outcome.state].append({"output": outcome.output, "error": outcome.error} if failed else outcome.output)
    click.echo(json.dumps(summary, indent=2))


def _described(outcome: Outcome) -> str:
    if outcome.state == "failed":
        return f"failed: {outcome.error}"
    again = ", after its process had died" if outcome.attempts > 1 else ""
    return f"{outcome.seconds:.1f} s{again}"


def _short(output: str) -> str:
    """A path from here, if it is below."""
    try:
        near = os.path.relpath(output)
    except ValueError:  # another drive
        return output
    return output if near.startswith("..") else near
