"""The flow-matching generator: noise becomes signal along the solution of an ordinary differential equation.

A network is trained to predict the velocity that leads from white noise to the (companded) signal along straight lines
(Lipman et al., "Flow matching for generative modeling", 2023; Liu et al., "Flow straight and fast", 2023). It is plain
regression, steady where adversarial training has to be balanced. Companding, `sign(x) |x|^gamma`, raises quiet passages
before training and lowers them, with the errors made in them, after sampling: loud and quiet passages then count alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from caw_toolkit.devices import mixed_precision
from caw_toolkit.generators.base import Filter, ScaleGenerator, new_band
from caw_toolkit.generators.unet import UNet

#: Steps of the solver when a signal is completed: what is generated needs time to agree with what is known.
FILL_STEPS = 32
#: What is mixed with a signal before its noise is looked for, and the steps of the solver on the way back: with less or
#: none the noise found is too weak, and nothing that the flow was trained on (docs/decisions.md#coherence).
RENOISE_STRENGTH, RENOISE_STEPS = 0.2, 12


def compand(signal: Tensor, exponent: float) -> Tensor:
    """`sign(x) |x|^exponent`; `expand` undoes it."""
    return signal.sign() * signal.abs() ** exponent


def expand(signal: Tensor, exponent: float) -> Tensor:
    """The inverse of `compand` with the same exponent."""
    return signal.sign() * signal.abs() ** (1 / exponent)


class FlowGenerator(ScaleGenerator):
    """Generator of the coarsest scale, or of a scale given the coarser signal.

    Args:
        audio_channels: 1 or 2.
        conditional: whether there is a coarser signal.
        frame_samples: neighbouring samples that make one frame of the network.
        widths: channels of the network's levels.
        companding: exponent.
        solver_steps: steps of Heun's method, two network evaluations each (one in the last).
        solver_spacing: exponent of the spacing of these steps in time: 1 is even, above 1 they are shorter near noise.
        kernel_size: taps of the network's convolutions, odd.

    The level buffers are set from the recording by `fit_levels`; `gain` corrects the level of what is sampled.
    """

    signal_level: Tensor
    coarse_level: Tensor
    gain: Tensor
    can_edit = True
    can_renoise = True

    def __init__(
        self,
        *,
        audio_channels: int,
        conditional: bool,
        frame_samples: int,
        widths: Sequence[int],
        companding: float,
        solver_steps: int,
        solver_spacing: float = 1.0,
        kernel_size: int = 5,
    ) -> None:
        super().__init__()
        self.architecture: dict[str, Any] = {
            "type": "flow",
            "audio_channels": audio_channels,
            "conditional": conditional,
            "frame_samples": frame_samples,
            "widths": list(widths),
            "companding": companding,
            "solver_steps": solver_steps,
            "solver_spacing": solver_spacing,
            "kernel_size": kernel_size,
        }
        self.frame_samples = frame_samples
        self.companding = companding
        self.solver_steps = solver_steps
        self.solver_spacing = solver_spacing
        channels = audio_channels * frame_samples
        self.network = UNet(
            channels * (2 if conditional else 1), channels, widths=widths, kernel_size=kernel_size, embedding=128
        )
        self.receptive_field = self.network.receptive_field * frame_samples
        self.total_stride = self.network.total_stride * frame_samples
        for name in ("signal_level", "coarse_level"):
            self.register_buffer(name, torch.ones(audio_channels, 1))
        self.register_buffer("gain", torch.ones(()))

    def fit_levels(self, real: Tensor, coarse: Tensor | None) -> None:
        """Take the levels of the companded band and of the companded coarser signal from the recording."""
        self.signal_level.copy_(_level(compand(new_band(real, coarse), self.companding)))
        if coarse is not None:
            self.coarse_level.copy_(_level(compand(coarse, self.companding)))

    def normalise(self, real: Tensor, coarse: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The companded band that is to be learnt, and its condition, both of unit level, as waveforms."""
        target = compand(new_band(real, coarse), self.companding) / self.signal_level
        return target, None if coarse is None else self._condition(coarse)

    def _condition(self, coarse: Tensor) -> Tensor:
        return compand(coarse, self.companding) / self.coarse_level

    def velocity(self, signal: Tensor, time: Tensor, condition: Tensor | None) -> Tensor:
        """Velocity at `signal`.

        Shape:
            signal, condition and the result: `(batch, channels, samples)`, samples a multiple of `frame_samples`;
            time: `(batch,)` from 0 (noise) to 1 (signal).
        """
        stacked = signal if condition is None else torch.cat([signal, condition], dim=1)
        with mixed_precision(signal.device):
            frames = self.network(frame(stacked, self.frame_samples), time)
        return unframe(frames.float(), self.frame_samples)

    def forward(self, noise: Tensor, coarse: Tensor | None) -> Tensor:
        samples = noise.shape[-1]
        padding = (0, -samples % self.frame_samples)
        condition = None if coarse is None else functional.pad(self._condition(coarse), padding)
        signal = self._solve(functional.pad(noise, padding), condition, 0.0, 1.0)[..., :samples]
        band = expand(signal * self.signal_level, self.companding) * self.gain
        return band if coarse is None else coarse + band

    def revise(self, signal: Tensor, noise: Tensor, strength: float, keep: Filter | None = None) -> Tensor:
        """Lead a signal back towards noise by `strength`, and solve forward from there (Meng et al., "SDEdit", 2022).

        What `keep` passes is replaced by that of the signal at every step (Choi et al., "ILVR", 2021).

        Args:
            signal: of the coarsest scale.
            noise: as in `forward`.
            strength: from 0, which gives the signal back, to 1, which generates from the noise alone.
            keep: a linear filter; what it passes is kept.
        """

        def hold(state: Tensor, path: Tensor) -> Tensor:
            return state if keep is None else state + keep(path - state)

        revised = self._lead_back(signal, noise, strength, hold)
        return revised if keep is None else revised + keep(signal - revised)

    def fill(self, signal: Tensor, known: Tensor, noise: Tensor, strength: float = 1.0) -> Tensor:
        """Complete a signal of the coarsest scale: what is known is held to at every step of the solver.

        The replacement sampling of Lugmayr et al., "RePaint", 2022, with the straight paths of flow matching.

        Args:
            signal: with an initial guess in place of what is missing; anything, if `strength` is 1.
            known: true where `signal` is known.
            noise: as in `forward`.
            strength: how far the guess is led back towards noise first, as in `revise`.

        Shape:
            signal, noise and the result: `(batch, channels, samples)`; known: `(samples,)`.
        """
        held = functional.pad(known, (0, -len(known) % self.frame_samples))

        def hold(state: Tensor, path: Tensor) -> Tensor:
            return torch.where(held, path, state)

        steps = max(1, round(FILL_STEPS * strength))
        return torch.where(known, signal, self._lead_back(signal, noise, strength, hold, steps=steps))

    def _lead_back(
        self,
        signal: Tensor,
        noise: Tensor,
        strength: float,
        hold: Callable[[Tensor, Tensor], Tensor],
        *,
        steps: int | None = None,
    ) -> Tensor:
        """Mix a signal with noise and solve forward from there.

        Args:
            signal: `(batch, channels, samples)`.
            noise: the same shape.
            strength: share of the noise.
            hold: makes the state that goes on of the one that was reached, and of the straight path from the noise to
                the signal at that time.
            steps: of the solver.
        """
        samples = signal.shape[-1]
        padding = (0, -samples % self.frame_samples)
        target = functional.pad(compand(signal, self.companding) / self.signal_level, padding)
        padded_noise = functional.pad(noise, padding)

        def hold_at(state: Tensor, time: Tensor) -> Tensor:
            return hold(state, (1 - time) * padded_noise + time * target)

        # The path begins where noise and signal are mixed by `strength`, at the time at which training mixes them so.
        start = strength * padded_noise + (1 - strength) * target
        solved = self._solve(start, None, 1.0 - strength, 1.0, steps=steps, hold=hold_at)[..., :samples]
        return expand(solved * self.signal_level, self.companding) * self.gain**strength

    def invert(self, real: Tensor, coarse: Tensor | None) -> Tensor:
        """The noise that this generator maps to `real` (inverted noise): the same equation solved backwards.

        Shape:
            `(batch, channels, samples)`; samples are cut to a multiple of `frame_samples`.
        """
        whole = real.shape[-1] // self.frame_samples * self.frame_samples
        target, condition = self.normalise(real / self.gain, coarse)
        condition = None if condition is None else condition[..., :whole]
        return self._solve(target[..., :whole], condition, 1.0, 0.0)

    def renoise(self, signal: Tensor, noise: Tensor) -> Tensor:
        whole = signal.shape[-1] // self.frame_samples * self.frame_samples
        target, _ = self.normalise(signal[..., :whole] / self.gain, None)
        mixed = (1 - RENOISE_STRENGTH) * target + RENOISE_STRENGTH * noise[..., :whole]
        return self._solve(mixed, None, 1 - RENOISE_STRENGTH, 0.0, steps=RENOISE_STEPS)

    def _solve(
        self,
        signal: Tensor,
        condition: Tensor | None,
        begin: float,
        end: float,
        *,
        steps: int | None = None,
        hold: Callable[[Tensor, Tensor], Tensor] = lambda state, time: state,
    ) -> Tensor:
        """Heun's method; the last step is Euler's, where the velocity of the end point adds nothing but noise.

        `hold` corrects the state that is reached at a time.
        """
        steps = steps or self.solver_steps
        # Near noise the paths bend most: spacing above 1 makes steps shorter there.
        spacing = self.solver_spacing
        times = torch.linspace(begin ** (1 / spacing), end ** (1 / spacing), steps + 1, device=signal.device) ** spacing
        for step, (now, then) in enumerate(zip(times[:-1], times[1:], strict=True)):
            velocity = self.velocity(signal, now[None], condition)
            if step < steps - 1:  # Heun: the mean of the velocities at both ends of the step
                ahead = self.velocity(signal + (then - now) * velocity, then[None], condition)
                velocity = (velocity + ahead) / 2
            signal = hold(signal + (then - now) * velocity, then)
        return signal


def frame(waveform: Tensor, frame_samples: int) -> Tensor:
    """`(batch, channels, samples)` -> `(batch, channels * frame_samples, samples / frame_samples)`."""
    batch, channels, samples = waveform.shape
    return (
        waveform.reshape(batch, channels, samples // frame_samples, frame_samples)
        .transpose(2, 3)
        .reshape(batch, channels * frame_samples, -1)
    )


def unframe(frames: Tensor, frame_samples: int) -> Tensor:
    """The inverse of `frame`."""
    batch, channels, count = frames.shape
    return (
        frames.reshape(batch, channels // frame_samples, frame_samples, count)
        .transpose(2, 3)
        .reshape(batch, channels // frame_samples, -1)
    )


def _level(signal: Tensor) -> Tensor:
    """Root mean square of each channel, never zero."""
    level = signal.square().mean(-1, keepdim=True).sqrt()
    return torch.maximum(level, level.max() * 1e-3).clamp_min(1e-8)
