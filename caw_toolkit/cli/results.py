"""Writing what a command makes: one set of options, one policy for depth, level, metadata and the record of the run.

    @click.command()
    @click.argument("recording", type=FILE)
    @output_option()
    @result_options(what="result")
    @quiet_option
    def shout(recording, output, results, quiet):
        target = output or results.beside(recording, "shouted")
        results.expect([target], inputs=[recording])
        clip = read_audio(recording)
        results.write(target, 2 * clip.samples, clip.sample_rate, of=clip, read=[recording])

.. versionadded:: 0.2
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from caw_toolkit.audio.formats import BIT_DEPTHS, FILE_FORMATS, result_suffix
from caw_toolkit.cli.lines import say
from caw_toolkit.cli.options import Decorator, NamedPath, clipping_option, force_option, keep_for_audio, output_beside

if TYPE_CHECKING:
    from caw_toolkit.arrays import FloatArray
    from caw_toolkit.audio.clip import AudioClip
    from caw_toolkit.audio.formats import BitDepth, FileFormat
    from caw_toolkit.audio.source_format import SourceFormat
    from caw_toolkit.audio.writing import Clipping, Embed, WrittenAudio

__all__ = ["Results", "result_options", "stored_sample_rate"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Results:
    """How the results of a command are written.

    Attributes:
        bit_depth: of `write_audio`; None is the source's.
        clipping: of `write_audio`.
        keep_metadata: whether what the source says beside its audio goes to the result.
        log: file that gains a record of each result; None keeps none.
        force: whether files that exist may be replaced.
        quiet: whether only warnings are shown.
        file_format: of `write_audio`; None is that of the suffix.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> results = Results(None, "scale", keep_metadata=True, log=None, force=False, quiet=True)
        >>> results.beside(Path("song.mp3"), "louder", sample_rate=96000).name  # a rate that MP3 does not have
        'song.louder.wav'
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     results.write(Path(folder, "loud.wav"), np.full((1, 8000), 2.0), 8000).changes
        ', turned down by 6.0 dB to fit'
    """

    bit_depth: BitDepth | None
    clipping: Clipping
    keep_metadata: bool
    log: Path | None
    force: bool
    quiet: bool
    file_format: FileFormat | None = None

    @property
    def suffix(self) -> str | None:
        """Of files that are named here, if a format is asked for."""
        return f".{self.file_format}" if self.file_format else None

    def beside(self, source: Path, label: str, *, take: int | None = None, sample_rate: int | None = None) -> Path:
        """Where the result for a file goes by default (`output_beside`), in the format of that file if it can be.

        If another format is asked for, it is in that.

        Args:
            source: the input file.
            label: what was done to it.
            take: number of the take, if there are several.
            sample_rate: of the result in Hz, if it is known; MP3 has not all.
        """
        return output_beside(source, label, take=take, suffix=self.suffix_for(source, sample_rate))

    def suffix_for(self, source: Path, sample_rate: int | None = None) -> str:
        """Of the result for a file; arguments as for `beside`."""
        return self.suffix or result_suffix(source, sample_rate)

    def expect(self, targets: Sequence[Path], *, inputs: Iterable[Path | None], sample_rate: int | None = None) -> None:
        """Check now what would fail after the work, and keep standard output clean if audio goes there.

        Args:
            targets: all files that are to be written.
            inputs: all that are read; None stands for nothing.
            sample_rate: of the results in Hz, where it is known.

        Raises:
            CawUsageError: as `check_output`; or two of the files are one.
        """
        from caw_toolkit.audio.outputs import refuse_collisions

        keep_for_audio(*targets)
        logs = [] if self.log is None else [self.log]
        refuse_collisions([*targets, *logs], [path for path in inputs if path is not None])
        for target in targets:
            self.check(target, sample_rate=sample_rate)

    def check(self, target: Path, *, sample_rate: int | None = None) -> None:
        """Raise now what `write` would raise after the work, as `check_output` does."""
        from caw_toolkit.audio.outputs import check_output

        depth = self.bit_depth or "8"  # which every format has
        check_output(target, self.force, bit_depth=depth, sample_rate=sample_rate, file_format=self.file_format)

    def depth(self, target: Path, source: SourceFormat | None) -> BitDepth:
        """Of a result: what was asked for, else the source's, else 24 bits."""
        return self.bit_depth or ("24" if source is None else source.bit_depth(target, self.file_format))

    def write(
        self,
        target: Path,
        audio: FloatArray,
        sample_rate: int,
        *,
        of: AudioClip | None = None,
        read: Sequence[Path] = (),
        model: Path | None = None,
        note: str = "",
        found: Mapping[str, Any] | None = None,
        generated: Sequence[tuple[int, ...]] | None = None,
    ) -> WrittenAudio:
        """Write a result, say so, and record it.

        Args:
            target: a file, or `-`.
            audio: `(channels, samples)`. Samples that are still those of the source keep all its bits.
            sample_rate: Hz.
            of: what it was made of.
            read: the files that were read.
            model: the file of the model that was used.
            note: for the line that says so, after the name.
            found: what the log is to say that was found or done; anything that JSON can hold.
            generated: ranges of samples outside of which nothing was changed; with the channel, where it is one.
        """
        if of is not None and sample_rate == of.sample_rate:
            audio = _exactly(of, audio)
        return self.write_blocks(
            target,
            [audio],
            sample_rate,
            channels=len(audio),
            source=None if of is None else of.source,
            source_rate=None if of is None else of.sample_rate,
            read=read,
            model=model,
            note=note,
            found=found,
            generated=generated,
        )

    def write_blocks(
        self,
        target: Path,
        blocks: Iterable[FloatArray],
        sample_rate: int,
        *,
        channels: int,
        source: SourceFormat | None = None,
        source_rate: int | None = None,
        read: Sequence[Path] = (),
        model: Path | None = None,
        note: str | Callable[[], str] = "",
        found: Mapping[str, Any] | Callable[[], Mapping[str, Any]] | None = None,
        generated: Sequence[tuple[int, ...]] | None = None,
    ) -> WrittenAudio:
        """Write a result that is made block by block, say so, and record it.

        Args:
            target: a file, or `-`.
            blocks: `(channels, samples)` each; samples that are to keep all bits of a source have to have them.
            sample_rate: Hz.
            channels: of the blocks.
            source: how that was stored which it is made of.
            source_rate: of that in Hz; None is that of the result.
            read: as for `write`.
            model: as for `write`.
            note: as for `write`, or what returns it when all blocks are made.
            found: as for `write`, or what returns it then.
            generated: as for `write`.
        """
        from caw_toolkit.audio.blocks import write_audio_blocks

        depth = self.depth(target, source)
        if source is not None and not self.quiet and source.is_spoiled_by_suffix(target, read):
            say(f"{target} is lossy as its name says, and its source is a {source.container} whatever its name says")
        written = write_audio_blocks(
            target,
            blocks,
            sample_rate,
            channels=channels,
            bit_depth=depth,
            clipping=self.clipping,
            overwrite=self.force,
            metadata=self._embedding(target, source, sample_rate / (source_rate or sample_rate), channels),
            file_format=self.file_format,
        )
        details = {"bit_depth": depth, "sample_rate": sample_rate, "samples": written.samples}
        if callable(note):
            note = note()
        if callable(found):
            found = found()
        self._finish(target, written, details, read=read, model=model, note=note, found=found, generated=generated)
        return written

    def require_room(self, target: Path, *, samples: float, channels: int) -> None:
        """Raise now where a result would not fit onto the disk.

        Args:
            target: a file, or `-`.
            samples: of each channel.
            channels: of the result.

        Raises:
            CawError: it would not.
        """
        from caw_toolkit.audio.outputs import require_room

        require_room(target, 8 * samples * channels)  # float32 samples beside the file, which is no larger

    def _finish(
        self, target: Path, written: WrittenAudio, details: Mapping[str, Any], *, note: str = "", **record: Any
    ) -> None:
        """Say what was written and what of it could not be kept, and record it."""
        if not self.quiet and str(target) != "-":
            say(f"wrote {written.path}{note}{written.changes}")
        elif written.changes:
            logger.warning("%s%s", target, written.changes)
        if written.lost_metadata:
            lost = ", ".join(dict.fromkeys(written.lost_metadata))
            logger.warning("%s cannot hold what its source says beside the audio: %s", target, lost)
        if self.log is not None:
            from caw_toolkit.cli.run_log import append_record

            append_record(self.log, written, details, **record)

    def _embedding(self, target: Path, source: SourceFormat | None, ratio: float, channels: int) -> Embed | None:
        """What puts into a result what its source says beside its audio; what the result lacks of it is said."""
        depth = self.depth(target, source)
        if source is not None and source.has_more_bits(depth) and not (self.bit_depth or self.quiet):
            say(f"{target} holds {depth} bits of a sample, and its source has more")
        if source is None or not self.keep_metadata:
            return None
        if source.metadata.damaged:
            logger.warning("%s lacks what is damaged in its source: %s", target, ", ".join(source.metadata.damaged))
        from caw_toolkit.cli.run_log import coding_history

        history = coding_history(depth, channels)
        return functools.partial(source.metadata.embed, ratio=ratio, coding_history=history)


