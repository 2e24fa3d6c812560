"""The paper's objective: a Wasserstein GAN with a reconstruction term at every scale (section 3, equations 3 to 7)."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from caw_toolkit.allocator import keep_freed_memory
from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.generators.dilated import DilatedGenerator, has_plain_gate, stack_span, with_normalised_gate
from caw_toolkit.training.adamw import AdamW
from caw_toolkit.training.losses import (
    critic_loss,
    generator_loss,
    gradient_penalty,
    multi_scale_spectrogram_loss,
    waveform_loss,
)
from caw_toolkit.training.objectives.base import Objective, ScaleSpec, ScaleTask, ScaleTrainer, TrainedScale
from caw_toolkit.training.objectives.critic import DilatedDiscriminator, initialise
from caw_toolkit.training.objectives.options import (
    AT_LEAST_ONE,
    NOT_NEGATIVE,
    POSITIVE,
    REASONABLE_COUNT,
    Bounds,
    options_from_mapping,
    require_within,
)
from caw_toolkit.training.objectives.windows import Window, generate_window, random_crop, whole_segment

#: From this scale on, the networks of neighbouring scales have the same shapes and training starts from the previous.
FIRST_WARM_STARTED_SCALE = 2


@dataclass(frozen=True)
class AdversarialOptions:
    """Options of the adversarial objective; the defaults are the paper's, with its loss weights for speech.

    Attributes:
        learning_rate: of Adam, for both networks.
        betas: of Adam.
        decay_after: share of a scale's training after which the learning rate drops.
        decay_factor: what the learning rate is multiplied by then.
        gradient_penalty_weight: lambda of equation (6).
        gradient_penalty_interval: steps from one gradient penalty to the next; its weight is multiplied by as much.
        hidden_channels: of both networks, at all scales but the coarsest.
        coarsest_hidden_channels: of both networks at the coarsest scale.
        blocks: dilated convolutions of each network; one more doubles the receptive field.
        epochs: passes over the training signal; an epoch is one step a segment, or one step on a crop.
        waveform_weight: alpha 1 of equation (4).
        spectrogram_weight: alpha 2 of equation (4).
        noise_weight: standard deviation of a scale's noise as a share of the root of the energy that it adds.
        second_scale_full_noise: at the second scale, noise as strong as the reconstructed coarser signal (for music).
        crop_samples: train on random windows of this many samples instead of whole segments.
    """

    learning_rate: float = 0.0015
    betas: tuple[float, float] = (0.5, 0.999)
    decay_after: float = 2 / 3
    decay_factor: float = 0.1
    gradient_penalty_weight: float = 0.01
    gradient_penalty_interval: int = 1
    hidden_channels: int = 96
    coarsest_hidden_channels: int = 16
    blocks: int = 8
    epochs: int = 3000
    waveform_weight: float = 10.0
    spectrogram_weight: float = 0.0
    noise_weight: float = 0.01
    second_scale_full_noise: bool = False
    crop_samples: int | None = None

    def __post_init__(self) -> None:
        counts = ("gradient_penalty_interval", "epochs")
        weights = ("gradient_penalty_weight", "waveform_weight", "spectrogram_weight", "noise_weight")
        require_within(self, {**dict.fromkeys(counts, AT_LEAST_ONE), **dict.fromkeys(weights, NOT_NEGATIVE)})
        require_within(self, {"learning_rate": POSITIVE, "blocks": Bounds(least=1, most=16)})
        require_within(self, dict.fromkeys(("hidden_channels", "coarsest_hidden_channels"), REASONABLE_COUNT))
        if self.crop_samples is not None and self.crop_samples <= stack_span(self.blocks):
            raise CawUsageError(
                f"crop_samples must be above the receptive field of {stack_span(self.blocks)} samples, "
                f"not {self.crop_samples}"
            )


class AdversarialObjective(Objective):
    """Trains the paper's generators against the paper's discriminators.

    Args:
        options: of all scales.
    """

    def __init__(self, options: AdversarialOptions | None = None) -> None:
        self.options = options or AdversarialOptions()

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> AdversarialObjective:
        """Make the objective from a preset's table.

        Args:
            options: values by name of `AdversarialOptions`' attributes.

        Raises:
            CawUsageError: for an unknown name, a value of the wrong type or out of range.
        """
        return cls(options_from_mapping(AdversarialOptions, options, objective="adversarial"))

    def scale_trainer(self, task: ScaleTask) -> AdversarialTrainer:
        """Start training a scale; from the third on with the previous scale's weights, if `task.previous` has them."""
        return AdversarialTrainer(task, self.options, self.untrained_generator(task.spec))

    def untrained_generator(self, spec: ScaleSpec) -> DilatedGenerator:
        """A generator of the scale's size, with torch's own initial weights."""
        return DilatedGenerator(
            audio_channels=spec.channels,
            hidden_channels=self.options.coarsest_hidden_channels if spec.index == 0 else self.options.hidden_channels,
            blocks=self.options.blocks,
        )


