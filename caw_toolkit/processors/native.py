"""The effects that pedalboard brings: their names, parameters and defaults, how they stream, and making one from
plain values.

pedalboard (0.9) does not say which of its effects give with `reset=False`, chunk after chunk, what they give for the
whole. Measured: most do, chunk for chunk or with a latency; `PitchShift` begins with silence that never ends at high
rates, and `GSMFullRateCompressor` takes other frames. An effect that is not listed here is not trusted to stream.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pedalboard
from pedalboard import Mix as NativeMix

from caw_toolkit.errors import CawError, CawUsageError, did_you_mean, one_line
from caw_toolkit.processors.checks import NumberCheck

#: Effects that return every sample at once.
_WITHOUT_LATENCY = frozenset(
    {
        *("Bitcrush", "Chorus", "Clipping", "Compressor", "Convolution", "Delay", "Distortion", "Gain", "Invert"),
        *("HighShelfFilter", "HighpassFilter", "LadderFilter", "LowShelfFilter", "LowpassFilter", "PeakFilter"),
        *("Limiter", "NoiseGate", "Phaser", "Reverb"),
    }
)

#: Effects that return samples late. Plugins from files tell pedalboard how late they are.
_WITH_LATENCY = frozenset({"AudioUnitPlugin", "BrickwallLimiter", "MP3Compressor", "Resample", "VST3Plugin"})

#: Effects that need chunks of one length, but for the last; they lose track when chunks become longer again.
_OF_EQUAL_CHUNKS = frozenset({"MP3Compressor"})

#: Classes that are no effects by themselves.
_ABSTRACT = frozenset({"Chain", "ExternalPlugin", "IIRFilter", "Mix", "Pedalboard", "Plugin", "PluginContainer"})

#: Bounds that pedalboard leaves out: far beyond them it computes for minutes, or takes all memory.
_BOUNDS: Mapping[tuple[str, str], NumberCheck] = MappingProxyType(
    {("Phaser", "rate_hz"): NumberCheck(-20_000, 20_000), ("Resample", "target_sample_rate"): NumberCheck(100, 768_000)}
)

_PARAMETER = re.compile(r"(?P<name>\w+): (?P<type>[\w.]+(?:\[[^=]*\])?)(?: = (?P<default><[^>]*>|[^,]+))?")


@dataclass(frozen=True)
class NativeParameter:
    """A parameter of a native effect, as pedalboard describes it.

    Attributes:
        name: keyword.
        default: its text, or None if the parameter must be given.
        choices: members by name, if it is one of several.
    """

    name: str
    default: str | None
    choices: Mapping[str, Any]


def native_effects() -> dict[str, type[Any]]:
    """Classes of all native effects, by name."""
    return {
        name: value
        for name, value in vars(pedalboard).items()
        if isinstance(value, type)
        and issubclass(value, pedalboard.Plugin)
        and name not in _ABSTRACT
        and not name.startswith("_")
    }


def leaves(plugin: Any) -> Iterator[Any]:
    """The plugins within native containers, nested or not; a plugin that is none stands for itself."""
    if isinstance(plugin, pedalboard.PluginContainer):
        for inner in plugin:
            yield from leaves(inner)
    elif plugin is not None:
        yield plugin


def unstreamable(plugin: Any) -> str | None:
    """The name of a native effect, or of the first within a native container, that cannot stream; None if all can.

    >>> unstreamable(pedalboard.Chain([pedalboard.Gain(), pedalboard.PitchShift(2)])), unstreamable(pedalboard.Gain())
    ('PitchShift', None)
    """
    names = (type(leaf).__name__ for leaf in leaves(plugin))
    return next((name for name in names if name not in _WITHOUT_LATENCY | _WITH_LATENCY), None)


def needs_equal_chunks(plugin: Any) -> bool:
    """Whether a native effect, or one within a native container, loses track when chunks become longer again."""
    return any(type(leaf).__name__ in _OF_EQUAL_CHUNKS for leaf in leaves(plugin))


def mixes_latencies(plugin: Any) -> bool:
    """Whether a native `Mix` in it holds effects with latency.

    pedalboard's `Mix` forgets, at each call, what its faster branches have ready before the slower ones.
    """
    if not isinstance(plugin, pedalboard.PluginContainer):
        return False
    if isinstance(plugin, NativeMix):
        return any(type(leaf).__name__ not in _WITHOUT_LATENCY for leaf in leaves(plugin))
    return any(mixes_latencies(inner) for inner in plugin)


def native_parameters(effect: type[Any]) -> list[NativeParameter]:
    """Parameters of a native effect, read from the signature that its documentation states."""
    signature = (effect.__init__.__doc__ or "").partition("\n")[0]
    found = []
    for match in _PARAMETER.finditer(signature.partition(", ")[2].rpartition(")")[0]):
        choices = getattr(_attribute(match["type"]), "__members__", {})
        default = match["default"]
        if default is not None and default.startswith("<"):
            default = repr(default[1:].partition(":")[0].rpartition(".")[2])
        found.append(NativeParameter(match["name"], default, choices))
    return found


def native_bounds(effect: str, parameter: str) -> NumberCheck | None:
    """Bounds of a parameter, if pedalboard lacks them where it needs them."""
    return _BOUNDS.get((effect, parameter))


def _attribute(dotted: str) -> object:
    """What a type like `pedalboard_native.Resample.Quality` is, as far as pedalboard shows it."""
    value: object = pedalboard
    for part in dotted.split(".")[1:]:
        value = getattr(value, part, None)
    return value


def make_native(name: str, values: Mapping[str, Any]) -> Any:
    """Make a native effect.

    Args:
        name: of its class.
        values: parameters by name; choices by the name of a member.

    Raises:
        CawUsageError: a parameter is unknown, or pedalboard refuses its value.
    """
    effect = native_effects()[name]
    known = {parameter.name: parameter for parameter in native_parameters(effect)}
    arguments = {}
    for key, value in values.items():
        if key not in known:
            hint = did_you_mean(key, known) if known else "it has none"
            raise CawUsageError(f"{name} has no parameter {key!r}; {hint}")
        choices = known[key].choices
        if choices and value not in list(choices):
            raise CawUsageError(f"{key} of {name} must be one of {', '.join(choices)}, not {value!r}")
        if isinstance(value, bool) and known[key].default not in ("True", "False"):
            raise CawUsageError(f"{key} of {name} must be no truth value, and is {value}")
        arguments[key] = choices[value] if choices else _checked(name, key, value)
    if name == "Convolution":
        arguments = _with_impulse_response(arguments)
    try:
        made = effect(**arguments)
    except (TypeError, ValueError, RuntimeError, OverflowError, ImportError) as error:
        raise CawUsageError(f"{name}: {_reason(error, values)}") from error
    if not made.is_effect:
        raise CawUsageError(f"{name}({values}) is an instrument, and chains hold effects")
    return made


def _checked(name: str, key: str, value: Any) -> Any:
    """A value that pedalboard can be given: some that it does not refuse end the process, or never end."""
    try:
        if (name, key) in _BOUNDS:
            return _BOUNDS[name, key](value)
        if isinstance(value, float) and (math.isnan(value) or (math.isinf(value) and not key.endswith("_db"))):
            raise ValueError("a finite number")
    except ValueError as error:
        raise CawUsageError(f"{key} of {name} must be {error}, not {str(value)[:60]}") from None
    return value


def _with_impulse_response(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a `Convolution` with the samples of its file.

    pedalboard (0.9) reads WAV, AIFF and OGG, and not all of them; with a FLAC, an MP3 or no audio at all it changes
    nothing, and says nothing. The samples themselves give what the file gives.
    """
    file = arguments.get("impulse_response_filename")
    if not isinstance(file, str):
        return arguments
    from caw_toolkit.audio.reading import read_audio

    try:
        response = read_audio(file)
    except CawError as error:
        raise CawUsageError(f"Convolution: {error}") from error
    if not response.samples.any():
        raise CawUsageError(f"Convolution: the impulse response {file} is silent")
    rate = float(response.sample_rate)
    if arguments.get("sample_rate") not in (None, rate):
        raise CawUsageError(f"Convolution: sample_rate is that of {file}, {rate:g} Hz: leave it out")
    return {**arguments, "impulse_response_filename": response.samples, "sample_rate": rate}


def _reason(error: Exception, values: Mapping[str, Any]) -> str:
    if isinstance(error, TypeError):  # pybind11 lists signatures over several lines
        return f"a parameter has a wrong type or is missing: {one_line(str(dict(values)))[:200]}"
    return one_line(str(error))
