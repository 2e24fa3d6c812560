"""Interpolating between a scale and the next (paper, equation 2).

Keys' cubic convolution, as the paper does, or a windowed sinc, which leaves fewer images above the coarser band.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from caw_toolkit.errors import CawError

if TYPE_CHECKING:
    from torch import Tensor


Upsampler = Callable[["Tensor", int, int, int], "Tensor"]


_SINC_ROLLOFF = 0.95  # cutoff as a share of the coarser scale's Nyquist frequency


_SINC_ZERO_CROSSINGS = 32


def upsample_keys(x: Tensor, from_rate: int, to_rate: int, length: int) -> Tensor:
    """Upsample by cubic convolution (Keys 1981, a = -1/2), the interpolation of the paper's equation (2).

    Output sample n is the interpolated value at input position `n * from_rate / to_rate`. Beyond its ends the input is
    continued by its first and last sample. Differentiable; exact for input samples that the output falls on.

    Args:
        x: signal at `from_rate`.
        from_rate: Hz.
        to_rate: Hz.
        length: output samples.

    Shape:
        `(..., samples) -> (..., length)`
    """
    import torch

    divisor = math.gcd(from_rate, to_rate)
    step, phases = from_rate // divisor, to_rate // divisor
    position = torch.arange(length, device=x.device) * step
    nearest_below = position.div(phases, rounding_mode="floor")
    weights = _keys_weights(torch.arange(phases, dtype=torch.float64) / phases).to(x)[:, position % phases]
    last = x.shape[-1] - 1
    result = x.new_zeros(*x.shape[:-1], length)
    for tap, weight in enumerate(weights):
        result = result + weight * x.index_select(-1, (nearest_below + (tap - 1)).clamp(0, last))
    return result


def _keys_weights(fraction: Tensor) -> Tensor:
    """Weights of the neighbours at -1, 0, 1, 2 for positions between 0 and 1: `(phases,) -> (4, phases)`."""
    import torch

    t, u = fraction, 1 - fraction
    return torch.stack(
        [
            -0.5 * t * u * u,
            1 + t * t * (1.5 * t - 2.5),
            1 + u * u * (1.5 * u - 2.5),
            -0.5 * u * t * t,
        ]
    )


def upsample_sinc(x: Tensor, from_rate: int, to_rate: int, length: int) -> Tensor:
    """Upsample with a Hann-windowed sinc (torchaudio), which passes less of the coarser band's images than Keys' cubic.

    Args:
        x: signal at `from_rate`.
        from_rate: Hz.
        to_rate: Hz.
        length: output samples; the result is cut or zero-padded to it.

    Shape:
        `(..., samples) -> (..., length)`

    Raises:
        CawError: if torchaudio is missing or was built for another torch.
    """
    from torch.nn.functional import pad

    result: Tensor = _torchaudio_resample()(
        x, from_rate, to_rate, lowpass_filter_width=_SINC_ZERO_CROSSINGS, rolloff=_SINC_ROLLOFF
    )
    return pad(result[..., :length], (0, max(0, length - result.shape[-1])))


def _torchaudio_resample() -> Callable[..., Tensor]:
    try:
        from torchaudio.functional import resample as sinc_resample
    except (ImportError, OSError) as error:
        raise CawError(
            f"torchaudio does not load beside this torch ({str(error).splitlines()[0]}): install a matching pair with "
            "`pip install --force-reinstall torch torchaudio`, or choose upsampling = 'keys'"
        ) from error
    return sinc_resample  # type: ignore[no-any-return]


def require_upsampler(name: str) -> None:
    """Raise now what an upsampler would raise in its first use, which may be minutes later.

    Raises:
        CawError: if it needs torchaudio, and that is missing or was built for another torch.
    """
    if name == "sinc":
        _torchaudio_resample()


#: Upsampling between scales, by the name that presets and model files use.
UPSAMPLERS: Mapping[str, Upsampler] = {"keys": upsample_keys, "sinc": upsample_sinc}
