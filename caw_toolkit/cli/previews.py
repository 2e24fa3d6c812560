"""`caw train --preview`: what there is of a model, written while it is trained."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from caw_toolkit.cli.lines import say
from caw_toolkit.durations import in_words
from caw_toolkit.errors import CawUsageError

if TYPE_CHECKING:
    from caw_toolkit.pyramid.model import PyramidModel

#: Length of a take.
TAKE_SECONDS = 10.0


def check_previews(targets: Sequence[Path], *, force: bool) -> None:
    """Refuse now what could not be written later.

    Args:
        targets: models (`.pt`) and audio files.
        force: whether files that exist may be replaced.

    Raises:
        CawUsageError: as `check_output`.
    """
    from caw_toolkit.audio.outputs import check_output, refuse_odd_place

    for target in targets:
        if str(target) == "-":
            raise CawUsageError("a preview is written again and again: name a file")
        if not _is_model(target):
            check_output(target, force)
            continue
        refuse_odd_place(target)
        if target.exists() and not force:
            raise CawUsageError(f"{target} exists; add --force to replace it")


def writer_of_previews(
    targets: Sequence[Path], *, seed: int, quiet: bool = False
) -> Callable[[PyramidModel], None] | None:
    """What writes a model as it stands to all files, or None if there are none.

    Args:
        targets: models (`.pt`) and audio files.
        seed: of the takes: they differ only by what was learnt.
        quiet: say nothing.
    """
    began = time.monotonic()

    def write(model: PyramidModel) -> None:
        from caw_toolkit.audio.writing import write_audio

        for target in targets:
            if _is_model(target):
                model.save(target)
            else:
                take = model.generate(TAKE_SECONDS, seed=seed)
                write_audio(target, take, model.sample_rate, clipping="scale", overwrite=True)
            if not quiet:
                say(f"wrote {target} after {in_words(time.monotonic() - began)}")

    return write if targets else None


def _is_model(target: Path) -> bool:
    return target.suffix.lower() == ".pt"
