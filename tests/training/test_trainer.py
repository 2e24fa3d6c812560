"""Training a whole pyramid: plans, progress, budgets, seeds, divergence, interruption and resuming."""

from __future__ import annotations

import itertools
import math
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.errors import CawError, CawUsageError
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.hookspecs import ScaleTrained
from caw_toolkit.pyramid.material import Material
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.training import trainer as training
from caw_toolkit.training.objectives.base import Objective, ScaleSpec, ScaleTask, ScaleTrainer
from caw_toolkit.training.plan import Plan, make_plan
from caw_toolkit.training.run_settings import RunEvents, RunSettings
from caw_toolkit.training.schedule import Progress
from caw_toolkit.training.trainer import Trainer, TrainingDivergedError, TrainingInterruptedError
from weights import assert_same_weights, weights

RATES = (500, 2000, 4000)


def tiny_plan(clip: AudioClip | list[AudioClip], preset: Path, **settings: Any) -> Plan:
    settings = {"seed": 5, "material": "speech", "sample_rate": RATES[-1], "rates": RATES, **settings}
    return make_plan(clip, preset=preset, **settings)


@pytest.fixture(scope="module")
def short(speech: AudioClip) -> AudioClip:
    """Three seconds of speech."""
    return AudioClip(np.ascontiguousarray(speech.samples[:, : 3 * speech.sample_rate]), speech.sample_rate)


class TestPlan:
    def test_rates_seed_and_channels(self, short: AudioClip, tiny_preset: Path) -> None:
        plan = tiny_plan(short, tiny_preset, rates=None)
        assert plan.rates == RATES and plan.seed == 5 and plan.material is Material.SPEECH
        assert plan.minutes is None
        assert [plan.spec(index).rate for index in range(3)] == list(RATES)
        assert sum(plan.shares()) == pytest.approx(1)

    @pytest.mark.parametrize("minutes", [0.0, -1.0, math.nan, math.inf])
    def test_minutes_must_be_positive(self, short: AudioClip, tiny_preset: Path, minutes: float) -> None:
        with pytest.raises(CawUsageError, match="minutes must be positive"):
            tiny_plan(short, tiny_preset, minutes=minutes)

    def test_too_short_and_too_long(self, short: AudioClip, tiny_preset: Path) -> None:
        with pytest.raises(CawError, match=r"0\.100 s long: at least 2 s"):
            tiny_plan(AudioClip(short.samples[:, :1600], 16000), tiny_preset)
        long = AudioClip(np.resize(short.samples, (1, 4000 * 601)), 4000)
        with pytest.raises(CawError, match=r"10\.0 minutes long, the limit is 10"):
            tiny_plan(long, tiny_preset)

    def test_rates_above_48_khz_are_lowered_unless_asked_for(self, tiny_preset: Path) -> None:
        noise = 0.1 * np.random.default_rng(0).standard_normal((1, 3 * 96000), np.float32)
        settings: dict[str, Any] = {"preset": tiny_preset, "material": "ambience"}
        assert make_plan(AudioClip(noise, 96000), **settings).rates[-1] == 48000
        assert make_plan(AudioClip(noise, 96000), sample_rate=96000, **settings).rates[-1] == 96000

    def test_options_laid_over_the_presets_are_part_of_the_plan(self, short: AudioClip) -> None:
        """Else a training could be resumed with another network."""
        plain, changed = (
            make_plan(short, preset="paper", material="speech", objective_options=options, rates=[500])
            for options in ({}, {"blocks": 5})
        )
        assert changed.preset.objective_options["blocks"] == 5
        assert plain.fingerprint() != changed.fingerprint()

    def test_the_fingerprint_tells_recordings_and_settings_apart(self, short: AudioClip, tiny_preset: Path) -> None:
        other = AudioClip(short.samples[:, ::-1].copy(), short.sample_rate)
        plans = [
            tiny_plan(short, tiny_preset),
            tiny_plan(other, tiny_preset),
            tiny_plan(short, tiny_preset, seed=6),
            tiny_plan(short, tiny_preset, minutes=1.0),
            tiny_plan(short, tiny_preset, rates=(500, 4000)),
            tiny_plan(short, tiny_preset, material="music"),
        ]
        assert len({plan.fingerprint() for plan in plans}) == len(plans)
        assert plans[0].fingerprint() == tiny_plan(short, tiny_preset).fingerprint()


