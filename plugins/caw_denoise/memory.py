"""What a model remembers of its recording, for cleaning another one."""

from __future__ import annotations

from caw_toolkit import Array, CawError, PyramidModel
from caw_toolkit.resampling import resample


def remembered(model: PyramidModel, sample_rate: int) -> Array:
    """The recording that a model was trained on, `(channels, samples)`.

    Args:
        model: trained at the sample rate or a higher one.
        sample_rate: Hz.

    Raises:
        CawError: if the model was trained at a lower rate, or does not remember its recording.
    """
    if model.sample_rate < sample_rate:
        raise CawError(
            f"the model was trained at {model.sample_rate} Hz and knows nothing above half of that, and the recording "
            f"is at {sample_rate} Hz: train it with caw train --sample-rate {sample_rate}"
        )
    recording = model.recording()
    if recording is None:
        raise CawError(
            "this needs a model that remembers its recording, and this one has only learnt from it: "
            "caw train --preset fast"
        )
    return resample(recording, model.sample_rate, sample_rate)