def _log_or_new(context: click.Context, _parameter: click.Parameter, log: Path | None) -> Path | None:
    if log is not None and not context.resilient_parsing:
        from caw_toolkit.cli.run_log import require_log

        require_log(log)
    return log


def result_options(*, what: str, clipping: Clipping = "clip") -> Decorator:
    """`--format`, `--bit-depth`, `--clipping`, `--no-metadata`, `--log` and `--force`, together as `results`.

    Args:
        what: what would be turned down, for the help.
        clipping: what is done by default where it exceeds full scale.

    Example:
        >>> @click.command()
        ... @result_options(what="take")
        ... def shout(results):
        ...     print(results.bit_depth, results.clipping, results.force)
        >>> shout(["--bit-depth", "16", "--force"], standalone_mode=False)
        16 clip True
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(
            *arguments: Any,
            file_format: FileFormat | None,
            bit_depth: BitDepth | None,
            clipping: Clipping,
            keep_metadata: bool,
            log: Path | None,
            force: bool,
            **options: Any,
        ) -> Any:
            quiet = bool(options.get("quiet"))
            results = Results(bit_depth, clipping, keep_metadata, log, force, quiet, file_format)
            return function(*arguments, results=results, **options)

        options: list[Decorator] = [
            click.option(
                "--format",
                "file_format",
                type=click.Choice(FILE_FORMATS),
                help="Of the file; default: that of its suffix, and WAV on standard output.",
            ),
            click.option(
                "--bit-depth", type=click.Choice(BIT_DEPTHS), help="Of the file; default: the source's, else 24."
            ),
            clipping_option(what, default=clipping),
            click.option(
                "--metadata/--no-metadata",
                "keep_metadata",
                default=True,
                show_default=True,
                help="Whether tags, pictures and the chunks of WAV files go to the result.",
            ),
            click.option(
                "--log",
                type=NamedPath(dir_okay=False, writable=True, path_type=Path),
                metavar="FILE",
                callback=_log_or_new,
                help="Add a record of what was done, as a line of JSON, that caw verify can check.",
            ),
            force_option,
        ]
        for option in reversed(options):
            run = option(run)
        return run

    return decorate  # type: ignore[return-value]


def _exactly(source: AudioClip, audio: FloatArray) -> FloatArray:
    """Audio in which samples that are still the source's have all the bits that they have there."""
    import numpy as np

    if source.exact is None or audio.shape != source.samples.shape:
        return audio
    return np.where(audio == source.samples, source.exact, audio)


def stored_sample_rate(model_path: Path) -> int:
    """The rate in Hz of what a model file makes, read from its header: in time for checks before it is loaded.

    Args:
        model_path: of the file.

    Raises:
        CawError: as `PyramidModel.load`.

    Example:
        >>> import tempfile
        >>> from caw_toolkit import PyramidModel
        >>> from caw_toolkit.generators.dilated import DilatedGenerator
        >>> from caw_toolkit.pyramid.scale import Scale
        >>> untrained = Scale(500, DilatedGenerator(hidden_channels=4, blocks=3).eval(), noise_std=1.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "model.pt")
        ...     PyramidModel([untrained], channels=1, peak=0.5, upsampling="keys").save(path)
        ...     stored_sample_rate(path)
        500
    """
    from caw_toolkit.pyramid.model_file import read_header

    rate: int = read_header(model_path)["sample_rate"]
    return rate
