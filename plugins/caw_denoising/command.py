"""`caw denoise`: clean a noisy recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit.cli.files import DESTINATION, Destination, Files, file_options
from caw_toolkit.cli.options import Amount, examples, json_option, model_option, quiet_option
from caw_toolkit.cli.progress import progress_option
from caw_toolkit.cli.results import Results, result_options

if TYPE_CHECKING:
    from caw_denoising.findings import Findings
    from caw_denoising.task import Settings
    from caw_toolkit import BitDepth
    from caw_toolkit.arrays import FloatArray
    from caw_toolkit.audio.blocks import AudioBlocks
    from caw_toolkit.audio.spool import SampleSpool


@click.command(epilog=examples("caw denoise old.wav", "caw denoise records/ -r -o cleaned/ --skip-existing"))
@file_options(metavar="NOISY", label="denoised")
@model_option(required=False, help_text="Model of a cleaner recording of the same source, such as another take.")
@click.option("--strength", type=Amount(0, 1), default=1.0, show_default=True, help="How much of the noise to remove.")
@click.option(
    "--residual",
    type=DESTINATION,
    metavar="OUT",
    help="Also write what was removed, there should be no music in it: file, FOLDER/ or template, as for -o.",
)
@click.option("--declick/--no-declick", default=True, show_default=True, help="Whether to remove clicks and crackle.")
@result_options(what="result")
@json_option
@quiet_option
@progress_option
def denoise(
    files: Files,
    model_path: Path | None,
    strength: float,
    residual: Destination | None,
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

    NOISY may be a file, a folder, or - for standard input.
    """
    from caw_toolkit import CawUsageError

    if as_json and "-" in (str(files.destination), str(residual)):
        raise CawUsageError("--json prints to standard output, where the audio goes: name a file with -o")
    batch = files.plan(results, reads=[model_path], also=residual)

    settings_at = cache(partial(_settings, model_path, strength, declick))
    batch.run(
        lambda job, display: _denoise_file(
            job.source,
            job.target,
            residual=job.also,
            model_path=model_path,
            settings_at=settings_at,
            results=results,
            as_json=as_json,
            on_progress=display.update,
        )
    )


def _settings(model_path: Path | None, strength: float, declick: bool, sample_rate: int) -> Settings:
    """What is done at a sample rate; the reference is the recording in the model, if there is one."""
    from caw_denoising.task import Settings

    if model_path is None:
        return Settings(strength, None, declick)
    from caw_denoising.reference import reference_recording  # loads torch

    return Settings(strength, reference_recording(model_path, sample_rate), declick)


def _denoise_file(
    source: Path,
    target: Path,
    *,
    residual: Path | None,
    model_path: Path | None,
    settings_at: Callable[[int], Settings],
    results: Results,
    as_json: bool,
    on_progress: Callable[[float], None],
) -> None:
    """Clean a file, write the result and what was removed, and say what was found."""
    import json

    from caw_denoising.findings import Findings
    from caw_denoising.task import clean_blocks
    from caw_toolkit.audio.blocks import open_audio
    from caw_toolkit.audio.spool import SampleSpool

    findings = Findings()
    with ExitStack() as stack:
        audio = stack.enter_context(open_audio(source))
        kept = stack.enter_context(SampleSpool(audio.channels, residual)) if residual is not None else None
        settings = settings_at(audio.sample_rate)

        def cleaned() -> Iterator[FloatArray]:
            nonlocal findings
            parts = clean_blocks(
                audio.exact_blocks, audio.sample_rate, settings, channels=audio.channels, on_progress=on_progress
            )
            for part in parts:
                findings = findings.joined(part.findings)
                if kept is not None:
                    kept.append(part.samples)
                yield part.samples
            if not results.quiet:
                _tell(findings, source)

        write = partial(
            results.write_blocks,
            sample_rate=audio.sample_rate,
            channels=audio.channels,
            source=audio.source,
            read=[source],
            model=model_path,
            found=lambda: findings.as_json(),
        )
        write(target, cleaned())
        if residual is not None and kept is not None:
            write(residual, _removed(audio, kept, results.depth(target, audio.source)))
    if as_json:
        click.echo(json.dumps({"input": str(source), "output": str(target), "found": findings.as_json()}))


def _removed(audio: AudioBlocks, cleaned: SampleSpool, depth: BitDepth) -> Iterator[FloatArray]:
    """The difference to what is stored, not to what was computed: the two add up to the input."""
    from caw_toolkit.audio.writing import as_stored

    done = 0
    for given in audio.exact_blocks():
        yield given - as_stored(cleaned.read(done, done + given.shape[1]), depth)
        done += given.shape[1]


def _tell(findings: Findings, source: Path) -> None:
    """Say what was found."""
    for line in findings.lines():
        click.echo(f"found {line}", err=True)
    if findings.is_clean:
        click.echo(findings.why_clean(str(source)), err=True)
