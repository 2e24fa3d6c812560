"""Hearing a model while it is trained, and going on from a finished one."""

from __future__ import annotations

import logging
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from click.testing import CliRunner

from caw_process import run_caw
from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.cli import main
from caw_toolkit.errors import CawError
from caw_toolkit.generators.flow import FlowGenerator
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.training.plan import Plan, make_plan
from caw_toolkit.training.previews import PreviewClock
from caw_toolkit.training.run_settings import RunEvents, RunSettings
from caw_toolkit.training.schedule import Progress
from caw_toolkit.training.trainer import Trainer, TrainingInterruptedError
from weights import assert_same_weights, weights

PRESET = """\
[scales]
candidate_rates = [500, 2000, 4000]
upsampling = "sinc"
[objective]
name = "staged"
[[objective.stages]]
name = "flow_matching"
steps = 8
widths = [8, 8]
kernel_size = 3
batch = 4
crop_frames = 32
solver_steps = 2
[[objective.stages]]
name = "exemplar"
[[objective.stages]]
name = "{finest}"
steps = 8
widths = [8, 8]
batch = 4
crop_frames = 32
"""


@pytest.fixture(autouse=True)
def at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview is due whenever it is asked for."""
    monkeypatch.setattr(PreviewClock, "due", lambda clock, elapsed: True)


def plan_of(clip: AudioClip, folder: Path, finest: str = "exemplar_or_gaussian", **settings: object) -> Plan:
    path = folder / f"{finest}.toml"
    path.write_text(PRESET.format(finest=finest), encoding="utf-8")
    short = AudioClip(np.ascontiguousarray(clip.samples[:, : 4 * clip.sample_rate]), clip.sample_rate)
    settings = {"rates": (500, 2000, 4000), "sample_rate": 4000, "seed": 2, "material": "speech", **settings}
    return make_plan(short, preset=path, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("stopped_at", [3, 8])
def test_a_stopped_training_hands_out_what_there_is(
    speech: AudioClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_at: int
) -> None:
    monkeypatch.setattr(PreviewClock, "due", lambda clock, elapsed: False)
    heard: list[PyramidModel] = []
    steps = 0

    def interrupt(progress: Progress) -> None:
        nonlocal steps
        steps += bool(progress.losses)  # other events tell of stages
        if progress.losses and steps == stopped_at:
            signal.raise_signal(signal.SIGINT)

    trainer = Trainer(plan_of(speech, tmp_path), events=RunEvents(on_progress=interrupt, on_preview=heard.append))
    with pytest.raises(TrainingInterruptedError):
        trainer.run()
    assert [model.training["trained_shares"] for model in heard] == [pytest.approx([stopped_at / 8, 1.0, 0.0])]
    assert heard[0].generate(1.0, seed=0).std() > 1e-4


def test_every_preview_is_a_whole_model_and_changes_nothing(speech: AudioClip, tmp_path: Path) -> None:
    heard: list[tuple[tuple[int, ...], list[float], np.ndarray]] = []

    def listen(model: PyramidModel) -> None:
        heard.append((model.rates, model.training["trained_shares"], model.generate(1.0, seed=0)))
        model.save(tmp_path / "preview.pt")

    plan = plan_of(speech, tmp_path)
    model = Trainer(plan, events=RunEvents(on_preview=listen)).run()
    assert len(heard) == 16
    assert {rates for rates, _, _ in heard} == {(500, 2000, 4000)}
    assert heard[0][1] == pytest.approx([1 / 8, 1.0, 0.0]) and heard[-1][1] == [1.0, 1.0, 1.0]
    assert all(np.isfinite(take).all() and take.std() > 1e-4 for _, _, take in heard)
    np.testing.assert_array_equal(
        PyramidModel.load(tmp_path / "preview.pt").generate(1.0, seed=0), model.generate(1.0, seed=0)
    )
    assert_same_weights(model, Trainer(plan).run())


def test_a_preview_ends_below_scales_that_are_of_no_use_untrained(speech: AudioClip, tmp_path: Path) -> None:
    rates = []
    Trainer(
        plan_of(speech, tmp_path, "conditional_gaussian"),
        events=RunEvents(on_preview=lambda model: rates.append(model.rates)),
    ).run()
    assert rates[0] == (500, 2000) and rates[-1] == (500, 2000, 4000)


def test_a_failing_preview_ends_the_training_with_its_error(speech: AudioClip, tmp_path: Path) -> None:
    def fail(model: PyramidModel) -> None:
        raise CawError("no room")

    with pytest.raises(CawError, match="no room"):
        Trainer(plan_of(speech, tmp_path), events=RunEvents(on_preview=fail)).run()


def test_a_finished_model_is_gone_on_from(speech: AudioClip, tmp_path: Path) -> None:
    first = Trainer(plan_of(speech, tmp_path)).run()
    begun: list[PyramidModel] = []
    plan = plan_of(speech, tmp_path, seed=3)
    trainer = Trainer(plan, RunSettings(start=first), RunEvents(on_preview=begun.append))
    scale = trainer._scale_trainer(0, None)
    assert scale.start_from(first.scales[0].generator)
    for name, value in first.scales[0].generator.named_parameters():
        torch.testing.assert_close(scale.finish().generator.get_parameter(name), value, rtol=0, atol=0)
    second = trainer.run()
    distances = [
        float(sum((a.float() - b.float()).square().sum() for a, b in zip(weights(model), weights(first), strict=True)))
        for model in (second, Trainer(plan).run())
    ]
    assert 0 < distances[0] < distances[1] / 2
    assert plan.fingerprint() == trainer.state.fingerprint.partition(" from ")[0] != trainer.state.fingerprint


def test_what_is_built_in_another_way_starts_anew_and_says_so(
    speech: AudioClip, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = plan_of(speech, tmp_path)
    first = Trainer(plan).run()
    flow = first.scales[0].generator
    assert isinstance(flow, FlowGenerator) and flow.architecture["kernel_size"] == 3
    flow.architecture = {**flow.architecture, "kernel_size": 5}
    trainer = Trainer(plan, RunSettings(start=first))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):  # as previews do with finer scales
            trainer._scale_trainer(0, None)
    assert caplog.text.count("scale of 500 Hz starts anew") == 1


@pytest.fixture
def clip(speech: AudioClip, tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    sf.write(path, speech.samples[0, : 4 * speech.sample_rate], speech.sample_rate)
    return path


def command(clip: Path, tmp_path: Path, *more: str) -> list[str]:
    (tmp_path / "p.toml").write_text(PRESET.format(finest="exemplar_or_gaussian"), encoding="utf-8")
    settings = ["--preset", str(tmp_path / "p.toml"), "--sample-rate", "4000", "--scales", "500,2000,4000"]
    return ["train", str(clip), "-o", str(tmp_path / "m.pt"), "--material", "speech", *settings, *more]


def test_the_command_writes_takes_and_models_that_can_be_used(clip: Path, tmp_path: Path) -> None:
    take, model = tmp_path / "take.wav", tmp_path / "so-far.pt"
    done = run_caw(*command(clip, tmp_path, "--preview", str(take), "--preview", str(model), "--seed", "1"))
    assert done.returncode == 0, done.stderr
    assert f"wrote {take} after" in done.stderr and f"wrote {model} after" in done.stderr
    assert sf.info(take).frames == 40000 and sf.read(take)[0].std() > 1e-3
    assert PyramidModel.load(model).rates == (500, 2000, 4000)
    more = run_caw(*command(clip, tmp_path, "--from", str(model), "--seed", "2", "--force"))
    assert more.returncode == 0, more.stderr


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--preview", "{clip}"], "clip.wav"),
        (["--preview", "{folder}/m.pt"], "m.pt"),
        (["--preview", "{folder}/there.wav"], "there.wav exists; add --force"),
        (["--preview", "{folder}/there.pt"], "there.pt exists; add --force"),
        (["--preview", "{folder}/take.xyz"], "cannot tell the format"),
        (["--preview", "-"], "name a file"),
        (["--from", "{folder}/there.pt"], "there.pt"),
    ],
)
def test_what_cannot_be_written_or_gone_on_from_is_said_at_once(
    clip: Path, tmp_path: Path, more: list[str], words: str
) -> None:
    for name in ("there.wav", "there.pt"):
        (tmp_path / name).write_bytes(b"x")
    done = run_caw(*command(clip, tmp_path, *(part.format(clip=clip, folder=tmp_path) for part in more)))
    assert done.returncode in (1, 2) and words in done.stderr and len(done.stderr.splitlines()) <= 4, done.stderr
    assert not (tmp_path / "m.pt").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--sample-rate", "32000"],
            "the model will be at 32000 Hz, and will know nothing above 8000 Hz",
        ),
        (["--sample-rate", "8000"], ""),
        ([], ""),
    ],
)
def test_a_rate_that_the_recording_does_not_have_is_said(
    clip: Path, tmp_path: Path, options: list[str], words: str
) -> None:
    arguments = ["train", str(clip), "-o", str(tmp_path / "m.pt"), "--dry-run", "--seed", "1", *options]
    said = CliRunner().invoke(main, arguments).stderr
    assert words in said and ("model will be" in said) == bool(words)


def test_a_model_of_other_scales_or_channels_is_refused(clip: Path, tmp_path: Path, tiny_model_path: Path) -> None:
    scales = ["--scales", "700,2800,4100", "--sample-rate", "4100"]
    done = run_caw(*command(clip, tmp_path, "--from", str(tiny_model_path), *scales))
    assert done.returncode == 2 and "add --scales 500,2000,4000" in done.stderr
    stereo = tmp_path / "stereo.wav"
    sf.write(stereo, np.stack([sf.read(clip)[0]] * 2, axis=1) * [1.0, 0.5], 16000)
    done = run_caw(*command(stereo, tmp_path, "--from", str(tiny_model_path)))
    assert done.returncode == 2 and "one cannot go on from the other" in done.stderr
