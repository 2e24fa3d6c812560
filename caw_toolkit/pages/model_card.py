"""A page about a model: what it was trained on, what it makes, what it can do."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.errors import harmless_line
from caw_toolkit.pages.page import Page
from caw_toolkit.pages.track import Track, compared, recording_of_model
from caw_toolkit.pyramid.maturity import trained_share
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.seeds import derived_seed

TAKES, TAKE_SECONDS, SEED = 3, 10, 1

_LONGEST_FACT = 300


def model_card(model: PyramidModel, name: str, described: Mapping[str, str]) -> Page:
    """A page about a model, with takes that it generates now.

    Args:
        model: with what it knows of its training.
        name: of its file.
        described: what plugins say of it, by label; commands begin with `caw`.
    """
    commands = {label: text for label, text in described.items() if text.startswith("caw ")}
    others = {label: text for label, text in described.items() if label not in commands}
    options = f"--duration {TAKE_SECONDS} -n {TAKES} --seed {SEED}"
    commands["these takes"] = f"caw generate --model {shlex.quote(name)} {options}"
    recording = recording_of_model(model)
    takes: list[Track] = list(_takes(model))
    tracks = takes if recording is None else [recording, *(compared(take, recording) for take in takes)]
    facts = {label: harmless_line(str(text), _LONGEST_FACT) for label, text in _facts(model)}
    return Page(name, tracks, {**facts, **others}, commands)


def _takes(model: PyramidModel) -> Iterator[Track]:
    for number in range(TAKES):
        samples = model.generate(TAKE_SECONDS, seed=derived_seed(SEED, "take", number))
        yield Track(f"take {number + 1}", AudioClip(samples, model.sample_rate))


def _facts(model: PyramidModel) -> Iterator[tuple[str, object]]:
    """What a model knows of itself, in the words of `caw info`."""
    training = model.training
    for source in training.get("sources", ()):
        yield "trained on", f"{source['name']} ({source['seconds']:.1f} s at {source['sample_rate']} Hz)"
        if "samples_sha256" in source:
            yield "SHA-256 of its samples", source["samples_sha256"]
    yield "licence", training.get("license", "not stated")
    yield "author", training.get("author", "not stated")
    yield "material", training.get("material", "unknown")
    minutes = sum(training.get("seconds_spent", ())) / 60
    share = f", {trained_share(training):.0%} of what was planned" if trained_share(training) < 1 else ""
    yield "preset", training.get("preset", "unknown")
    yield "training", f"seed {training.get('seed')}, {minutes:.1f} minutes{share}"
    yield "finished", training.get("finished", "unknown")
    yield "made with", f"caw_toolkit {training.get('toolkit_version', 'unknown')}"
    yield "scales", ", ".join(f"{scale.rate} Hz ({scale.generator.architecture['type']})" for scale in model.scales)
    yield "can", ", ".join(model.capabilities)
