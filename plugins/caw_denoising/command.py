"""`caw denoise`: clean a noisy recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit.cli.options import (
    FILE,
    OUTPUT_FILE,
    Amount,
    json_option,
    model_option,
    output_option,
    quiet_option,
)
from caw_toolkit.cli.results import Results, result_options

if TYPE_CHECKING:
    from caw_denoising.findings import Findings
    from caw_denoising.task import Settings
    from caw_toolkit import Array, BitDepth
    from caw_toolkit.arrays import FloatArray
    from caw_toolkit.audio.blocks import AudioBlocks
    from caw_toolkit.audio.spool import SampleSpool


@click.command()
@click.argument("noisy", type=FILE, metavar="NOISY")
@model_option(required=False, help_text="Model of a cleaner recording of the same source, such as another take.")
@output_option(help_text="File to write. Default: NOISY.denoised beside it, in its format.")
@click.option("--strength", type=Amount(0, 1), default=1.0, show_default=True, help="How much of the noise to remove.")
@click.option(
    "--residual", type=OUTPUT_FILE, metavar="FILE", help="Also write what was removed: no music should be in it."
)
@click.option("--declick/--no-declick", default=True, show_default=True, help="Whether to remove clicks and crackle.")
@result_options(what="result")
@json_option
@quiet_option
def denoise(
    noisy: Path,
    model_path: Path | None,
    output: Path | None,
    strength: float,
    residual: Path | None,
    declick: bool,
    results: Results,
    as_json: bool,
    quiet: bool,
) -> None:
    """Clean NOISY with nothing but itself: no clean recording, no sample of the noise.

    Clicks and crackle go, hum of the mains, and steady noise: hiss, surface noise, rumble. Level, length and alignment
    stay. What was found is printed; clean and dense music comes back as it was.

    With --model, the recording in the model shows what the notes of NOISY sound like without noise. It has
    to be of the same voice or instrument: a model of NOISY itself adds nothing, and one of another source does harm,
    unless it is so different that it is not used.
    """
    import json

    from caw_denoising.task import Settings
    from caw_toolkit import CawUsageError
    from caw_toolkit.audio.blocks import open_audio
    from caw_toolkit.cli.progress import shown_progress

    target = output or results.beside(noisy, "denoised")
    if as_json and "-" in (str(target), str(residual)):
        raise CawUsageError("--json prints to standard output, where the audio goes: name a file with -o")
    results.expect([target] if residual is None else [target, residual], inputs=[noisy, model_path])
    with shown_progress(quiet=quiet) as progress, open_audio(noisy) as audio:
        progress.begin_file(noisy.name, 1, 1)
        settings = Settings(strength, _reference(model_path, audio.sample_rate), declick)
        findings = _denoise_file(
            audio, noisy, target, residual, settings, results, model_path=model_path, on_progress=progress.update
        )
    if as_json:
        click.echo(json.dumps({"input": str(noisy), "output": str(target), "found": findings.as_json()}))


def _denoise_file(
    audio: AudioBlocks,
    noisy: Path,
    target: Path,
    residual: Path | None,
    settings: Settings,
    results: Results,
    *,
    model_path: Path | None,
    on_progress: Callable[[float], None],
) -> Findings:
    """Clean a file, write the result and what was removed, and say what was found."""
    from caw_denoising.findings import Findings
    from caw_denoising.task import clean_blocks
    from caw_toolkit.audio.spool import SampleSpool

    findings = Findings()
    write = partial(
        results.write_blocks,
        sample_rate=audio.sample_rate,
        channels=audio.channels,
        source=audio.source,
        read=[noisy],
        model=model_path,
        found=lambda: findings.as_json(),
    )
    with ExitStack() as stack:
        kept = stack.enter_context(SampleSpool(audio.channels, residual)) if residual is not None else None

        def cleaned() -> Iterator[FloatArray]:
            nonlocal findings
            for part in clean_blocks(audio.exact_blocks, audio.sample_rate, settings, on_progress=on_progress):
                findings = findings.joined(part.findings)
                if kept is not None:
                    kept.append(part.samples)
                yield part.samples
            if not results.quiet:
                _tell(findings, noisy)

        write(target, cleaned())
        if residual is not None and kept is not None:
            write(residual, _removed(audio, kept, results.depth(target, audio.source)))
    return findings


def _reference(model_path: Path | None, sample_rate: int) -> Array | None:
    """The recording in a model, if there is one."""
    if model_path is None:
        return None
    from caw_denoising.reference import reference_recording  # loads torch

    return reference_recording(model_path, sample_rate)


def _removed(audio: AudioBlocks, cleaned: SampleSpool, depth: BitDepth) -> Iterator[FloatArray]:
    """The difference to what is stored, not to what was computed: the two add up to the input."""
    from caw_toolkit.audio.writing import as_stored

    cleaned.rewind()
    for given in audio.exact_blocks():
        yield given - as_stored(cleaned.read(given.shape[1]), depth)


def _tell(findings: Findings, noisy: Path) -> None:
    """Say what was found."""
    for line in findings.lines():
        click.echo(f"found {line}", err=True)
    if findings.is_clean:
        click.echo(f"no noise to speak of in {noisy}, or none that could be told from its sound", err=True)
