"""Processors that run a trained model."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from caw_toolkit.arrays import Array
from caw_toolkit.devices import DEVICES
from caw_toolkit.errors import CawError
from caw_toolkit.processors.base import Processor
from caw_toolkit.processors.blocks import BlockStream
from caw_toolkit.processors.parameters import Parameter, integer, one_of, path
from caw_toolkit.seeds import LARGEST_SEED

if TYPE_CHECKING:
    from caw_toolkit.pyramid.model import PyramidModel

__all__ = ["ModelFunction", "ModelProcessor", "at_least_a_second", "model_or_path", "on_model_channels"]

#: Makes audio of audio, both `(channels, samples)`; the number is the second at which it begins in its signal.
ModelFunction = Callable[["PyramidModel", Array, int], Array]


def model_or_path(value: Any) -> PyramidModel | str:
    """A model file or a `PyramidModel`: the check of parameters that take either.

    Example:
        >>> model_or_path(Path("voice.pt"))
        'voice.pt'
        >>> model_or_path(3)
        Traceback (most recent call last):
        ValueError: a model file or a PyramidModel
    """
    if isinstance(value, (str, os.PathLike)):
        return path(value)
    from caw_toolkit.pyramid.model import PyramidModel

    if not isinstance(value, PyramidModel):
        raise ValueError("a model file or a PyramidModel")
    return value


class ModelProcessor(Processor):
    """Base of processors that run a trained model, at the model's sample rate.

    A model file is read when it is first needed.

    Example:
        >>> from caw_toolkit import PyramidModel
        >>> from caw_toolkit.generators.dilated import DilatedGenerator
        >>> from caw_toolkit.pyramid.scale import Scale
        >>> untrained = Scale(8000, DilatedGenerator(hidden_channels=4, blocks=3).eval(), noise_std=1.0)
        >>> class Replace(ModelProcessor):
        ...     def _process(self, audio, sample_rate):
        ...         model = self.loaded_model(sample_rate)
        ...         return model.generate(audio.shape[1] / model.sample_rate, seed=self.seed)
        >>> replace = Replace(model=PyramidModel([untrained], channels=1, peak=0.5, upsampling="keys"), seed=1)
        >>> replace(np.ones((1, 800), np.float32), 8000).shape
        (1, 800)

    .. versionadded:: 0.2
    """

    model: Parameter[PyramidModel | str | os.PathLike[str]] = Parameter(
        check=model_or_path, summary="Model file, or a PyramidModel."
    )
    seed: Parameter[int] = Parameter(default=0, check=integer(0, LARGEST_SEED), summary="Seed of the noise.")
    device: Parameter[str] = Parameter(
        default="auto",
        check=one_of(DEVICES),
        summary=f"Where a model file is computed: {', '.join(DEVICES)}.",
    )

    def _prepare(self) -> None:
        super()._prepare()
        self._loaded: PyramidModel | None = None

    def parameter_changed(self, name: str) -> None:
        """Forget the model if it is another one now."""
        if name in ("model", "device"):
            self._loaded = None

    def loaded_model(self, sample_rate: float) -> PyramidModel:
        """The model, read from its file if need be.

        Args:
            sample_rate: of the audio to process, Hz.

        Raises:
            CawError: if the file is no model, or the model has another sample rate than the audio.
        """
        with self._lock:
            if self._loaded is None:
                from caw_toolkit.pyramid.model import PyramidModel

                given = self.model
                self._loaded = given if isinstance(given, PyramidModel) else PyramidModel.load(Path(given), self.device)
            model = self._loaded
        if sample_rate != model.sample_rate:
            raise CawError(
                f"{type(self).__name__} has a model at {model.sample_rate} Hz and was given audio at {sample_rate:g} "
                f"Hz, and a chain cannot change the rate: resample first, for example with "
                f"AudioFile(...).resampled_to({model.sample_rate})"
            )
        return model

    def _block_stream(
        self,
        function: ModelFunction,
        channels: int,
        sample_rate: float,
        *,
        block_seconds: float,
        before_seconds: float,
        after_seconds: float,
        fade_seconds: float,
    ) -> BlockStream:
        """A stream that runs a function of the model on fixed blocks; `block_seconds + after_seconds` is its latency.

        What the function is given begins with a whole second, where all scales have a sample.

        Args:
            function: what to do with a block.
            channels: of the audio.
            sample_rate: Hz.
            block_seconds: length of the blocks.
            before_seconds: context before a block, at least.
            after_seconds: context after it.
            fade_seconds: over which blocks are crossfaded, of the context.
        """
        model = self.loaded_model(sample_rate)
        rate = model.sample_rate

        def process(audio: Array, first: int) -> Array:
            return function(model, audio, first // rate)

        return BlockStream(
            process,
            channels,
            block=round(block_seconds * rate),
            before=round(before_seconds * rate),
            after=round(after_seconds * rate),
            fade=round(fade_seconds * rate),
            grid=rate,
        )


def at_least_a_second(audio: Array, sample_rate: int) -> Array:
    """Audio with silence after it, so that networks have enough to work on.

    >>> at_least_a_second(np.ones((1, 300), np.float32), 8000).shape
    (1, 8000)
    """
    return np.pad(audio, ((0, 0), (0, max(0, sample_rate - audio.shape[1]))))


def on_model_channels(model: PyramidModel, audio: Array, function: Callable[[Array], Array]) -> Array:
    """Run a function that takes the model's number of channels on audio of any.

    A mono model processes each channel by itself. For a stereo model, mono becomes two equal channels, whose results
    are averaged.

    Raises:
        CawError: if the model is stereo and the audio is neither mono nor stereo.

    Example:
        >>> from caw_toolkit import PyramidModel
        >>> mono, stereo = (PyramidModel([], channels=count, peak=1.0, upsampling="keys") for count in (1, 2))
        >>> def shown(audio):
        ...     print(audio.shape)
        ...     return audio
        >>> on_model_channels(mono, np.ones((2, 3), np.float32), shown).shape  # each channel by itself
        (1, 3)
        (1, 3)
        (2, 3)
        >>> on_model_channels(stereo, np.ones((1, 3), np.float32), shown).shape
        (2, 3)
        (1, 3)
    """
    channels = audio.shape[0]
    if channels == model.channels:
        return function(audio)
    if model.channels == 1:
        return np.concatenate([function(channel[None]) for channel in audio])
    if channels == 1:
        return np.asarray(function(np.repeat(audio, model.channels, axis=0)).mean(0, keepdims=True), np.float32)
    raise CawError(f"the model has {model.channels} channels, the audio has {channels}")
