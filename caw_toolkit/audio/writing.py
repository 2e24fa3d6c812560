"""Writing audio files: formats, bit depths, a stated clipping policy, never half a file."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt

from caw_toolkit.arrays import FloatArray
from caw_toolkit.atomic_write import write_atomically
from caw_toolkit.errors import CawError, CawUsageError, did_you_mean
from caw_toolkit.standard_output import binary_output

#: Bits of a sample in a file.
BitDepth = Literal["16", "24", "float"]
#: What `write_audio` does where audio exceeds full scale.
Clipping = Literal["scale", "clip", "error"]

MOST_CHANNELS = 2
BLOCK_SAMPLES = 1 << 16  # libsndfile's Vorbis encoder overflows its stack on very long single writes

_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3"}
_LOSSY = ("OGG", "MP3")
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True)
class WrittenAudio:
    """What `write_audio` did.

    Attributes:
        path: Where the audio went; `-` is standard output.
        gain: The factor applied to every sample: 1.0 unless the audio had to be scaled down.
        clipped_samples: How many samples were cut to full scale (`clipping="clip"` only).
    """

    path: Path
    gain: float
    clipped_samples: int

    @property
    def changes(self) -> str:
        """What was changed to fit the format, to be added to a line; empty if nothing was.

        >>> WrittenAudio(Path("loud.wav"), gain=0.5, clipped_samples=0).changes
        ', turned down by 6.0 dB to fit'
        """
        if self.gain < 1:
            return f", turned down by {-20 * math.log10(self.gain):.1f} dB to fit"
        return f", {self.clipped_samples} samples clipped" if self.clipped_samples else ""


def check_output(
    target: str | Path, overwrite: bool = False, *, bit_depth: BitDepth = "24", sample_rate: int | None = None
) -> None:
    """Raise now what `write_audio` would raise after hours of work. Creates nothing.

    Args:
        target: The output file, or `-`.
        overwrite: Whether an existing file may be replaced.
        bit_depth: As for `write_audio`.
        sample_rate: The rate in Hz to be written, where it is known.

    Raises:
        CawUsageError: An unknown suffix, a bit depth or sample rate that the format cannot hold, an existing file
            without `overwrite`, a directory, or standard output that is a terminal.
        CawError: The folder cannot be written to.

    Example:
        >>> check_output("take.wav", bit_depth="float")
        >>> check_output("take.flac", bit_depth="float")
        Traceback (most recent call last):
        caw_toolkit.errors.CawUsageError: FLAC files hold no floating-point samples: write take.wav
    """
    if bit_depth not in ("16", "24", "float"):
        raise CawUsageError(f"unknown bit depth {bit_depth!r}: {did_you_mean(str(bit_depth), ('16', '24', 'float'))}")
    if str(target) == "-":
        if binary_output().isatty():
            raise CawUsageError("standard output is a terminal: give an output file, or redirect it")
        return
    target = Path(target)
    if os.path.isdir(target):
        raise CawUsageError(f"{target} is a directory: give a file name")
    format_name = _FORMATS.get(target.suffix.lower())
    if format_name is None:
        known = ", ".join(_FORMATS)
        raise CawUsageError(
            f"cannot tell the format of {target} from {target.suffix or 'no suffix'!r}: use one of {known}"
        )
    if bit_depth == "float" and format_name != "WAV":
        raise CawUsageError(f"{format_name} files hold no floating-point samples: write {target.with_suffix('.wav')}")
    if format_name == "MP3" and sample_rate is not None and sample_rate not in _MP3_RATES:
        raise CawUsageError(f"MP3 does not know a sample rate of {sample_rate} Hz: write {target.with_suffix('.wav')}")
    if os.path.exists(target) and not overwrite:
        raise CawUsageError(f"{target} exists; add --force to replace it (overwrite=True in Python)")
    folder = next(parent for parent in target.absolute().parents if os.path.exists(parent))
    if not os.path.isdir(folder):
        raise CawError(f"cannot write {target}: {folder} is not a directory")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CawError(f"cannot write {target}: no permission to write in {folder}")


def write_audio(
    target: str | Path,
    samples: FloatArray,
    sample_rate: int,
    *,
    bit_depth: BitDepth = "24",
    clipping: Clipping = "scale",
    overwrite: bool = False,
) -> WrittenAudio:
    """Write a file, completely or not at all.

    The bytes go to a temporary file beside the target, which then takes its place. Missing folders are created.

    Full scale is 1.0. Audio that exceeds it fits into every format except floating-point WAV only after a change, and
    `clipping` says which. Floating-point WAV is written as it is.

    Args:
        target: A path whose suffix chooses the format: `.wav`, `.flac`, `.ogg` (Vorbis) or `.mp3`. `-` writes a WAV to
            standard output.
        samples: `(channels, samples)` or `(samples,)`, one or two channels.
        sample_rate: In Hz.
        bit_depth: `16`, `24` or `float` (WAV only). OGG and MP3 have no bit depth: 16 and 24 make no difference.
        clipping: `scale` turns the whole down until its peak is full scale, `clip` cuts what exceeds it, `error`
            raises.
        overwrite: Whether an existing file may be replaced.

    Returns:
        The path, the gain applied and the number of samples cut.

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
    check_output(target, overwrite, bit_depth=bit_depth, sample_rate=sample_rate)
    if clipping not in ("scale", "clip", "error"):
        raise CawUsageError(f"unknown clipping {clipping!r}: {did_you_mean(clipping, ('scale', 'clip', 'error'))}")
    samples = np.atleast_2d(samples)
    if samples.ndim != 2 or not 1 <= samples.shape[0] <= MOST_CHANNELS:
        raise ValueError(f"expected (channels, samples) with 1 or 2 channels, got {samples.shape}")
    if not np.isfinite(samples).all():
        raise CawError(f"not writing {target}: the audio has NaN or infinite samples")
    peak = float(np.max(np.abs(samples), initial=0.0))
    gain = gain_to_fit(target, peak, bit_depth=bit_depth, clipping=clipping)
    clipped_samples = int(np.sum(np.abs(samples) > 1.0)) if bit_depth != "float" and clipping == "clip" else 0
    path = Path(target)
    buffer = io.BytesIO()
    blocks = (block * gain for block in _blocks(samples))
    encode(buffer, blocks, path, shape=samples.shape, sample_rate=sample_rate, bit_depth=bit_depth)
    if str(target) == "-":
        binary_output().write(buffer.getbuffer())
        binary_output().flush()
    else:
        write_atomically(path, buffer.getbuffer())
    return WrittenAudio(path, gain, clipped_samples)


