"""The base class of audio processors: parameters that are declared, on top of pedalboard's call contract.

pedalboard's own boards take native plugins only and refuse Python objects. `caw_toolkit.Pedalboard` takes both.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from typing_extensions import dataclass_transform

from caw_toolkit.errors import did_you_mean
from caw_toolkit.processors.contract import CallContract
from caw_toolkit.processors.parameters import Parameter


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(Parameter,))
class Processor(CallContract):
    """Base of audio processors written in Python. Call it like a native pedalboard plugin.

    A subclass declares its parameters and implements one of three methods. `_process(audio, sample_rate)` gets a whole
    signal, `(channels, samples)` float32 that it may overwrite, and returns as many samples. A processor that can also
    work on a signal chunk by chunk implements `_open_stream(channels, sample_rate)` instead, and whole signals go
    through such a stream as one chunk. One that has to hear all of a signal before it begins, but not all at once,
    implements `_process_blocks(read, channels, sample_rate)`.

        class Fade(Processor):
            seconds: Parameter[float] = Parameter(default=0.5, check=number(0, 10), summary="Length of the fade, in s.")

            def _process(self, audio, sample_rate):
                ...

    Parameters are given by keyword, checked whenever they are set, and shown in the `repr` and in `help()`; type
    checkers know them. Other public attributes can be set while a processor is being made, and none be added later.

    NaN and infinite samples are not shown to a processor: it is given zeros for them, and they come out where they went
    in. A processor can be pickled; the copy has the same parameters and begins anew. Calls from several threads take
    turns.

    Example:
        >>> import numpy as np
        >>> class Halve(Processor):
        ...     def _process(self, audio, sample_rate):
        ...         return audio / 2
        >>> Halve()(np.ones(3, np.float32), 44100)
        array([0.5, 0.5, 0.5], dtype=float32)

    .. versionadded:: 0.2
    """

    #: Parameters by name, in the order of their declaration.
    parameters: ClassVar[Mapping[str, Parameter[Any]]] = MappingProxyType({})

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Parameter)}
        cls.parameters = MappingProxyType({**cls.parameters, **own})
        keywords = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if parameter.is_required else parameter.default,
            )
            for name, parameter in cls.parameters.items()
        ]
        if "__init__" not in vars(cls):
            cls.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
        if own:
            lines = [parameter.description for parameter in cls.parameters.values()]
            cls.__doc__ = "\n".join([inspect.cleandoc(cls.__doc__ or cls.__name__), "", "Args:", *lines, ""])

    def __init__(self, **values: Any) -> None:
        self._prepare()
        for name in values.keys() - self.parameters.keys():
            raise TypeError(f"{type(self).__name__} has no parameter {name!r}; {did_you_mean(name, self.parameters)}")
        for name, parameter in self.parameters.items():
            if parameter.is_required and name not in values:
                raise TypeError(f"{type(self).__name__} needs the parameter {name!r}: {parameter.summary}")
            setattr(self, name, values.get(name, parameter.default))

    def _hint(self, name: str) -> str:
        return f"; {did_you_mean(name, self.parameters)}" if self.parameters else "; it has no parameters"

    def __repr__(self) -> str:
        """Class and parameters; the note appears in the error of a native board that is given this processor."""
        values = "".join(f" {name}={getattr(self, name)!r}" for name in self.parameters)
        return f"<{type(self).__name__}{values} (chain it with caw_toolkit.Pedalboard) at {id(self):#x}>"

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.parameters}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._prepare()
        for name, value in state.items():
            setattr(self, name, value)
        self._sealed = True

    def parameter_changed(self, name: str) -> None:
        """Called after a parameter was set."""
