"""Gap filling by copying the stretch whose surroundings are most like those of the gap."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from baselines.transforms import Signal, rising, transform
from caw_toolkit.metrics.spectral import mel_filters

_CONTEXT_SECONDS, _FADE_SECONDS, _SEARCH_SECONDS = 0.4, 0.02, 0.02
_WINDOW, _HOP, _BANDS = 1024, 64, 40


def fill(broken: Signal, rate: int, gap: tuple[int, int]) -> Signal:
    """Fill a gap, `(start, stop)` in samples, with another stretch of the same recording."""
    return np.asarray(fill_channels(broken[None], rate, gap)[0])


def fill_channels(broken: npt.NDArray[np.float64], rate: int, gap: tuple[int, int]) -> npt.NDArray[np.float64]:
    """The same of `(channels, samples)`: one stretch for all channels."""
    mono = broken.mean(0)
    return paste(broken, rate, gap, _aligned(mono, rate, gap, _most_alike(mono, rate, gap)))


def paste(broken: npt.NDArray[np.float64], rate: int, gap: tuple[int, int], source: int) -> npt.NDArray[np.float64]:
    """Fill a gap of `(samples,)` or `(channels, samples)` with the stretch that begins at `source`."""
    start, stop = gap
    fade = round(_FADE_SECONDS * rate)
    share = np.concatenate([rising(fade), np.ones(stop - start), rising(fade)[::-1]])
    filled = broken.copy()
    filled[..., start - fade : stop + fade] *= 1 - share
    filled[..., start - fade : stop + fade] += share * broken[..., source - fade : source + stop - start + fade]
    return filled


def _most_alike(broken: Signal, rate: int, gap: tuple[int, int]) -> int:
    """Where the stretch begins whose surroundings have the most similar log-mel spectra."""
    mels = np.log(mel_filters(rate, _WINDOW, _BANDS) @ np.abs(transform(broken, _WINDOW, _HOP)) ** 2 + 1e-5)
    length, margin = gap[1] - gap[0], int(_CONTEXT_SECONDS * rate)
    around, guard = margin // _HOP, _WINDOW // 2 // _HOP

    def surroundings(start: int) -> np.ndarray:
        first, last = start // _HOP, (start + length) // _HOP
        return np.hstack([mels[:, first - around : first - guard], mels[:, last + guard : last + around]])

    wanted = surroundings(gap[0])
    before = range(margin, gap[0] - length - margin, _HOP)
    after = range(gap[1] + margin, len(broken) - length - margin, _HOP)
    candidates = [*before, *after]
    if not candidates:
        raise ValueError("no stretch of the recording is long enough to be copied")
    return min(candidates, key=lambda start: float(np.abs(surroundings(start) - wanted).mean()))


def _aligned(broken: Signal, rate: int, gap: tuple[int, int], source: int) -> int:
    """The start near `source` whose waveform fits best where it is faded in and out."""
    fade, reach = round(_FADE_SECONDS * rate), round(_SEARCH_SECONDS * rate)
    length = gap[1] - gap[0]
    wanted = np.concatenate([broken[gap[0] - fade : gap[0]], broken[gap[1] : gap[1] + fade]])

    def misfit(start: int) -> float:
        found = np.concatenate([broken[start - fade : start], broken[start + length : start + length + fade]])
        return float(((found - wanted) ** 2).sum())

    return min(range(source - reach, source + reach + 1), key=misfit)
