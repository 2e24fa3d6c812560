"""What a model remembers of its recording, for cleaning another one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from caw_toolkit import CawError, PyramidModel
from caw_toolkit.resampling import resample

Array = npt.NDArray[np.float32]


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
    return resample(model.recording(), model.sample_rate, sample_rate)
