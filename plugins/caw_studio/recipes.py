"""What the page asks for, as command lines of `caw`: results are made by running them, and can be made so again.

Paths are relative to the folder that is worked in. Each recipe checks what it is given; `caw` checks the rest.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from caw_studio.chains import chain_toml, plain_value
from caw_studio.library import MODEL_SUFFIX, Library
from caw_studio.panels import known_panels
from caw_toolkit import CawUsageError, read_audio, write_audio
from caw_toolkit.audio.formats import result_suffix
from caw_toolkit.pyramid.coherence import LEAST_COHERENCE_SECONDS, MOST_COHERENCE_SECONDS

Settings = Mapping[str, Any]
Lane = Literal["training", "other"]

#: Length of what a chain is tried on.
EXCERPT_SECONDS = 10.0
MOST_TAKES, MOST_GAPS = 20, 200
_MODEL = frozenset({MODEL_SUFFIX})
_LARGEST_SEED, _LARGEST_DRAWN_SEED = 2**63 - 1, 2**31 - 1


@dataclass(frozen=True)
class Recipe:
    """How a job is done.

    Attributes:
        title: one line that says what it is.
        arguments: of `caw`.
        outputs: names of the results; none if they are not known before.
        settings: as they were given, with the seed that was drawn.
        of: name of the recording that it starts from, if there is one.
        lane: jobs of one lane wait for each other.
        previews: names of what is written again and again on the way.
    """

    title: str
    arguments: list[str]
    outputs: list[str]
    settings: dict[str, Any]
    of: str | None = None
    lane: Lane = "other"
    previews: list[str] = field(default_factory=list)


def make_recipe(kind: object, settings: object, library: Library, folder: Path) -> Recipe:
    """Turn settings into a command line, and put what it reads beside its results where it has to be.

    Args:
        kind: name of a recipe.
        settings: its settings by name.
        library: files that may be named in them.
        folder: for what is made.

    Raises:
        CawUsageError: a setting is missing or wrong.
    """
    if not isinstance(kind, str) or kind not in _RECIPES:
        raise CawUsageError(f"there is no job of the kind {str(kind)[:80]!r}")
    if not isinstance(settings, Mapping):
        raise CawUsageError("the settings must be an object")
    return _RECIPES[kind](_Asked(settings, library, folder))


class _Asked:
    """Settings, read one by one, and the places for results."""

    def __init__(self, settings: Settings, library: Library, folder: Path) -> None:
        self.settings = dict(settings)
        self.library = library
        self.folder = folder

    def recording(self) -> str:
        return self.library.name(self.library.path(self.settings.get("recording")))

    def model(self) -> str:
        return self.library.name(self.library.path(self.settings.get("model"), _MODEL))

    def optional_model(self) -> list[str]:
        return [] if self.settings.get("model") in (None, "") else ["--model", _path(self.model())]

    def place(self, name: str) -> str:
        return self.library.name(self.folder / name)

    def beside(self) -> str:
        """The recording, beside the results: for commands that write there."""
        return self.library.name(self.library.put_into(self.folder, self.library.folder / self.recording()))

    def number(self, name: str, low: float, high: float, default: float | None = None) -> float | None:
        value = self.settings.get(name)
        if value in (None, ""):
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise CawUsageError(f"{name} must be a number from {low:g} to {high:g}, not {str(value)[:40]!r}")
        return value

    def count(self, name: str, low: int, high: int, default: int) -> int:
        value = self.number(name, low, high, default)
        assert value is not None
        if value != int(value):
            raise CawUsageError(f"{name} must be a whole number, not {value!r}")
        return int(value)

    def option(self, name: str, low: float, high: float) -> list[str]:
        """`--name value`, if there is a value."""
        value = self.number(name, low, high)
        return [] if value is None else [f"--{name}", f"{value:.10g}"]

    def seed(self) -> list[str]:
        """`--seed N`, drawn if it is left open."""
        seed = self.count("seed", 0, _LARGEST_SEED, secrets.randbelow(_LARGEST_DRAWN_SEED))
        self.settings["seed"] = seed
        return ["--seed", str(seed)]

    def log(self) -> list[str]:
        return ["--log", self.place("log.jsonl")]


def _train(asked: _Asked) -> Recipe:
    clip, model, so_far, take = asked.recording(), *map(asked.place, ("model.pt", "so-far.pt", "take.wav"))
    previews = ["--preview", so_far, "--preview", take]
    material = asked.settings.get("material", "auto")
    if material not in ("auto", "speech", "music", "ambience"):
        raise CawUsageError(f"material must be auto, speech, music or ambience, not {str(material)[:40]!r}")
    part = [*asked.option("start", 0, 1e6), *asked.option("duration", 0.1, 1e6)]
    arguments = [
        "train",
        *asked.option("minutes", 0.01, 10_000),
        *part,
        "--material",
        material,
        *asked.seed(),
        *previews,
    ]
    return Recipe(
        f"Model of {_last(clip)}",
        [*arguments, "-o", model, _path(clip)],
        [model, so_far],
        asked.settings,
        of=clip,
        lane="training",
        previews=[take],
    )


def _generate(asked: _Asked) -> Recipe:
    model, count = asked.model(), asked.count("count", 1, MOST_TAKES, 3)
    seconds = asked.number("seconds", 0.1, 3600, 15)
    takes = ["take.wav"] if count == 1 else [f"take_take{number}.wav" for number in range(1, count + 1)]
    coherence = asked.option("coherence", LEAST_COHERENCE_SECONDS, MOST_COHERENCE_SECONDS)
    arguments = ["generate", "--model", _path(model), "--duration", f"{seconds:g}", "-n", str(count)]
    return Recipe(
        f"{count} take{'s' * (count > 1)} from {_model_title(asked, model)}",
        [*arguments, *coherence, *asked.seed(), *asked.log(), "-o", asked.place("take.wav")],
        list(map(asked.place, takes)),
        asked.settings,
        of=_trained_on(asked),
    )


def _inpaint(asked: _Asked) -> Recipe:
    recording, gaps = asked.recording(), _gaps(asked.settings.get("gaps"))
    count = asked.count("count", 1, MOST_TAKES, 3)
    places = [word for start, stop, channel in gaps if not channel for word in ("--gap", start, stop)]
    if of_one := [f"{start}\t{stop}\tgap ({channel})\n" for start, stop, channel in gaps if channel]:
        labels = asked.folder / "gaps.txt"
        labels.write_text("".join(of_one), encoding="utf-8")
        places += ["--labels", asked.library.name(labels)]
    stem, suffix = Path(recording).stem, result_suffix(Path(recording))
    fillings = [f"{stem}.inpainted{number if count > 1 else ''}{suffix}" for number in range(1, count + 1)]
    arguments = ["inpaint", *places, "-n", str(count), *asked.optional_model(), *asked.option("minutes", 0.01, 1000)]
    return Recipe(
        f"{len(gaps)} gap{'s' * (len(gaps) > 1)} in {_last(recording)} filled",
        [*arguments, *asked.seed(), *asked.log(), _path(asked.beside())],
        list(map(asked.place, fillings)),
        asked.settings,
        of=recording,
    )


def _gaps(gaps: object) -> list[tuple[str, str, str | None]]:
    """Start and stop of each in seconds, and the channel that it is in if it is not in all."""
    wrong = CawUsageError("mark the gaps first: pairs of seconds, each beginning before its end")
    if not isinstance(gaps, Sequence) or isinstance(gaps, str) or not 0 < len(gaps) <= MOST_GAPS:
        raise wrong
    checked = []
    for gap in gaps:
        if not isinstance(gap, Sequence) or isinstance(gap, str) or len(gap) not in (2, 3):
            raise wrong
        start, stop, channel = (*gap, None)[:3]
        if any(isinstance(edge, bool) or not isinstance(edge, (int, float)) for edge in (start, stop)):
            raise wrong
        if not (math.isfinite(start) and 0 <= start < stop <= 1e6) or channel not in (None, "left", "right"):
            raise wrong
        checked.append((f"{start:.6f}", f"{stop:.6f}", channel))
    return checked


def _denoise(asked: _Asked) -> Recipe:
    recording = asked.recording()
    outputs = list(map(asked.place, ("denoised.wav", "residual.wav")))
    strength = asked.number("strength", 0, 1, 1)
    declick = ["--declick" if asked.settings.get("declick", True) else "--no-declick"]
    arguments = ["denoise", "--strength", f"{strength:g}", *declick, *asked.optional_model(), *asked.log()]
    return Recipe(
        f"{_last(recording)} denoised",
        [*arguments, "-o", outputs[0], "--residual", outputs[1], _path(recording)],
        outputs,
        asked.settings,
        of=recording,
    )


def _extend(asked: _Asked) -> Recipe:
    recording, target = asked.recording(), asked.place("extended.wav")
    arguments = ["bwe", "--model", _path(asked.model()), *asked.seed(), *asked.log(), "-o", target, _path(recording)]
    return Recipe(f"{_last(recording)} with highs", arguments, [target], asked.settings, of=recording)


def _vary(asked: _Asked) -> Recipe:
    recording, target = asked.recording(), asked.place("varied.wav")
    strength = asked.number("strength", 0, 1, 0.5)
    scale = asked.count("scale", 0, 768_000, 0)
    entry = ["--scale", str(scale)] if scale else []
    arguments = ["vary", *asked.optional_model(), "--strength", f"{strength:g}", *entry, *asked.seed(), *asked.log()]
    return Recipe(
        f"{_last(recording)} varied, strength {strength:g}",
        [*arguments, "-o", target, _path(recording)],
        [target],
        asked.settings,
        of=recording,
    )


def _chain(asked: _Asked) -> Recipe:
    recording, target = asked.recording(), asked.place("processed.wav")
    chain = asked.folder / "chain.toml"
    chain.write_text(chain_toml(asked.settings.get("chain"), asked.library), encoding="utf-8")
    source, outputs, title = recording, [target], f"{_last(recording)} through a chain"
    start = asked.number("excerpt_from", 0, 1e6)
    if start is not None:
        source, title = _excerpt(asked, start), f"Ten seconds of {title}"
        outputs = [target, source]
    arguments = ["process", "--chain", asked.library.name(chain), *asked.log(), _path(source), target]
    return Recipe(title, arguments, outputs, asked.settings, of=source)


def _excerpt(asked: _Asked, start: float) -> str:
    """Ten seconds of the recording, as a file beside the results."""
    clip = read_audio(asked.library.folder / asked.recording(), start_seconds=start, duration_seconds=EXCERPT_SECONDS)
    path = asked.folder / "excerpt.wav"
    write_audio(path, clip.samples, clip.sample_rate, bit_depth="float")
    return asked.library.name(path)


def _panel(asked: _Asked) -> Recipe:
    name, values, recording = asked.settings.get("panel"), asked.settings.get("values", {}), asked.recording()
    if not isinstance(name, str) or name not in known_panels() or not isinstance(values, Mapping):
        raise CawUsageError(f"there is no panel {str(name)[:80]!r}")
    parameters = {parameter.name: parameter for parameter in known_panels()[name].parameters}
    settings = []
    for key, value in values.items():
        if key not in parameters:
            raise CawUsageError(f"{name} has no parameter {str(key)[:80]!r}")
        settings += ["--set", f"{key}={plain_value(parameters[key], value, asked.library)}"]
    arguments = ["panel", *settings, *asked.log(), "-o", asked.library.name(asked.folder), name, _path(recording)]
    return Recipe(f"{_last(recording)}: {name}", arguments, [], asked.settings, of=recording)


def _path(name: str) -> str:
    """A name as an argument: never taken for an option."""
    return f"./{name}" if name.startswith("-") else name


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _trained_on(asked: _Asked) -> str | None:
    """The recording that is worked on when takes are made, if one is."""
    return asked.recording() if asked.settings.get("recording") else None


def _model_title(asked: _Asked, model: str) -> str:
    """What a model is called: after the recording that it was trained on, if that was done here."""
    try:
        job = json.loads((asked.library.folder / model).with_name("job.json").read_text(encoding="utf-8"))
        return f"the model of {_last(str(job['recipe']['of']))}"
    except (OSError, ValueError, KeyError, TypeError):
        return _last(model)


_RECIPES: Mapping[str, Callable[[_Asked], Recipe]] = {
    "train": _train,
    "generate": _generate,
    "inpaint": _inpaint,
    "denoise": _denoise,
    "bwe": _extend,
    "vary": _vary,
    "chain": _chain,
    "panel": _panel,
}
