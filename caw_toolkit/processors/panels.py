"""Panels of `caw studio`: a function from a recording to results, with declared parameters, which become controls.

    @panel(factor=Parameter(default=2.0, check=number(0.5, 4), summary="How many times as fast."))
    def faster(clip: AudioClip, *, factor: float) -> AudioClip:
        return AudioClip(clip.samples, round(factor * clip.sample_rate))

.. versionadded:: 0.2
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.errors import CawError, did_you_mean
from caw_toolkit.processors.parameters import Parameter, ParameterError

__all__ = ["Panel", "panel"]

#: What a panel's function returns: one result, or several by name.
PanelResult = AudioClip | Mapping[str, AudioClip]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Panel:
    """A function from a recording to results, and what its parameters may be.

    Args:
        function: called with the recording and a value for each parameter, by keyword.
        parameters: by name.

    Example:
        >>> import numpy as np
        >>> def amplify(clip: AudioClip, *, gain: float) -> AudioClip:
        ...     return AudioClip(gain * clip.samples, clip.sample_rate)
        >>> louder = Panel(amplify, {"gain": Parameter(default=2.0)})
        >>> louder(AudioClip(np.ones((1, 2), np.float32), 8000), gain=3)["result"].samples
        array([[3., 3.]], dtype=float32)

    .. versionadded:: 0.2
    """

    def __init__(self, function: Callable[..., PanelResult], parameters: Mapping[str, Parameter[Any]]) -> None:
        self._function = function
        self.parameters = MappingProxyType(dict(parameters))
        for name, parameter in self.parameters.items():
            parameter.name = name

    def __call__(self, clip: AudioClip, **values: Any) -> dict[str, AudioClip]:
        """Make the results.

        Args:
            clip: the recording.
            values: of parameters; the others have their defaults.

        Returns:
            Results by name; a single one is called `result`.

        Raises:
            ParameterError: there is no such parameter, it cannot have this value, or a needed one is missing.
            CawError: what comes back is no audio, or as the function does.
        """
        made = self._function(clip, **self._checked(values))
        results = {"result": made} if isinstance(made, AudioClip) else made
        if not isinstance(results, Mapping) or not results:
            raise CawError(f"{self._label} returned {type(made).__name__}, not an AudioClip or several by name")
        for name, result in results.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(result, AudioClip):
                raise CawError(f"{self._label} returned {type(result).__name__} as {name!r}: results are AudioClips")
        return dict(results)

    @property
    def _label(self) -> str:
        return f"the panel {getattr(self._function, '__name__', self._function)}"

    def _checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        for name in values:
            if name not in self.parameters:
                hint = did_you_mean(name, self.parameters) if self.parameters else "it has none"
                raise ParameterError(f"{self._label} has no parameter {name!r}; {hint}")
        checked = {}
        for name, parameter in self.parameters.items():
            if parameter.is_required and name not in values:
                raise ParameterError(f"{self._label} needs {name}: {parameter.summary}")
            try:
                checked[name] = parameter.check(values.get(name, parameter.default))
            except ValueError as error:
                raise ParameterError(f"{name} must be {error}, not {values[name]!r}") from None
        return checked


def panel(**parameters: Parameter[Any]) -> Callable[[Callable[..., PanelResult]], Panel]:
    """Decorate a function: it becomes a panel, to be registered with `register_panels`.

    Args:
        parameters: of the function, declared as those of processors.

    Example:
        >>> import numpy as np
        >>> @panel()
        ... def backwards(clip: AudioClip) -> AudioClip:
        ...     return AudioClip(clip.samples[:, ::-1], clip.sample_rate)
        >>> backwards(AudioClip(np.array([[1, 2, 3]], np.float32), 8000))["result"].samples
        array([[3., 2., 1.]], dtype=float32)

    .. versionadded:: 0.2
    """
    return lambda function: Panel(function, parameters)