def steps_of(events: list[Progress]) -> list[Progress]:
    """The events of steps, without those of other stages."""
    return [event for event in events if event.losses]


class TestProgress:
    def test_events_lead_from_nothing_to_everything(self, short: AudioClip, tiny_preset: Path) -> None:
        events: list[Progress] = []
        scales: list[ScaleTrained] = []
        plan = tiny_plan(short, tiny_preset)
        Trainer(
            plan, RunSettings(device="cpu"), RunEvents(on_progress=events.append, on_scale_trained=scales.append)
        ).run()
        fractions = [event.fraction for event in events]
        assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
        elapsed = [event.elapsed_seconds for event in events]
        assert elapsed == sorted(elapsed)
        assert all(event.remaining_seconds >= 0 for event in events) and events[-1].remaining_seconds == 0
        stages = [stage for stage, _ in itertools.groupby(event.stage for event in events)]
        assert stages[:3] == ["preparing scale 1 of 3", "scale 1 of 3 (500 Hz)", "finishing scale 1 of 3"]
        assert len(stages) == 10 and stages[-1] == "setting the level"
        events = steps_of(events)
        assert [event.step for event in events] == [*range(1, 41)] * 3
        assert [(scale.index, scale.count, scale.rate, scale.steps) for scale in scales] == [
            (index, 3, rate, 40) for index, rate in enumerate(RATES)
        ]
        assert [scale.losses for scale in scales] == [events[last].losses for last in (39, 79, 119)]

    def test_the_model_remembers_how_it_was_trained(self, tiny_model: PyramidModel) -> None:
        how = tiny_model.training
        assert how["seed"] == 5 and how["material"] == "speech" and how["objective"] == "staged"
        assert how["preset"].endswith("tiny.toml") and how["minutes"] is None
        assert len(how["losses"]) == len(how["seconds_spent"]) == 3
        assert how["recording_seconds"] == pytest.approx(11.8, abs=0.1)


class TestBudget:
    def test_a_time_budget_is_kept(self, short: AudioClip, tiny_preset: Path) -> None:
        minutes = 0.06
        events: list[Progress] = []
        plan = tiny_plan(short, tiny_preset, minutes=minutes)
        began = time.monotonic()
        model = Trainer(plan, RunSettings(device="cpu"), RunEvents(on_progress=events.append)).run()
        assert time.monotonic() - began < 60 * minutes * 1.1 + 4
        assert 0.55 <= sum(model.training["seconds_spent"]) / (60 * minutes) <= 1.1  # the rest is the level's
        fractions = [event.fraction for event in events]
        assert fractions == sorted(fractions) and fractions[-1] > 0.9
        assert {event.spec.index for event in events} == {0, 1, 2}

    def test_no_scale_stays_as_it_was_drawn_however_little_time_there_is(
        self, short: AudioClip, tiny_preset: Path
    ) -> None:
        events: list[Progress] = []
        model = Trainer(
            tiny_plan(short, tiny_preset, minutes=1e-6), RunSettings(device="cpu"), RunEvents(on_progress=events.append)
        ).run()
        assert [event.step for event in steps_of(events)] == [1, 1, 1]
        assert all(0 < share < 1 for share in model.training["trained_shares"])

    def test_a_time_budget_replaces_the_presets_steps(
        self, short: AudioClip, tiny_preset: Path, tmp_path: Path
    ) -> None:
        preset = tmp_path / "two_steps.toml"
        preset.write_text(tiny_preset.read_text(encoding="utf-8").replace("\nsteps = 40", "\nsteps = 2"))
        events: list[Progress] = []
        Trainer(
            tiny_plan(short, preset, minutes=0.02), RunSettings(device="cpu"), RunEvents(on_progress=events.append)
        ).run()
        assert max(event.step for event in events) > 2