def gain_to_fit(target: str | Path, peak: float, *, bit_depth: BitDepth, clipping: Clipping) -> float:
    """The factor with which audio of a peak is written.

    Raises:
        CawError: the peak exceeds full scale, and `clipping` is `error`.
    """
    if bit_depth == "float" or peak <= 1.0 or clipping == "clip":
        return 1.0
    if clipping == "error":
        raise CawError(f"not writing {target}: the peak is {20 * math.log10(peak):.1f} dB above full scale")
    return 1.0 / peak


def encode(
    stream: BinaryIO,
    blocks: Iterable[FloatArray],
    path: Path,
    *,
    shape: tuple[int, ...],
    sample_rate: int,
    bit_depth: BitDepth,
) -> None:
    """Write the bytes of a file.

    Args:
        stream: where to; seekable.
        blocks: `(channels, samples)`, of `BLOCK_SAMPLES` at most.
        path: its suffix chooses the format; WAV if it has none.
        shape: `(channels, samples)` of all blocks together.
        sample_rate: In Hz.
        bit_depth: As for `write_audio`.

    Raises:
        CawError: libsndfile refuses the format at this rate.
    """
    import soundfile

    format_name = _FORMATS.get(path.suffix.lower(), "WAV")
    subtype = "FLOAT" if bit_depth == "float" else None if format_name in _LOSSY else f"PCM_{bit_depth}"
    if format_name == "WAV" and math.prod(shape) * 4 > 2**32 - 4096:
        format_name = "RF64"  # the sizes in a WAV header have 32 bits
    try:
        with soundfile.SoundFile(
            stream, "w", sample_rate, channels=shape[0], format=format_name, subtype=subtype
        ) as encoder:
            for block in blocks:
                encoder.write(_steps(block, format_name, bit_depth).T)
    except soundfile.LibsndfileError as error:
        raise CawError(f"cannot encode {format_name} at {sample_rate} Hz ({libsndfile_reason(error)})") from error


def encode_wav(stream: BinaryIO, samples: FloatArray, sample_rate: int) -> None:
    """Write the bytes of a 16 bit WAV; what exceeds full scale is clipped.

    Args:
        stream: where to; seekable.
        samples: `(channels, samples)`.
        sample_rate: In Hz.
    """
    encode(stream, _blocks(samples), Path("-"), shape=samples.shape, sample_rate=sample_rate, bit_depth="16")


def _blocks(samples: FloatArray) -> Iterator[FloatArray]:
    """A signal `(channels, samples)` in blocks of `BLOCK_SAMPLES`."""
    return (samples[:, start : start + BLOCK_SAMPLES] for start in range(0, samples.shape[1], BLOCK_SAMPLES))


def _steps(samples: FloatArray, format_name: str, bit_depth: BitDepth) -> npt.NDArray[Any]:
    """What libsndfile is given: it truncates where it should round, so that integers are made here."""
    if bit_depth == "float":
        return np.asarray(samples, dtype=np.float32)
    if format_name in _LOSSY:
        return np.clip(samples, -1, 1).astype(np.float32)
    bits = int(bit_depth)
    scale = 2 ** (bits - 1)
    steps = np.clip(np.rint(np.multiply(samples, scale, dtype=np.float64)), -scale, scale - 1)
    upper: npt.NDArray[np.int32] = steps.astype(np.int32) << (32 - bits)  # libsndfile takes the upper bits
    return upper


def libsndfile_reason(error: Any) -> str:
    """What a `soundfile.LibsndfileError` says, without the path and the punctuation."""
    return str(error.error_string).removeprefix("Error : ").rstrip(".")
