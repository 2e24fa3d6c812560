"""`caw denoise`: clean a noisy recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from caw_toolkit.cli.file_jobs import FileJob
from caw_toolkit.cli.files import DESTINATION, Destination, Files, file_options
from caw_toolkit.cli.json_results import print_result, refuse_json_beside_audio
from caw_toolkit.cli.lines import say
from caw_toolkit.cli.options import Amount, examples, json_option, model_option, quiet_option
from caw_toolkit.cli.progress import ProgressDisplay, progress_option
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
    help="Also write what was removed, which should hold no music, to a file, FOLDER/ or template, as for -o.",
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
    refuse_json_beside_audio(as_json, files.destination, residual)
    batch = files.plan(results, reads=[model_path], also=residual)

    settings_at = cache(partial(_settings, model_path, strength, declick))
    request = _Request(model_path, settings_at, as_json, results)
    batch.run(lambda job, display: _denoise_file(job, request, display))


@dataclass(frozen=True)
class _Request:
    """What was asked for, as the options say it."""

    model_path: Path | None
    settings_at: Callable[[int], Settings]
    as_json: bool
    results: Results


def _settings(model_path: Path | None, strength: float, declick: bool, sample_rate: int) -> Settings:
    """What is done at a sample rate; the reference is the recording in the model, if there is one."""
    from caw_denoising.task import Settings

    if model_path is None:
        return Settings(strength, None, declick)
    from caw_denoising.reference import reference_recording  # loads torch

    return Settings(strength, reference_recording(model_path, sample_rate), declick)


def _denoise_file(job: FileJob, request: _Request, display: ProgressDisplay) -> None:
    """Clean a file, write the result and what was removed, and say what was found."""
    from caw_denoising.findings import Findings
    from caw_denoising.task import clean_blocks
    from caw_toolkit.audio.blocks import open_audio
    from caw_toolkit.audio.spool import SampleSpool

    results, residual = request.results, job.also
    findings = Findings()
    with ExitStack() as stack:
        audio = stack.enter_context(open_audio(job.source))
        kept = stack.enter_context(SampleSpool(audio.channels, residual)) if residual is not None else None
        settings = request.settings_at(audio.sample_rate)

        def cleaned() -> Iterator[FloatArray]:
            nonlocal findings
            parts = clean_blocks(
                audio.exact_blocks, audio.sample_rate, settings, channels=audio.channels, on_progress=display.update
            )
            for part in parts:
                findings = findings.joined(part.findings)
                if kept is not None:
                    kept.append(part.samples)
                yield part.samples
            if not results.quiet:
                _tell(findings, job.source)

        write = partial(
            results.write_blocks,
            sample_rate=audio.sample_rate,
            channels=audio.channels,
            source=audio.source,
            read=[job.source],
            model=request.model_path,
            found=lambda: findings.as_json(),
        )
        outputs = [write(job.target, cleaned()).path]
        if residual is not None and kept is not None:
            removed = _removed(audio, kept, results.depth(job.target, audio.source))
            outputs.append(write(residual, removed).path)
    if request.as_json:
        found, model = findings.as_json(), request.model_path
        print_result(job.source, outputs, model=model, found=found, output=str(outputs[0]))


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
        say(findings.why_clean(str(source)))
