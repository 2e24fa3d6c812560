"""Chains and mixes of native pedalboard plugins and of processors written in Python.

Whatever is native in a row goes through one native call, so that a purely native board gives exactly what pedalboard's
own gives.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, MutableSequence
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt
import pedalboard

from caw_toolkit.arrays import Array
from caw_toolkit.processors.base import AudioProcessor, Processor, Stream
from caw_toolkit.processors.streams import CalledStream, ChainStream, MixStream, call_plugin

#: A part of a board; None stands for nothing, as in pedalboard.
Member: TypeAlias = AudioProcessor | None

#: Samples that native plugins among others are given at a time when they stream.
_BLOCK_SAMPLES = 256


class _Container(Processor, MutableSequence[Member]):
    """What `Pedalboard` and `Mix` share: the list of plugins, and the native form of a purely native one."""

    _native_class: type[pedalboard.Chain] | type[pedalboard.Mix]
    _plugins: list[Member]

    def __init__(self, plugins: Iterable[Member] | None = None) -> None:
        super().__init__()
        self._plugins = [_require_member(plugin) for plugin in plugins or ()]

    def _prepare(self) -> None:
        super()._prepare()
        self._plugins = []
        self._planned: Hashable = None
        self._stages: list[AudioProcessor] = []

    def __getstate__(self) -> dict[str, Any]:
        return {"plugins": self._plugins}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._prepare()
        self._plugins = list(state["plugins"])

    def __repr__(self) -> str:
        """The same text as pedalboard's."""
        count = len(self)
        return f"<{type(self).__name__} with {count} plugin{'' if count == 1 else 's'}: {self._plugins!r}>"

    # ------------------------------------------------------------------ the list

    def __len__(self) -> int:
        return len(self._plugins)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._plugins)

    @overload
    def __getitem__(self, index: int) -> Member: ...

    @overload
    def __getitem__(self, index: slice) -> MutableSequence[Member]: ...

    def __getitem__(self, index: int | slice) -> Member | MutableSequence[Member]:
        return self._plugins[index]

    @overload
    def __setitem__(self, index: int, plugin: Member) -> None: ...

    @overload
    def __setitem__(self, index: slice, plugin: Iterable[Member]) -> None: ...

    def __setitem__(self, index: int | slice, plugin: Any) -> None:
        if isinstance(index, slice):
            self._plugins[index] = [_require_member(one) for one in plugin]
        else:
            self._plugins[index] = _require_member(plugin)

    def __delitem__(self, index: int | slice) -> None:
        del self._plugins[index]

    def insert(self, index: int, plugin: Member) -> None:
        """Insert a plugin before the one at `index`."""
        self._plugins.insert(index, _require_member(plugin))

    # ------------------------------------------------------------------ processing

    @property
    def can_stream(self) -> bool:
        """Whether everything in it can: native plugins, and processors that have a `can_stream` which is true."""
        return all(
            isinstance(plugin, pedalboard.Plugin) or getattr(plugin, "can_stream", False)
            for plugin in self._plugins
            if plugin is not None
        )

    def _call(self, input_array: npt.NDArray[Any], sample_rate: float, reset: bool) -> Array:
        """A purely native board hands whole signals to pedalboard as they are."""
        stages = self._plan()
        native = stages[0] if len(stages) == 1 and isinstance(stages[0], pedalboard.Plugin) else None
        if native is None or not reset:
            return super()._call(input_array, sample_rate, reset)
        super().reset()
        return native(input_array, sample_rate, self._buffer_size, reset)

    def _open_stream(self, channels: int, sample_rate: float) -> Stream:
        stages = self._plan()
        if len(stages) == 1 and isinstance(stages[0], pedalboard.Plugin):
            return CalledStream(stages[0], channels, sample_rate, self._buffer_size)
        return self.member_stream(channels, sample_rate, self._buffer_size)

    def member_stream(self, channels: int, sample_rate: float, buffer_size: int = 8192) -> Stream:
        """A stream through the plugins, each at its own pace."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget what was heard so far, in every plugin."""
        with self._lock:
            super().reset()
            for plugin in self._plugins:
                if plugin is not None:
                    plugin.reset()

    def _plan(self) -> list[AudioProcessor]:
        """What to call, native rows as one plugin; made anew when the list has changed."""
        structure = _structure(self)
        if structure != self._planned:
            _refuse_duplicates(self)
            self._stages = self._make_stages()
            self._planned = structure
            self._session = None
        return self._stages

    def _make_stages(self) -> list[AudioProcessor]:
        raise NotImplementedError

    def native_form(self) -> pedalboard.Plugin | None:
        """The same as a plugin of pedalboard's own, if everything in it is native; else None."""
        forms = [_native_form(plugin) for plugin in self._plugins if plugin is not None]
        native = [form for form in forms if form is not None]
        return self._native_class(native) if len(native) == len(forms) else None


