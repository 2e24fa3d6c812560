"""The analysis pyramid: clips joined into one recording whose joins nothing crosses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.errors import CawError
from caw_toolkit.generators.base import ScaleGenerator
from caw_toolkit.generators.flow import FlowGenerator
from caw_toolkit.pyramid.recording import join
from caw_toolkit.training.objectives.base import Objective, ScaleSpec, ScaleTask, ScaleTrainer
from caw_toolkit.training.objectives.regression import RegressionOptions, RegressionTrainer
from caw_toolkit.training.plan import make_plan
from caw_toolkit.training.run_settings import RunSettings
from caw_toolkit.training.trainer import Trainer
from scale_tasks import make_task

RATE = 4000


def tone(
    seconds: float, *, frequency: float = 220, peak: float = 0.5, rate: int = RATE, channels: int = 1
) -> AudioClip:
    time = np.arange(round(seconds * rate)) / rate
    return AudioClip(np.tile(peak * np.sin(2 * np.pi * frequency * time), (channels, 1)).astype(np.float32), rate)


class TestJoin:
    def test_one_clip(self) -> None:
        recording = join([tone(2, peak=0.25)])
        assert recording.segments == ((0, 2 * RATE),)
        assert recording.channels == 1 and recording.seconds == 2
        assert recording.peak == pytest.approx(0.25, rel=1e-3)
        assert np.abs(recording.samples).max() == pytest.approx(1)
        assert recording.samples.dtype == np.float32

    def test_clips_follow_each_other_and_keep_their_balance(self) -> None:
        recording = join([tone(3, peak=0.8), tone(4, peak=0.2)])
        assert recording.segments == ((0, 3 * RATE), (3 * RATE, 7 * RATE))
        (a, b), (c, d) = recording.segments
        quiet = np.abs(recording.samples[:, c:d]).max()
        assert np.abs(recording.samples[:, a:b]).max() == pytest.approx(1, abs=1e-3)
        assert quiet == pytest.approx(0.25, rel=1e-2)
        assert recording.peak == pytest.approx(0.8, rel=1e-2)

    def test_clips_of_other_rates_are_resampled(self) -> None:
        recording = join([tone(2), tone(2, rate=16000)])
        assert recording.sample_rate == RATE and recording.segments[-1][1] == 4 * RATE
        first, second = recording.samples[0, : 2 * RATE], recording.samples[0, 2 * RATE :]
        np.testing.assert_allclose(first[400:-400], second[400:-400], atol=2e-3)

    def test_the_rate_can_be_chosen(self) -> None:
        recording = join([tone(2, rate=16000)], sample_rate=8000)
        assert recording.sample_rate == 8000 and recording.samples.shape == (1, 16000)

    def test_mono_and_stereo_do_not_mix(self) -> None:
        with pytest.raises(CawError, match="partly mono and partly stereo"):
            join([tone(2), tone(2, channels=2)])
        assert join([tone(2, channels=2), tone(2, channels=2)]).channels == 2

    @pytest.mark.parametrize(
        ("seconds", "segments"),
        [
            ((0.5, 1, 0.25, 0.5), [2.25]),
            ((4, 1, 0.5), [5.5]),
            ((1, 4, 0.5, 3), [5, 3.5]),
            ((1.9, 3, 3), [4.9, 3]),
        ],
    )
    def test_short_clips_share_a_segment(self, seconds: tuple[float, ...], segments: list[float]) -> None:
        recording = join([tone(each) for each in seconds])
        assert [(stop - start) / RATE for start, stop in recording.segments] == segments
        assert recording.seconds == sum(seconds)

    def test_short_clips_fade_where_they_meet(self) -> None:
        constant = AudioClip(np.ones((1, RATE), np.float32), RATE)
        samples = join([constant, constant]).samples[0]
        assert samples[RATE - 1] == samples[RATE] == 0
        assert np.abs(np.diff(samples)).max() < 0.06
        assert (samples < 1).sum() <= 2 * 0.005 * RATE
        assert np.all(constant.samples == 1)


class TestRates:
    @pytest.mark.parametrize("rate", [320, 500, 1000, 2500, 4000])
    def test_segments_match_the_signal_at_every_rate(self, rate: int) -> None:
        recording = join([tone(2.1013), tone(2.37), tone(3.1)])
        segments = recording.segments_at(rate)
        assert len(segments) == 3 and segments[0][0] == 0
        assert all(before[1] == after[0] for before, after in zip(segments[:-1], segments[1:], strict=True))
        assert recording.at(rate).shape[1] == segments[-1][1]

    def test_nothing_rings_across_a_join(self) -> None:
        silence = AudioClip(np.zeros((1, 3 * RATE), np.float32), RATE)
        recording = join([tone(3, frequency=430), silence])
        start, stop = recording.segments_at(1000)[1]
        assert np.abs(recording.at(1000)[:, start:stop]).max() == 0


class RecordingTrainer(RegressionTrainer):
    """Remembers which crops it is given."""

    loss_name = "nothing"

    def __init__(self, task: ScaleTask, options: RegressionOptions) -> None:
        generator = FlowGenerator(
            audio_channels=1, conditional=False, frame_samples=4, widths=(4,), companding=0.6, solver_steps=1
        )
        super().__init__(generator, task, options, frame_samples=4)
        self.crops: list[tuple[int, int]] = []

    def loss(self, starts: Tensor) -> Tensor:
        self.crops += [(start, start + self.crop) for start in starts.tolist()]
        return sum((parameter.square().sum() for parameter in self.model.parameters()), torch.zeros(()))


def crops_of(segments: tuple[tuple[int, int], ...], crop_frames: int) -> list[tuple[int, int]]:
    task = make_task(0, torch.zeros(1, segments[-1][1]), rate=500, segments=segments)
    trainer = RecordingTrainer(task, RegressionOptions(batch=64, crop_frames=crop_frames))
    for _ in range(60):
        trainer.step(0.0)
    return trainer.crops


class TestCrops:
    def test_no_window_crosses_a_join(self) -> None:
        segments = ((0, 300), (300, 420), (500, 900))
        crops = crops_of(segments, crop_frames=32)
        assert all(any(start <= a and b <= stop for start, stop in segments) for a, b in crops)

    def test_windows_reach_every_place_of_a_segment(self) -> None:
        starts = {a for a, _ in crops_of(((0, 150), (200, 380)), crop_frames=32)}
        assert {0, 150 - 128, 200, 380 - 128} <= starts

    def test_segments_below_the_windows_length_are_left_out(self) -> None:
        assert all(a >= 100 for a, _ in crops_of(((0, 100), (100, 400)), crop_frames=32))

    def test_windows_shrink_to_the_longest_segment(self) -> None:
        crops = crops_of(((0, 70), (70, 200)), crop_frames=1024)
        assert {b - a for a, b in crops} == {128}

    def test_too_short_a_recording(self) -> None:
        with pytest.raises(CawError, match="too short"):
            crops_of(((0, 40), (40, 80)), crop_frames=32)


class Inspector(Objective):
    """Keeps the tasks that it is given and trains nothing."""

    def __init__(self, inner: Objective) -> None:
        self.inner = inner
        self.tasks: list[ScaleTask] = []

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Inspector:
        raise NotImplementedError

    def untrained_generator(self, spec: ScaleSpec) -> ScaleGenerator:
        return self.inner.untrained_generator(spec)

    def scale_trainer(self, task: ScaleTask) -> ScaleTrainer:
        self.tasks.append(task)
        return self.inner.scale_trainer(task)


def test_all_scales_stay_aligned_over_many_joins(tiny_preset: Path) -> None:
    """Lengths that are whole at no scale but the finest: an error at each join would add up to milliseconds."""
    clips = [tone(2.2 + 5 / RATE, frequency=100 + 10 * number) for number in range(8)]
    plan = make_plan(clips, preset=tiny_preset, material="speech", objective_options={})
    inspector = Inspector(plan.objective)
    Trainer(replace(plan, objective=inspector), RunSettings(device="cpu")).run()
    assert len(inspector.tasks) == len(plan.rates) == 3
    for task in inspector.tasks[1:]:
        assert task.coarse is not None
        start, stop = task.segments[-1]
        inner = slice(start + task.spec.rate // 4, stop - task.spec.rate // 4)
        difference = (task.real - task.coarse)[:, inner]
        assert difference.abs().max() < 0.05, f"{task.spec.rate} Hz"