class AdversarialTrainer(ScaleTrainer):
    """Training of one scale: each step updates the discriminator once, then the generator once.

    Args:
        task: the scale to train.
        options: of the objective.
        generator: untrained, on the CPU.

    Raises:
        CawError: if no segment is as long as the discriminator's receptive field.
    """

    def __init__(self, task: ScaleTask, options: AdversarialOptions, generator: DilatedGenerator) -> None:
        keep_freed_memory()
        self._task = task
        self._options = options
        self._random = torch.Generator().manual_seed(task.seed)
        self._generator = generator
        self._discriminator = DilatedDiscriminator(
            audio_channels=task.spec.channels,
            hidden_channels=generator.architecture["hidden_channels"],
            blocks=options.blocks,
        )
        self._segments = self._trainable_segments()
        for name, network in self._networks().items():
            initialise(network, self._random)
            if task.spec.index >= FIRST_WARM_STARTED_SCALE:
                _load_if_shapes_match(network, with_normalised_gate(task.previous.get(name, {})))
            network.to(task.device)
        self._optimisers = {name: self._optimiser(network) for name, network in self._networks().items()}
        self._coarse_reconstruction = (
            task.generate_coarse(0, task.real.shape[-1], None).to(task.device) if task.generate_coarse else None
        )
        self._reconstruction_noise = torch.zeros_like(task.real)
        if self._coarse_reconstruction is None:
            noise = torch.randn(task.real.shape, generator=self._random)
            self._reconstruction_noise = noise.to(task.device)
        self._steps_done = 0
        self.noise_std = self._choose_noise_std()
        self.whole_signal = options.crop_samples is None
        self.total_steps = options.epochs * (len(self._segments) if self.whole_signal else 1)

    def step(self, progress: float) -> dict[str, float]:
        """Update both networks once, on the next window.

        Returns:
            `critic` and `adversarial`, what each network minimises without its other terms; and in steps that have
            them, `gradient_penalty` and `reconstruction`, weighted.
        """
        self._set_learning_rate(progress)
        self._generator.train()
        window = self._next_window()
        real = self._task.real[None, :, window.start : window.stop]
        fake = self._random_fake(window)
        losses = self._update_discriminator(real, fake.detach())
        losses |= self._update_generator(window, real, fake)
        self._steps_done += 1
        return losses

    def finish(self) -> TrainedScale:
        """A copy of the generator as it stands; at the coarsest scale with the noise z* of equation (4)."""
        generator = copy.deepcopy(self._generator).eval().requires_grad_(False)
        noise = self._reconstruction_noise.clone() if self._task.spec.index == 0 else None
        return TrainedScale(generator, self.noise_std, noise)

    def start_from(self, generator: ScaleGenerator) -> bool:
        if generator.architecture != self._generator.architecture:
            return False
        self._generator.load_state_dict(generator.state_dict())
        return True

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimisers, noise and random state: a copy that later steps do not change."""
        state: dict[str, Any] = {name: _detached_state(network) for name, network in self._networks().items()}
        for name, optimiser in self._optimisers.items():
            state[f"{name}_optimiser"] = copy.deepcopy(optimiser.state_dict())
        return state | {
            "noise_std": self.noise_std,
            "reconstruction_noise": self._reconstruction_noise.cpu().clone(),
            "random_state": self._random.get_state(),
            "steps_done": self._steps_done,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict`; on the CPU, bit-identically."""
        if has_plain_gate(state["generator"]):  # begun by an earlier version
            self._generator = DilatedGenerator(**{**_arguments(self._generator), "normalised_gate": False})
            self._generator.to(self._task.device)
            self._optimisers["generator"] = self._optimiser(self._generator)
        for name, network in self._networks().items():
            network.load_state_dict(state[name])
            self._optimisers[name].load_state_dict(copy.deepcopy(state[f"{name}_optimiser"]))
        self.noise_std = state["noise_std"]
        self._reconstruction_noise = state["reconstruction_noise"].to(self._task.device)
        self._random.set_state(state["random_state"])
        self._steps_done = state["steps_done"]

    def warm_start_state(self) -> dict[str, Any]:
        """Both networks' weights and the mean square of this scale's real signal."""
        networks = {name: _detached_state(network) for name, network in self._networks().items()}
        return {**networks, "energy": self._energy(self._task.real)}

    def _optimiser(self, network: nn.Module) -> AdamW:
        return AdamW(network.parameters(), learning_rate=self._options.learning_rate, betas=self._options.betas)

    def _networks(self) -> dict[str, nn.Module]:
        return {"generator": self._generator, "discriminator": self._discriminator}

    def _trainable_segments(self) -> list[tuple[int, int]]:
        least = self._discriminator.minimum_samples
        segments = [(start, stop) for start, stop in self._task.segments if stop - start >= least]
        if not segments:
            longest = max((stop - start for start, stop in self._task.segments), default=0)
            rate = self._task.spec.rate
            raise CawError(
                f"the recording is too short for the scale of {rate} Hz: its longest stretch has {longest} samples "
                f"there, and training needs {least} ({least / rate:.1f} s): use a longer recording, a higher coarsest "
                "scale or fewer blocks"
            )
        return segments

    def _energy(self, signal: Tensor) -> float:
        """Mean square over the segments."""
        parts = [signal[:, start:stop] for start, stop in self._task.segments]
        return float(torch.cat(parts, dim=-1).cpu().double().square().mean())

    def _choose_noise_std(self) -> float:
        task = self._task
        if task.coarse is None or self._coarse_reconstruction is None:
            return 1.0
        if task.spec.index == 1 and self._options.second_scale_full_noise:
            return float(self._coarse_reconstruction.cpu().double().std())
        coarser_energy = task.previous.get("energy")
        if coarser_energy is None:
            coarser_energy = self._energy(task.coarse)
        return self._options.noise_weight * math.sqrt(max(0.0, self._energy(task.real) - coarser_energy))

    def _set_learning_rate(self, progress: float) -> None:
        decayed = progress >= self._options.decay_after
        for optimiser in self._optimisers.values():
            optimiser.learning_rate = self._options.learning_rate * (self._options.decay_factor if decayed else 1.0)

    def _next_window(self) -> Window:
        if self._options.crop_samples is None:
            return whole_segment(self._segments, self._steps_done)
        return random_crop(self._segments, self._options.crop_samples, self._random)

    def _random_fake(self, window: Window) -> Tensor:
        """Draw a new signal at the window's place: `(1, channels, samples of the window)`."""
        start, stop = window.input_range(self._generator)
        noise = torch.randn(1, self._task.spec.channels, stop - start, generator=self._random)
        coarse = None
        if self._task.generate_coarse is not None:
            seed = int(torch.randint(2**31, (), generator=self._random))
            coarse = self._task.generate_coarse(start, stop, seed).to(self._task.device)
        return generate_window(self._generator, window, self.noise_std * noise.to(self._task.device), coarse)

    def _reconstruction(self, window: Window) -> Tensor:
        start, stop = window.input_range(self._generator)
        noise = self._reconstruction_noise[None, :, start:stop]
        coarse = self._coarse_reconstruction
        return generate_window(self._generator, window, noise, coarse[..., start:stop] if coarse is not None else None)

    def _update_discriminator(self, real: Tensor, fake: Tensor) -> dict[str, float]:
        discriminator, interval = self._discriminator, self._options.gradient_penalty_interval
        discriminator.requires_grad_(True).train()
        critic = discriminator.ready(real)
        loss = critic_loss(critic(real), critic(fake))
        losses = {"critic": float(loss.detach())}
        if self._steps_done % interval == 0:
            blend = float(torch.rand((), generator=self._random))
            weight = self._options.gradient_penalty_weight * interval
            penalty = gradient_penalty(critic.input_gradient, real, fake, blend, weight)
            losses["gradient_penalty"] = float(penalty.detach())
            loss = loss + penalty
        self._descend("discriminator", loss)
        return losses

    def _update_generator(self, window: Window, real: Tensor, fake: Tensor) -> dict[str, float]:
        self._discriminator.requires_grad_(False)
        loss = generator_loss(self._discriminator.ready(fake)(fake))
        losses = {"adversarial": float(loss.detach())}
        reconstruction = self._reconstruction_loss(window, real)
        if reconstruction is not None:
            losses["reconstruction"] = float(reconstruction.detach())
            loss = loss + reconstruction
        self._descend("generator", loss)
        return losses

    def _reconstruction_loss(self, window: Window, real: Tensor) -> Tensor | None:
        """Equation (4), or None if both weights are zero."""
        options = self._options
        if not options.waveform_weight and not options.spectrogram_weight:
            return None
        reconstruction = self._reconstruction(window)
        loss = real.new_zeros(())
        if options.waveform_weight:
            loss = loss + options.waveform_weight * waveform_loss(real, reconstruction)
        if options.spectrogram_weight:
            loss = loss + options.spectrogram_weight * multi_scale_spectrogram_loss(real, reconstruction)
        return loss

    def _descend(self, name: str, loss: Tensor) -> None:
        optimiser = self._optimisers[name]
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def _arguments(generator: DilatedGenerator) -> dict[str, Any]:
    return {name: value for name, value in generator.architecture.items() if name != "type"}


def _detached_state(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}


def _load_if_shapes_match(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    own = network.state_dict()
    if own.keys() == state.keys() and all(own[name].shape == state[name].shape for name in own):
        network.load_state_dict(state)