class Pedalboard(_Container):
    """A chain of plugins, native ones and processors written in Python: a drop-in for `pedalboard.Pedalboard`.

    Args:
        plugins: what to chain; boards and mixes may be nested.

    Example:
        >>> import pedalboard
        >>> board = Pedalboard([pedalboard.Gain(gain_db=-6), pedalboard.Invert()])
        >>> board(np.ones((1, 3), np.float32), 44100).round(2)
        array([[-0.5, -0.5, -0.5]], dtype=float32)

    .. versionadded:: 0.1
    """

    _native_class = pedalboard.Chain

    def _make_stages(self) -> list[AudioProcessor]:
        return list(_rows(self._plugins, _native_form)) or [pedalboard.Chain([])]

    def _process(self, audio: Array, sample_rate: float) -> Array:
        for stage in self._plan():
            audio = call_plugin(stage, audio, sample_rate, self._buffer_size, reset=True)
        return audio

    def member_stream(self, channels: int, sample_rate: float, buffer_size: int = 8192) -> Stream:
        """A stream through the plugins one after the other."""
        rows = _rows(self._plugins, _plainly_native)
        return ChainStream([_stream_of(row, channels, sample_rate, buffer_size) for row in rows], channels)


class Mix(_Container):
    """Plugins side by side, whose outputs are added: a drop-in for `pedalboard.Mix`.

    Args:
        plugins: what to mix; boards and mixes may be nested.

    Example:
        >>> import pedalboard
        >>> mix = Mix([pedalboard.Gain(gain_db=0), pedalboard.Invert()])
        >>> mix(np.ones((1, 3), np.float32), 44100)
        array([[0., 0., 0.]], dtype=float32)

    .. versionadded:: 0.1
    """

    _native_class = pedalboard.Mix

    def _make_stages(self) -> list[AudioProcessor]:
        native = self.native_form()
        return [native] if native is not None else [plugin for plugin in self._plugins if plugin is not None]

    def _process(self, audio: Array, sample_rate: float) -> Array:
        parts = [
            call_plugin(stage, np.array(audio), sample_rate, self._buffer_size, reset=True) for stage in self._plan()
        ]
        return np.asarray(np.sum(parts, axis=0), np.float32)

    def member_stream(self, channels: int, sample_rate: float, buffer_size: int = 8192) -> Stream:
        """A stream through the plugins side by side."""
        plugins = [plugin for plugin in self._plugins if plugin is not None]
        return MixStream([_stream_of(plugin, channels, sample_rate, buffer_size) for plugin in plugins], channels)


def _require_member(plugin: Any) -> Member:
    if plugin is None:
        return None
    if not isinstance(plugin, AudioProcessor) or isinstance(plugin, type):
        raise TypeError(f"a board holds plugins and processors, not {plugin!r}")
    if not plugin.is_effect:
        raise ValueError(f"a board holds effects, and {plugin!r} is an instrument")
    return plugin


def _rows(
    plugins: Iterable[Member], native_form: Callable[[AudioProcessor], pedalboard.Plugin | None]
) -> Iterator[AudioProcessor]:
    """The plugins, those that have a native form joined into one native chain wherever they follow each other."""
    row: list[pedalboard.Plugin] = []
    for plugin in plugins:
        native = None if plugin is None else native_form(plugin)
        if native is not None:
            row.append(native)
        elif plugin is not None:
            if row:
                yield pedalboard.Chain(row)
            row = []
            yield plugin
    if row:
        yield pedalboard.Chain(row)


def _native_form(plugin: AudioProcessor) -> pedalboard.Plugin | None:
    return plugin.native_form() if isinstance(plugin, _Container) else _plainly_native(plugin)


def _plainly_native(plugin: AudioProcessor) -> pedalboard.Plugin | None:
    return plugin if isinstance(plugin, pedalboard.Plugin) else None


def _structure(plugin: Any) -> Hashable:
    """What decides whether a plan still holds: which objects there are, and how they are nested."""
    inner = tuple(map(_structure, plugin)) if isinstance(plugin, (_Container, pedalboard.PluginContainer)) else ()
    return id(plugin), inner


def _refuse_duplicates(container: _Container) -> None:
    seen: set[int] = set()
    for leaf in _leaves(container):
        if id(leaf) in seen:
            raise RuntimeError(f"{leaf!r} is on the board more than once: make one plugin for each place")
        seen.add(id(leaf))


def _leaves(plugin: Any) -> Iterator[AudioProcessor]:
    if isinstance(plugin, (_Container, pedalboard.PluginContainer)):
        for inner in plugin:
            yield from _leaves(inner)
    elif plugin is not None:
        yield plugin


def _stream_of(plugin: AudioProcessor, channels: int, sample_rate: float, buffer_size: int) -> Stream:
    if isinstance(plugin, _Container):
        return plugin.member_stream(channels, sample_rate, buffer_size)
    if isinstance(plugin, Processor):
        return plugin.open_stream(channels, sample_rate, buffer_size)
    plugin.reset()
    return CalledStream(plugin, channels, sample_rate, min(buffer_size, _BLOCK_SAMPLES), _BLOCK_SAMPLES)
