"""What renders a take: a renderer that starts from fresh noise, changed in one of three ways.

* `coherent_take`: noise of the recording, in segments as long as is asked for.
* `texture_take`: grains of a recording of which any moment is as good as any other.
* `usual_take`: noise of the recording in the share that its training has settled, all of it in pauses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from caw_toolkit.generators.grains import Scattering
from caw_toolkit.pyramid.coherence import Coherence
from caw_toolkit.pyramid.noise import RearrangedNoise
from caw_toolkit.pyramid.renderer import Renderer

#: How much of its usual share the inverted noise has where it is cut on the beat: there it leads to more copies
#: (docs/decisions.md#the-beat-of-takes).
SHARE_ON_THE_BEAT = 2 / 3


def coherent_take(
    renderer: Renderer, inverted: Tensor, *, seed: int, coherence: Coherence, pauses: Sequence[slice] = ()
) -> Renderer:
    """A take that holds together for so many seconds.

    Args:
        renderer: of a take from fresh noise.
        inverted: noise that the coarsest generator maps to the recording, `(channels, samples)`.
        seed: of the take.
        coherence: that is asked for.
        pauses: of the recording, in samples of `inverted`.
    """
    noise = RearrangedNoise(seed, inverted, coherence.inverted_noise, renderer.pulse, pauses, coherence.segment_seconds)
    return replace(renderer, noise=noise, selection_noise=coherence.selection_noise)


def makes_grains(renderer: Renderer) -> bool:
    """Whether the last scale can make a texture of grains of the recording, which it holds."""
    generator = renderer.scales[-1].generator
    return generator.can_scatter and generator.recording() is not None


def texture_take(renderer: Renderer, *, seed: int) -> Renderer:
    """A take of grains of the recording, which the last scale makes alone.

    Args:
        renderer: whose last scale `makes_grains`.
        seed: of the take.
    """
    recording = renderer.scales[-1].generator.recording()
    assert recording is not None
    return replace(renderer, scattering=Scattering(seed, recording.shape[1] / renderer.rate))


def usual_take(
    renderer: Renderer, inverted: Tensor | None, *, seed: int, share: float, pauses: Sequence[slice] = ()
) -> Renderer:
    """A take with the share of the recording's noise that its training has settled.

    Args:
        renderer: of a take from fresh noise.
        inverted: noise that the coarsest generator maps to the recording, `(channels, samples)`, if that is known.
        seed: of the take.
        share: of that noise in the power of all, 0 to 1; with a pulse it is less.
        pauses: of the recording, in samples of `inverted`.
    """
    if inverted is None or not (share or pauses):
        return renderer
    share *= 1.0 if renderer.pulse is None else SHARE_ON_THE_BEAT
    return replace(renderer, noise=RearrangedNoise(seed, inverted, share, renderer.pulse, pauses))
