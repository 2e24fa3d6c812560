"""What a model does with given audio (paper, sections 4.2 to 4.4), as its users call it; `editing` does it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from caw_toolkit.arrays import Array, Gap
from caw_toolkit.pyramid.editing import Editor


class EditingMethods(ABC):
    """The part of `PyramidModel` that takes audio."""

    @property
    @abstractmethod
    def _editor(self) -> Editor:
        """What edits with the scales of the model."""

    def inject(
        self,
        audio: Array,
        sample_rate: int,
        *,
        at_rate: int | None = None,
        content_hz: float | None = None,
        seed: int = 0,
        first_second: int = 0,
    ) -> Array:
        """Enter the pyramid at a scale with a given signal in place of the coarser scales' output (section 4.2, 4.3).

        Args:
            audio: `(channels, samples)`; its content below half the rate of the scale under `at_rate` is kept.
            sample_rate: of `audio`, Hz.
            at_rate: rate of the scale that receives the signal; default: the second-coarsest scale.
            content_hz: frequency in Hz that the audio reaches, where only what is above it is wanted. A scale that can
                goes by all of that, and brings what it makes to the levels that the recording would have there.
            seed: of the noise.
            first_second: where `audio` begins on the time line of the noise.

        Returns:
            `(channels, samples)` float32 at the model's sample rate, as long as `audio`.

        Raises:
            CawUsageError: if the model has a single scale, or none above the coarsest of rate `at_rate`.
            CawError: if `audio` is not two-dimensional, or the number of channels differs from the model's.
        """
        where = {"seed": seed, "first_second": first_second}
        return self._editor.inject(audio, sample_rate, at_rate=at_rate, content_hz=content_hz, **where)

    def revise(
        self, audio: Array, sample_rate: int, *, strength: float = 0.5, seed: int = 0, first_second: int = 0
    ) -> Array:
        """Variations of given audio: the coarsest scale leads it back towards noise and forth again.

        Args:
            audio: `(channels, samples)`.
            sample_rate: of `audio`, Hz.
            strength: from 0 (the audio's own structure) to 1 (new structure).
            seed: of the noise.
            first_second: where `audio` begins on the time line of the noise.

        Returns:
            `(channels, samples)` float32 at the model's sample rate, as long as `audio`.

        Raises:
            CawError: if the coarsest scale cannot edit: it was not trained by flow matching; if `audio` is not
                two-dimensional, or has no sample at the rate of that scale, or the number of channels differs from the
                model's.
            CawUsageError: if `strength` is not between 0 and 1, or the model has a single scale.
        """
        return self._editor.revise(audio, sample_rate, strength=strength, seed=seed, first_second=first_second)

    def recompose(
        self,
        audio: Array,
        sample_rate: int,
        *,
        strength: float = 0.5,
        keep_below: float | None = None,
        at_rate: int | None = None,
        seed: int = 0,
        first_second: int = 0,
    ) -> Array:
        """A variation of given audio: its lows, and with them its harmony and beat, with other detail (section 4.2).

        Detail comes from other places of the training recording than the audio's own, where it is in there; the
        coarsest scale, if it can edit, is led back towards noise and forth again.

        Args:
            audio: `(channels, samples)`.
            sample_rate: of `audio`, Hz.
            strength: from 0 (the audio) over 0.5 (all detail new) to 1 (nothing of it is kept).
            keep_below: frequency in Hz below which the audio is kept; default: by the audio and strength.
            at_rate: rate of the scale that receives the audio as it is; default: the second-coarsest, after the
                coarsest has been led back.
            seed: of the noise.
            first_second: where `audio` begins on the time line of the noise.

        Returns:
            `(channels, samples)` float32 at the model's sample rate, as long as `audio`.

        Raises:
            CawError: if no scale holds the recording, `audio` is empty or not two-dimensional, or the number of
                channels differs from the model's.
            CawUsageError: if `strength` is not between 0 and 1, the model has a single scale, or none above the
                coarsest of rate `at_rate`.
        """
        return self._editor.recompose(
            audio,
            sample_rate,
            strength=strength,
            keep_below=keep_below,
            at_rate=at_rate,
            seed=seed,
            first_second=first_second,
        )

    def fill(
        self,
        audio: Array,
        sample_rate: int,
        gaps: Sequence[Gap],
        *,
        strength: float = 1.0,
        seed: int = 0,
        first_second: int = 0,
    ) -> Array:
        """Complete audio where it is missing (section 4.4).

        Args:
            audio: `(channels, samples)`, with an initial guess in the gaps; anything, if `strength` is 1.
            sample_rate: of `audio`, Hz.
            gaps: first sample of each missing stretch, and the first after it.
            strength: from 0 (the guess's own structure in the gaps) to 1 (nothing of it).
            seed: of the noise.
            first_second: where `audio` begins on the time line of the noise.

        Returns:
            `(channels, samples)` float32 at the model's sample rate: the whole, as the model makes it around the gaps
            and within; the caller joins it with what is known.

        Raises:
            CawError: if the coarsest scale cannot edit: it was not trained by flow matching; if `audio` has no sample
                at the rate of that scale, or the number of channels differs from the model's.
            CawUsageError: if `strength` is not between 0 and 1, or the model has a single scale.
            IndexError: if `strength` is 1 and `audio` is one-dimensional.
        """
        return self._editor.fill(audio, sample_rate, gaps, strength=strength, seed=seed, first_second=first_second)
