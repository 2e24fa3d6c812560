"""Long audio files in and out, block by block: memory does not grow with their length.

The checks and the policies are those of `read_audio` and `write_audio`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from caw_toolkit.arrays import Array, FloatArray
from caw_toolkit.atomic_write import atomic_file
from caw_toolkit.audio.decoding import OpenFile, opened
from caw_toolkit.audio.formats import BitDepth, FileFormat, format_of, is_floating
from caw_toolkit.audio.outputs import check_output
from caw_toolkit.audio.source_format import SourceFormat
from caw_toolkit.audio.spool import SampleSpool
from caw_toolkit.audio.writing import (
    MOST_CHANNELS,
    Clipping,
    Embed,
    WrittenAudio,
    encode,
    gain_to_fit,
    require_clipping,
)
from caw_toolkit.errors import CawError
from caw_toolkit.standard_output import binary_output

__all__ = ["AudioBlocks", "open_audio", "write_audio_blocks"]


@dataclass(frozen=True)
class AudioBlocks:
    """An audio file that is being read.

    Attributes:
        name: for messages.
        channels: 1 or 2.
        sample_rate: Hz.
        source: how it is stored.

    Example:
        >>> from caw_toolkit import write_audio
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_audio(Path(folder, "tone.wav"), np.full((1, 8000), 0.5), 8000).path
        ...     with open_audio(path) as audio:
        ...         [sum(block.shape[1] for block in audio) for _ in range(2)]  # twice from the beginning
        [8000, 8000]
    """

    name: str
    channels: int
    sample_rate: int
    source: SourceFormat
    _recording: OpenFile

    @property
    def samples(self) -> int | None:
        """Of each channel; None if the file does not say."""
        return self._recording.samples

    def __iter__(self) -> Iterator[Array]:
        """The audio in blocks `(channels, samples)`, from the beginning each time.

        Raises:
            CawError: the file is damaged or truncated, or has NaN or infinite samples.
        """
        return self._recording.blocks()

    def exact_blocks(self) -> Iterator[FloatArray]:
        """The same with all bits of the file: float64 if its samples have more than float32 holds.

        .. versionadded:: 0.2
        """
        return self._recording.blocks(is_deep=self.source.is_deep)


@contextmanager
def open_audio(source: str | Path) -> Iterator[AudioBlocks]:
    """Open a file to read it block by block.

    Args:
        source: as for `read_audio`; standard input (`-`) is read to its end first.

    Raises:
        CawUsageError: there is no such file.
        CawError: it is not audio that the toolkit works with.

    Example:
        >>> from caw_toolkit import write_audio
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_audio(Path(folder, "tone.wav"), np.full((2, 8000), 0.5), 44100).path
        ...     with open_audio(path) as audio:
        ...         audio.channels, audio.sample_rate, max(float(block.max()) for block in audio)
        (2, 44100, 0.5)
    """
    with opened(source) as recording:
        yield AudioBlocks(recording.name, recording.channels, recording.sample_rate, recording.source, recording)


def write_audio_blocks(
    target: str | Path,
    blocks: Iterable[FloatArray],
    sample_rate: int,
    *,
    channels: int,
    bit_depth: BitDepth = "24",
    clipping: Clipping = "scale",
    overwrite: bool = False,
    metadata: Embed | None = None,
    file_format: FileFormat | None = None,
) -> WrittenAudio:
    """Write a file from blocks, completely or not at all: `write_audio` for audio of any length.

    The blocks are kept in a temporary file until the peak of all of them is known.

    Args:
        target: as for `write_audio`.
        blocks: `(channels, samples)` each, of any length and one precision.
        sample_rate: Hz.
        channels: of every block.
        bit_depth: as for `write_audio`.
        clipping: as for `write_audio`.
        overwrite: as for `write_audio`.
        metadata: as for `write_audio`.
        file_format: as for `write_audio`.

    Raises:
        CawUsageError: as for `write_audio`.
        CawError: as for `write_audio`.
        ValueError: there are more than two channels, or none.

    Example:
        >>> quiet, loud = np.full((1, 8000), 0.5), np.full((1, 8000), 2.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = write_audio_blocks(Path(folder, "long.wav"), [quiet, loud], 8000, channels=1)
        >>> written.samples, round(written.gain, 2)  # all of it is turned down, that the loudest block fits
        (16000, 0.5)
    """
    check_output(target, overwrite, bit_depth=bit_depth, sample_rate=sample_rate, file_format=file_format)
    require_clipping(clipping)
    if not 1 <= channels <= MOST_CHANNELS:
        raise ValueError(f"expected 1 or 2 channels, got {channels}")
    path = Path(target)
    with SampleSpool(channels, path) as spool:
        peak, over = 0.0, 0
        for block in blocks:
            if not np.isfinite(block).all():
                raise CawError(f"not writing {target}: the audio has NaN or infinite samples")
            magnitudes = np.abs(block)
            peak = max(peak, float(np.max(magnitudes, initial=0.0)))
            over += int(np.sum(magnitudes > 1.0))
            spool.append(block)
        gain = gain_to_fit(target, peak, bit_depth=bit_depth, clipping=clipping)
        again = (block if gain == 1 else block * gain for block in spool.blocks())
        lost: Sequence[str] = ()

        def encode_to(stream: BinaryIO) -> None:
            nonlocal lost
            shape, wanted = (channels, spool.samples), format_of(target, file_format)
            format_name = encode(stream, again, wanted, shape=shape, sample_rate=sample_rate, bit_depth=bit_depth)
            lost = metadata(stream, format_name) if metadata else ()

        if str(target) == "-":
            with tempfile.TemporaryFile() as encoded:
                encode_to(encoded)
                encoded.seek(0)
                shutil.copyfileobj(encoded, binary_output())
                binary_output().flush()
        else:
            with atomic_file(path, replace=overwrite) as file:
                encode_to(file.stream)
            path = file.path
    clipped = over if clipping == "clip" and not is_floating(bit_depth) else 0
    return WrittenAudio(path, gain, clipped, tuple(lost), spool.samples)
