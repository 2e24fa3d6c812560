"""The recording that a model holds, for cleaning another one."""

from __future__ import annotations

import os
from pathlib import Path

from caw_toolkit import Array, CawError, PyramidModel
from caw_toolkit.dsp.resampling import resample


def reference_recording(model: PyramidModel | str | os.PathLike[str], sample_rate: int) -> Array:
    """The recording that a model was trained on, `(channels, samples)`.

    Args:
        model: trained at the sample rate or a higher one; or its file.
        sample_rate: Hz.

    Raises:
        CawError: if the model was trained at a lower rate, or does not hold its recording.
    """
    if not isinstance(model, PyramidModel):
        loaded = PyramidModel.load(Path(model), "cpu")
        try:
            return reference_recording(loaded, sample_rate)
        except CawError as error:
            raise CawError(f"{model}: {error}") from error
    if model.sample_rate < sample_rate:
        raise CawError(
            f"the model was trained at {model.sample_rate} Hz and knows nothing above half of that, and the recording "
            f"is at {sample_rate} Hz: train it with caw train --sample-rate {sample_rate}"
        )
    recording = model.recording()
    if recording is None:
        raise CawError(
            "this needs a model that holds its recording, and this one has only learnt from it: caw train --preset fast"
        )
    return resample(recording, model.sample_rate, sample_rate)
