"""Training a pyramid: all scales in turn, within a time budget, resumable at any moment."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from caw_toolkit.allocator import return_freed_memory
from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.devices import pick_device
from caw_toolkit.errors import CawError
from caw_toolkit.hookspecs import ScaleTrained
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.pyramid.upsampling import UPSAMPLERS
from caw_toolkit.seeds import derived_seed
from caw_toolkit.training.assembly import weights_digest, with_scale
from caw_toolkit.training.checkpoints import Checkpoint
from caw_toolkit.training.coarse_signals import coarse_signals
from caw_toolkit.training.display import shown_to_people
from caw_toolkit.training.matching import match_level, match_pauses
from caw_toolkit.training.objectives.base import ScaleSpec, ScaleTask, ScaleTrainer, TrainedScale
from caw_toolkit.training.plan import Plan, make_plan
from caw_toolkit.training.previews import PreviewClock
from caw_toolkit.training.resumed_state import ResumedState
from caw_toolkit.training.run_settings import RunEvents, RunSettings
from caw_toolkit.training.schedule import Schedule
from caw_toolkit.training.stop_requests import StopRequest, stop_requests

log = logging.getLogger(__name__)

CHECKPOINT_INTERVAL_SECONDS = 20.0


class TrainingDivergedError(CawError):
    """A loss is no longer a finite number."""


class TrainingInterruptedError(CawError):
    """Training was stopped from outside; it can be resumed."""

    exit_code = 130


class Trainer:
    """Carries out a plan.

    Args:
        plan: from `make_plan`.
        settings: how; by default without a checkpoint, wherever it is fastest.
        events: what is called meanwhile.

    Example:
        >>> import numpy as np
        >>> noise = np.random.default_rng(0).uniform(-1, 1, (1, 48000)).astype(np.float32)
        >>> plan = make_plan(AudioClip(noise, 16000), material="ambience", minutes=1)
        >>> model = Trainer(plan, RunSettings(device="cpu")).run()  # doctest: +SKIP
    """

    def __init__(self, plan: Plan, settings: RunSettings | None = None, events: RunEvents | None = None) -> None:
        self.plan = plan
        self.settings = settings = settings or RunSettings()
        self.events = events or RunEvents()
        self.device = pick_device(settings.device)
        start, checkpoint = settings.start, settings.checkpoint
        fingerprint = plan.fingerprint() + (f" from {weights_digest(start)}" if start else "")
        if settings.resume and checkpoint is not None and checkpoint.exists():
            self.state = Checkpoint.load(checkpoint, fingerprint, plan.settings())
            self._resumed: ResumedState | None = ResumedState(self.state, plan, checkpoint)
        else:
            self.state = Checkpoint(fingerprint, plan.seed, settings=plan.settings())
            self._resumed = None
        self._schedule = Schedule(plan, self.state, settings.spent_seconds)
        self.last_save = time.monotonic()
        self._signals: dict[int, Tensor] = {}
        self._stop = StopRequest()
        self._preview_clock = PreviewClock()
        self._starting_anew: set[int] = set()

    def run(self) -> PyramidModel:
        """Train all scales that are not finished.

        Ctrl-C stops it after the step that is being done, a second one at once.

        Raises:
            TrainingDivergedError: if a loss is no longer finite.
            TrainingInterruptedError: on Ctrl-C, after the state was saved.
            KeyboardInterrupt: on a second one; the checkpoint is the last one before.
            CawError: if the checkpoint that was to be gone on from does not fit this training.
        """
        with stop_requests() as self._stop:
            model = self._run()
        return_freed_memory()
        return model

    def _run(self) -> PyramidModel:
        torch.set_flush_denormal(True)
        model = None
        if self.state.model is not None:
            model = PyramidModel.from_content(self.state.model, source=str(self.settings.checkpoint)).to(self.device)
        for index in range(self.state.scale, len(self.plan.rates)):
            self._schedule.begin_scale(index)
            scale = f"scale {index + 1} of {len(self.plan.rates)}"
            self.events.on_progress(self._schedule.report(index, f"preparing {scale}", progress=0.0))
            with self._going_on():
                trainer = self._scale_trainer(index, model)
                if self.state.trainer:
                    trainer.load_state_dict(self.state.trainer)
                if self._resumed is not None:
                    self._resumed.require_fit(trainer)
            losses = self._train_scale(index, trainer, model)
            self.events.on_progress(self._schedule.report(index, f"finishing {scale}", progress=1.0))
            with self._going_on():
                trained = trainer.finish()
            self._schedule.note_time()
            if not all(bool(weights.isfinite().all()) for weights in trained.generator.parameters()):
                raise self._diverged(self.plan.spec(index), "a weight is not finite")
            self.state.losses.append(losses)
            model = self._with_scale(model, index, trained, trainer.trained_share(self.state.steps))
            spec = self.plan.spec(index)
            event = ScaleTrained(index, spec.count, spec.rate, self.state.steps, self.state.seconds[index], losses)
            self._finish_scale(index, model, trainer)
            self.events.on_scale_trained(event)
            self._obey_stop(index + 1, model)
        assert model is not None
        self.events.on_progress(self._schedule.report_level(is_set=False))
        match_pauses(model, self.plan.recording, seed=self.plan.seed)
        match_level(model, self.plan.recording, seed=self.plan.seed)
        self.events.on_progress(self._schedule.report_level(is_set=True))
        self._obey_stop(len(self.plan.rates), model)
        return model

    def _with_scale(
        self, below: PyramidModel | None, index: int, trained: TrainedScale, trained_share: float
    ) -> PyramidModel:
        """The model with one scale more, as far as that is trained."""
        return with_scale(below, self.plan, index, trained, trained_share, state=self.state, settings=self.settings)

    def _preview(self, index: int, trainer: ScaleTrainer, below: PyramidModel | None) -> None:
        """Hand out the model as it stands, with the scale that is in training."""
        with torch.random.fork_rng(devices=[]):  # the steps that follow are those that would follow without a preview
            model = self._with_scale(below, index, trainer.finish(), trainer.trained_share(self.state.steps))
            self._hand_out(index + 1, model)

    def _hand_out(self, index: int, model: PyramidModel) -> None:
        """Hand out a model that has its scales up to an index, and those above that are of use untrained."""
        assert self.events.on_preview is not None
        for finer in range(index, len(self.plan.rates)):
            untrained = self._scale_trainer(finer, model)
            if not untrained.usable_untrained:
                break
            model = self._with_scale(model, finer, untrained.finish(), untrained.trained_share(0))
        match_level(model, self.plan.recording, seed=self.plan.seed)
        self.events.on_preview(model)

    def _scale_trainer(self, index: int, below: PyramidModel | None) -> ScaleTrainer:
        plan, rate = self.plan, self.plan.rates[index]
        coarse: Tensor | None = None
        generate_coarse = None
        if below is None:
            real = self._signal(rate)
        else:
            lower = self._signal(plan.rates[index - 1])
            real = self._signal(rate)
            coarse = UPSAMPLERS[plan.preset.upsampling](lower, plan.rates[index - 1], rate, real.shape[1])
            generate_coarse = coarse_signals(below, rate, plan.recording.seconds)
        task = ScaleTask(
            spec=plan.spec(index),
            real=real,
            coarse=coarse,
            segments=plan.recording.segments_at(rate),
            generate_coarse=generate_coarse,
            seed=derived_seed(plan.seed, "scale", index),
            device=self.device,
            previous=self.state.previous,
        )
        trainer = plan.objective.scale_trainer(task)
        for scale in self.settings.start.scales if self.settings.start else ():
            if scale.rate != rate or trainer.start_from(scale.generator) or rate in self._starting_anew:
                continue
            self._starting_anew.add(rate)  # said once: previews prepare the finer scales again and again
            log.warning("the scale of %d Hz starts anew: the model to go on from is built in another way", rate)
        return trainer

    def _signal(self, rate: int) -> Tensor:
        """The recording at a rate, `(channels, samples)`; the last one is kept, as the next scale is trained on it."""
        if rate not in self._signals:
            self._signals = {rate: torch.from_numpy(self.plan.recording.at(rate)).to(self.device)}
        return self._signals[rate]

    def _train_scale(self, index: int, trainer: ScaleTrainer, below: PyramidModel | None) -> dict[str, float]:
        """Steps until the scale's share of the budget, or its number of steps, is spent; returns the last losses."""
        spec = self.plan.spec(index)
        stage = f"scale {index + 1} of {spec.count} ({spec.rate} Hz)"
        while True:
            progress = self._schedule.progress(index, trainer)
            # However little time there is, no scale stays as it was drawn.
            if progress >= 1 and (self.state.steps or not trainer.most_steps):
                return self.state.latest
            self._obey_stop(index, below, trainer)
            with self._going_on():
                losses = trainer.step(progress)
            self._resumed = None
            self.state.steps += 1
            self.state.latest = losses
            self._check(losses, spec)
            self._schedule.note_step(trainer)
            self.events.on_progress(self._schedule.report(index, stage, progress=progress, losses=losses))
            if time.monotonic() - self.last_save > CHECKPOINT_INTERVAL_SECONDS:
                self._save(trainer)
            if self.events.on_preview is not None and self._preview_clock.due(sum(self.state.seconds)):
                self._preview(index, trainer, below)

    def _obey_stop(self, index: int, below: PyramidModel | None, trainer: ScaleTrainer | None = None) -> None:
        """Stop here if that was asked for: save the state of the scale in training, and hand out what there is."""
        if not self._stop.made:
            return
        if trainer is not None:
            self._save(trainer)
        if self.events.on_preview is not None and trainer is not None and self.state.steps:
            self._preview(index, trainer, below)
        elif self.events.on_preview is not None and below is not None:
            self._hand_out(index, below)
        raise TrainingInterruptedError("training was interrupted")

    def _going_on(self) -> AbstractContextManager[None]:
        """What is done with a state that was read: it may fail in any way, until the first step is done."""
        return nullcontext() if self._resumed is None else self._resumed.in_use()

    def _check(self, losses: Mapping[str, float], spec: ScaleSpec) -> None:
        bad = [name for name, value in losses.items() if not math.isfinite(value)]
        if bad:
            raise self._diverged(spec, f"{bad[0]} is {losses[bad[0]]}")

    def _diverged(self, spec: ScaleSpec, sign: str) -> TrainingDivergedError:
        return TrainingDivergedError(
            f"training diverged at the scale of {spec.rate} Hz, step {self.state.steps}: {sign}; "
            "try another --seed or a lower learning rate in a preset of your own"
        )

    def _finish_scale(self, index: int, model: PyramidModel, trainer: ScaleTrainer) -> None:
        self.state.model = model.content()
        self.state.scale = index + 1
        self.state.trainer = {}
        self.state.steps = 0
        self.state.latest = {}
        self._resumed = None
        self.state.previous = trainer.warm_start_state()
        return_freed_memory()
        if self.settings.checkpoint is not None:
            self.state.save(self.settings.checkpoint)
            self.last_save = time.monotonic()

    def _save(self, trainer: ScaleTrainer) -> None:
        if self.settings.checkpoint is not None:
            self.state.trainer = trainer.state_dict()
            self.state.save(self.settings.checkpoint)
            self.last_save = time.monotonic()


def train(
    clips: AudioClip | Sequence[AudioClip], *, device: str = "auto", progress: bool = False, **settings: Any
) -> PyramidModel:
    """Train a model on one recording.

    Args:
        clips: one recording, or several of the same source.
        device: `auto`, `cpu`, `cuda` or `mps`.
        progress: show how it goes: a bar on a terminal or below the cell of a notebook, elsewhere a line now and then
            on standard error.
        settings: those of `make_plan`.

    Example:
        >>> from caw_toolkit import read_audio, train                          # doctest: +SKIP
        >>> model = train(read_audio("clip.wav"), minutes=5, progress=True)    # doctest: +SKIP
    """
    plan = make_plan(clips, **settings)
    with shown_to_people() if progress else nullcontext() as show:
        return Trainer(plan, RunSettings(device), RunEvents() if show is None else RunEvents(show)).run()