class TestSeeds:
    def test_the_same_seed_gives_the_same_weights(
        self, tiny_model: PyramidModel, speech: AudioClip, tiny_preset: Path
    ) -> None:
        torch.manual_seed(99)  # what torch's own generator holds makes no difference
        again = Trainer(tiny_plan(speech, tiny_preset), RunSettings(device="cpu")).run()
        assert_same_weights(tiny_model, again)

    def test_another_seed_gives_others(self, tiny_model: PyramidModel, speech: AudioClip, tiny_preset: Path) -> None:
        other = Trainer(tiny_plan(speech, tiny_preset, seed=6), RunSettings(device="cpu")).run()
        assert not torch.equal(weights(tiny_model)[3], weights(other)[3])


class TestClips:
    def test_stereo_makes_one_model_of_two_channels(self, speech: AudioClip, tiny_preset: Path) -> None:
        left = speech.samples[0, : 4 * speech.sample_rate]
        stereo = AudioClip(np.stack([left, 0.25 * left]), speech.sample_rate)
        model = Trainer(tiny_plan(stereo, tiny_preset), RunSettings(device="cpu")).run()
        assert model.channels == 2
        audio = model.generate(3, seed=1)
        assert audio.shape == (2, 3 * RATES[-1])
        levels = np.sqrt((audio**2).mean(1))
        assert levels[1] < levels[0], "the quieter channel stays the quieter one"

    def test_several_clips_make_one_model(self, speech: AudioClip, tiny_preset: Path) -> None:
        rate = speech.sample_rate
        clips = [AudioClip(speech.samples[:, a * rate : (a + 3) * rate].copy(), rate) for a in (0, 4, 8)]
        plan = tiny_plan(clips, tiny_preset)
        assert len(plan.recording.segments) == 3
        model = Trainer(plan, RunSettings(device="cpu")).run()
        assert model.reconstruct().shape[1] == pytest.approx(9 * RATES[-1], abs=64)

    @pytest.mark.parametrize("preset", ["fast", "paper"])
    def test_shipped_presets_train(self, preset: str, short: AudioClip, tmp_path: Path) -> None:
        """A moment only, on two scales: what is to be saved can be loaded and makes the same sound."""
        options: dict[str, Any] = {"hidden_channels": 8, "blocks": 4} if preset == "paper" else {}
        plan = make_plan(
            short,
            preset=preset,
            material="speech",
            sample_rate=4000,
            rates=[1000, 2000, 4000],
            minutes=0.01,
            objective_options=options,
        )
        model = Trainer(plan, RunSettings(device="cpu")).run()
        assert len(model.scales) == 3 and "reconstruct" in model.capabilities
        model.save(tmp_path / "model.pt")
        loaded = PyramidModel.load(tmp_path / "model.pt", "cpu")
        audio = model.generate(2, seed=3)
        assert audio.shape == (1, 8000) and np.isfinite(audio).all()
        np.testing.assert_array_equal(loaded.generate(2, seed=3), audio)


class Diverging(Objective):
    """Trains as the inner objective does, and reports a bad loss at one step of one scale."""

    def __init__(self, inner: Objective, scale: int, step: int, effect: float | BaseException | signal.Signals) -> None:
        self.inner, self.scale, self.bad_step, self.effect = inner, scale, step, effect

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Diverging:
        raise NotImplementedError

    def untrained_generator(self, spec: ScaleSpec) -> ScaleGenerator:
        return self.inner.untrained_generator(spec)

    def scale_trainer(self, task: ScaleTask) -> ScaleTrainer:
        trainer = self.inner.scale_trainer(task)
        plain_step, count = trainer.step, 0

        def step(progress: float) -> dict[str, float]:
            nonlocal count
            count += 1
            if task.spec.index == self.scale and count == self.bad_step:
                if isinstance(self.effect, signal.Signals):
                    signal.raise_signal(self.effect)
                    return plain_step(progress)
                if isinstance(self.effect, BaseException):
                    raise self.effect
                return {"some loss": self.effect}
            return plain_step(progress)

        trainer.step = step  # type: ignore[method-assign]
        return trainer


