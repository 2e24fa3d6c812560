"""Writing audio files: formats, bit depths, a stated clipping policy, never half a file."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import FloatArray
from caw_toolkit.atomic_write import write_atomically
from caw_toolkit.audio.container_chunks import state_samples
from caw_toolkit.audio.formats import LOSSY, BitDepth, FileFormat, format_of, is_floating, subtype_of
from caw_toolkit.audio.outputs import check_output
from caw_toolkit.errors import CawError, CawUsageError, did_you_mean
from caw_toolkit.interrupts import held_interrupts
from caw_toolkit.standard_output import binary_output

__all__ = ["as_stored"]

#: Writes metadata into a file of a format, given as libsndfile calls it, and returns what the format cannot hold.
Embed = Callable[[BinaryIO, str], Sequence[str]]
#: What `write_audio` does where audio exceeds full scale.
Clipping = Literal["scale", "clip", "error"]

MOST_CHANNELS = 2
BLOCK_SAMPLES = 1 << 16  # libsndfile's Vorbis encoder overflows its stack on very long single writes


@dataclass(frozen=True)
class WrittenAudio:
    """What `write_audio` did.

    Attributes:
        path: where the audio went; `-` is standard output.
        gain: the factor applied to every sample: 1.0 unless the audio had to be scaled down.
        clipped_samples: how many samples were cut to full scale (`clipping="clip"` only).
        lost_metadata: names of metadata that the format cannot hold.
        samples: how many were written, per channel.
    """

    path: Path
    gain: float
    clipped_samples: int
    lost_metadata: tuple[str, ...] = ()
    samples: int = 0

    @property
    def changes(self) -> str:
        """What was changed to fit the format, to be added to a line; empty if nothing was.

        >>> WrittenAudio(Path("loud.wav"), gain=0.5, clipped_samples=0).changes
        ', turned down by 6.0 dB to fit'
        """
        if self.gain < 1:
            return f", turned down by {-20 * math.log10(self.gain):.1f} dB to fit"
        return f", {self.clipped_samples} samples clipped" if self.clipped_samples else ""


def write_audio(
    target: str | Path,
    samples: FloatArray,
    sample_rate: int,
    *,
    bit_depth: BitDepth = "24",
    clipping: Clipping = "scale",
    overwrite: bool = False,
    metadata: Embed | None = None,
    file_format: FileFormat | None = None,
) -> WrittenAudio:
    """Write a file, completely or not at all.

    The bytes go to a temporary file beside the target, which then takes its place. Missing folders are created.

    Full scale is 1.0. Audio that exceeds it fits into every format except floating-point WAV only after a change, and
    `clipping` says which. Floating-point WAV is written as it is.

    Args:
        target: a path whose suffix chooses the format: `.wav`, `.flac`, `.ogg` (Vorbis), `.mp3`, `.aiff`, `.caf` or
            `.w64`. `-` is standard output, which gets a WAV.
        samples: `(channels, samples)` or `(samples,)`, one or two channels.
        sample_rate: Hz.
        bit_depth: `8`, `16`, `24`, `32`, `float` or `double`; FLAC has no more than 24 bits. OGG and MP3 have no bit
            depth: it makes no difference.
        clipping: `scale` turns the whole down until its peak is full scale, `clip` cuts what exceeds it, `error`
            raises.
        overwrite: whether an existing file may be replaced. Without, a file that appears meanwhile stays, and the
            audio goes beside it.
        metadata: writes what else the file is to hold, as `Metadata.embed` does, and returns what it cannot hold.
        file_format: `wav`, `flac`, `ogg`, `mp3`, `aiff`, `caf` or `w64`, for standard output or a file without such a
            suffix. None is the format of the suffix.

    Returns:
        Where it went, the gain applied, the number of samples cut and the metadata lost.

    Raises:
        CawUsageError: As for `check_output`, or an unknown `clipping`.
        CawError: The audio is not finite, exceeds full scale with `clipping="error"`, or could not be written (no
            space, no permission).
        ValueError: The samples have another shape.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = write_audio(Path(folder, "loud.wav"), np.full((1, 8000), 2.0), 8000)
        >>> written.gain, written.clipped_samples
        (0.5, 0)
    """
    check_output(target, overwrite, bit_depth=bit_depth, sample_rate=sample_rate, file_format=file_format)
    require_clipping(clipping)
    samples = np.atleast_2d(samples)
    if samples.ndim != 2 or not 1 <= samples.shape[0] <= MOST_CHANNELS:
        raise ValueError(f"expected (channels, samples) with 1 or 2 channels, got {samples.shape}")
    if not np.isfinite(samples).all():
        raise CawError(f"not writing {target}: the audio has NaN or infinite samples")
    peak = float(np.max(np.abs(samples), initial=0.0))
    gain = gain_to_fit(target, peak, bit_depth=bit_depth, clipping=clipping)
    clips = clipping == "clip" and not is_floating(bit_depth)
    clipped_samples = int(np.sum(np.abs(samples) > 1.0)) if clips else 0
    path = Path(target)
    buffer = io.BytesIO()
    blocks = (block if gain == 1 else block * gain for block in in_blocks(samples))
    format_name = encode(
        buffer,
        blocks,
        format_of(target, file_format),
        shape=samples.shape,
        sample_rate=sample_rate,
        bit_depth=bit_depth,
    )
    lost = tuple(metadata(buffer, format_name)) if metadata else ()
    if str(target) == "-":
        binary_output().write(buffer.getbuffer())
        binary_output().flush()
    else:
        path = write_atomically(path, buffer.getbuffer(), replace=overwrite)
    return WrittenAudio(path, gain, clipped_samples, lost, samples.shape[1])


def require_clipping(clipping: str) -> None:
    """Check the name of what is done with audio that exceeds full scale.

    Raises:
        CawUsageError: it is unknown.
    """
    if clipping not in ("scale", "clip", "error"):
        raise CawUsageError(f"unknown clipping {clipping!r}: {did_you_mean(clipping, ('scale', 'clip', 'error'))}")


def gain_to_fit(target: str | Path, peak: float, *, bit_depth: BitDepth, clipping: Clipping) -> float:
    """The factor with which audio of a peak is written.

    Raises:
        CawError: the peak exceeds full scale, and `clipping` is `error`.
    """
    if is_floating(bit_depth) or peak <= 1.0 or clipping == "clip":
        return 1.0
    if clipping == "error":
        raise CawError(f"not writing {target}: the peak is {20 * math.log10(peak):.1f} dB above full scale")
    return 1.0 / peak


def encode(
    stream: BinaryIO,
    blocks: Iterable[FloatArray],
    format_name: str,
    *,
    shape: tuple[int, ...],
    sample_rate: int,
    bit_depth: BitDepth,
) -> str:
    """Write the bytes of a file.

    Args:
        stream: where to; seekable.
        blocks: `(channels, samples)`, of `BLOCK_SAMPLES` at most.
        format_name: what libsndfile calls the format.
        shape: `(channels, samples)` of all blocks together.
        sample_rate: Hz.
        bit_depth: as for `write_audio`.

    Returns:
        The format that it has: a WAV that is too large is an RF64.

    Raises:
        CawError: libsndfile refuses the format at this rate.
    """
    import soundfile

    subtype = None if format_name in LOSSY else subtype_of(format_name, bit_depth)
    bytes_a_sample = 8 if bit_depth == "double" else 4
    if format_name == "WAV" and math.prod(shape) * bytes_a_sample > 2**32 - 4096:
        format_name = "RF64"  # the sizes in a WAV header have 32 bits
    written = _Written(stream)
    try:
        with held_interrupts():
            encoder = soundfile.SoundFile(
                written, "w", sample_rate, channels=shape[0], format=format_name, subtype=subtype
            )
        try:
            for block in blocks:
                steps = _steps(block, format_name, bit_depth).T
                with held_interrupts():
                    encoder.write(steps)
                written.check()
        finally:
            with held_interrupts():
                encoder.close()
    except soundfile.LibsndfileError as error:
        written.check()
        raise CawError(f"cannot encode {format_name} at {sample_rate} Hz ({libsndfile_reason(error)})") from error
    except AssertionError:  # soundfile's own, where libsndfile took fewer samples than it was given
        written.check()
        raise
    written.check()
    if format_name == "AIFF" and bit_depth == "8" and math.prod(shape) % 2:
        state_samples(stream, shape[1], shape[0])
    return format_name


class _Written:
    """A stream that libsndfile writes to: no exception gets through its C code, so that errors are kept here.

    Args:
        stream: seekable.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._failure: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write what can be written; the length of it."""
        try:
            return self._stream.write(data)
        except OSError as error:
            self._failure = self._failure or error
            return 0

    def read(self, size: int = -1) -> bytes:
        """As the stream."""
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """As the stream; its buffer may have to be written first."""
        try:
            return self._stream.seek(offset, whence)
        except OSError as error:
            self._failure = self._failure or error
            return self._stream.tell()

    def tell(self) -> int:
        """As the stream."""
        return self._stream.tell()

    def check(self) -> None:
        """Raise what has failed.

        Raises:
            OSError: something could not be written.
        """
        if self._failure is not None:
            raise self._failure


def encode_wav(stream: BinaryIO, samples: FloatArray, sample_rate: int) -> None:
    """Write the bytes of a 16 bit WAV; what exceeds full scale is clipped.

    Args:
        stream: where to; seekable.
        samples: `(channels, samples)`.
        sample_rate: Hz.
    """
    encode(stream, in_blocks(samples), "WAV", shape=samples.shape, sample_rate=sample_rate, bit_depth="16")


def in_blocks(samples: FloatArray) -> Iterator[FloatArray]:
    """A signal `(channels, samples)` in blocks of `BLOCK_SAMPLES`."""
    return (samples[:, start : start + BLOCK_SAMPLES] for start in range(0, samples.shape[1], BLOCK_SAMPLES))


def _steps(samples: FloatArray, format_name: str, bit_depth: BitDepth) -> npt.NDArray[Any]:
    """What libsndfile is given: it truncates where it should round, so that integers are made here."""
    if is_floating(bit_depth):
        return np.asarray(samples, dtype=np.float64 if bit_depth == "double" else np.float32)
    if format_name in LOSSY:
        return np.clip(samples, -1, 1).astype(np.float32)
    bits = int(bit_depth)
    scale = 2 ** (bits - 1)
    steps = np.clip(np.rint(np.multiply(samples, scale, dtype=np.float64)), -scale, scale - 1)
    upper: npt.NDArray[np.int32] = steps.astype(np.int32) << (32 - bits)  # libsndfile takes the upper bits
    return upper


def as_stored(samples: FloatArray, bit_depth: BitDepth) -> npt.NDArray[np.float64]:
    """Samples as they are read back from a file without loss.

    >>> as_stored(np.array([[0.3, 2.0]]), "8")
    array([[0.296875 , 0.9921875]])
    """
    if bit_depth == "double":
        return np.asarray(samples, np.float64)
    if bit_depth == "float":
        return np.asarray(samples, np.float32).astype(np.float64)
    return _steps(samples, "WAV", bit_depth) / 2.0**31


def libsndfile_reason(error: Any) -> str:
    """What a `soundfile.LibsndfileError` says, without the path and the punctuation."""
    return str(error.error_string).removeprefix("Error : ").rstrip(".")