def disturbed(plan: Plan, scale: int, step: int, effect: float | BaseException | signal.Signals) -> Plan:
    return replace(plan, objective=Diverging(plan.objective, scale, step, effect))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_divergence_is_reported_with_its_place(short: AudioClip, tiny_preset: Path, value: float) -> None:
    plan = disturbed(tiny_plan(short, tiny_preset), scale=1, step=3, effect=value)
    with pytest.raises(TrainingDivergedError, match=r"diverged at the scale of 2000 Hz, step 3: some loss is .*--seed"):
        Trainer(plan, RunSettings(device="cpu")).run()


def test_a_learning_rate_out_of_bounds_diverges_or_stays_finite(short: AudioClip) -> None:
    """No NaN passes unseen."""
    options = {"learning_rate": 1e18, "hidden_channels": 4, "coarsest_hidden_channels": 4, "blocks": 4, "epochs": 60}
    plan = make_plan(short, preset="paper", material="speech", rates=[500], sample_rate=4000, objective_options=options)
    with pytest.raises(TrainingDivergedError, match="diverged"):
        Trainer(plan, RunSettings(device="cpu")).run()


class TestResuming:
    @pytest.mark.parametrize(("scale", "step"), [(0, 1), (0, 17), (1, 30), (2, 39)])
    def test_an_interrupted_training_ends_as_if_nothing_had_been(
        self, speech: AudioClip, tiny_preset: Path, tiny_model: PyramidModel, tmp_path: Path, scale: int, step: int
    ) -> None:
        plan, checkpoint = tiny_plan(speech, tiny_preset), tmp_path / "model.pt.checkpoint"
        with pytest.raises(TrainingInterruptedError):
            Trainer(disturbed(plan, scale, step, signal.SIGINT), RunSettings(device="cpu", checkpoint=checkpoint)).run()
        events: list[Progress] = []
        model = Trainer(
            plan, RunSettings(device="cpu", checkpoint=checkpoint, resume=True), RunEvents(on_progress=events.append)
        ).run()
        first = steps_of(events)[0]
        assert (first.spec.index, first.step) == (scale, step + 1)
        assert_same_weights(model, tiny_model)

    def test_a_killed_training_goes_on_from_its_last_checkpoint(
        self,
        speech: AudioClip,
        tiny_preset: Path,
        tiny_model: PyramidModel,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(training, "CHECKPOINT_INTERVAL_SECONDS", 0.0)
        plan, checkpoint = tiny_plan(speech, tiny_preset), tmp_path / "model.pt.checkpoint"
        with pytest.raises(SystemError):
            Trainer(disturbed(plan, 1, 12, SystemError()), RunSettings(device="cpu", checkpoint=checkpoint)).run()
        events: list[Progress] = []
        model = Trainer(
            plan, RunSettings(device="cpu", checkpoint=checkpoint, resume=True), RunEvents(on_progress=events.append)
        ).run()
        first = steps_of(events)[0]
        assert (first.spec.index, first.step) == (1, 12)
        assert_same_weights(model, tiny_model)

    def test_a_finished_training_needs_no_more_steps(
        self, speech: AudioClip, tiny_preset: Path, tiny_model: PyramidModel, tmp_path: Path
    ) -> None:
        """As after a full disk: the model could not be written, the checkpoint holds all of it."""
        plan, checkpoint = tiny_plan(speech, tiny_preset), tmp_path / "model.pt.checkpoint"
        Trainer(plan, RunSettings(device="cpu", checkpoint=checkpoint)).run()
        events: list[Progress] = []
        model = Trainer(
            plan, RunSettings(device="cpu", checkpoint=checkpoint, resume=True), RunEvents(on_progress=events.append)
        ).run()
        assert {event.stage for event in events} == {"setting the level"}
        assert_same_weights(model, tiny_model)

    def test_without_resume_training_starts_anew(self, short: AudioClip, tiny_preset: Path, tmp_path: Path) -> None:
        checkpoint = tmp_path / "model.pt.checkpoint"
        checkpoint.write_bytes(b"anything")
        events: list[Progress] = []
        plan = tiny_plan(short, tiny_preset)
        Trainer(plan, RunSettings(device="cpu", checkpoint=checkpoint), RunEvents(on_progress=events.append)).run()
        first = steps_of(events)[0]
        assert (first.spec.index, first.step) == (0, 1)
