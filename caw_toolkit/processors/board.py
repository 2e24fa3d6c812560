"""Chains and mixes of native pedalboard plugins and of processors written in Python.

Whatever is native in a row goes through one native call, so that a purely native board gives exactly what pedalboard's
own gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypeGuard, overload

import numpy as np
import numpy.typing as npt
import pedalboard
from pedalboard import Chain as NativeChain
from pedalboard import Mix as NativeMix

from caw_toolkit.arrays import Array
from caw_toolkit.errors import CawError
from caw_toolkit.processors.block_chain import blocks_through
from caw_toolkit.processors.contract import CallContract
from caw_toolkit.processors.native import mixes_latencies, unstreamable
from caw_toolkit.processors.native_signal import NativeSignal
from caw_toolkit.processors.protocols import AudioProcessor, Reader, Stream
from caw_toolkit.processors.rows import Member, chain_stream, mix_stream, plainly_native, rows
from caw_toolkit.processors.streams import call_plugin
from caw_toolkit.processors.structure import Structure, is_same, leaves_of, refuse_duplicates, structure_of


class _Container(CallContract, MutableSequence[Member]):
    """What `Chain`, `Pedalboard` and `Mix` share: the list of plugins, and the native form of a purely native one."""

    _native_class: type[NativeChain] | type[NativeMix]
    _plugins: list[Member]

    def __init__(self, plugins: Iterable[Member] | None = None) -> None:
        self._prepare()
        self._plugins = [_require_member(plugin) for plugin in plugins or ()]

    def _prepare(self) -> None:
        super()._prepare()
        self._plugins = []
        self._planned: Structure | None = None
        self._stages: list[Member] = []
        self._native_signal: NativeSignal | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"plugins": self._plugins}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._prepare()
        self._plugins = list(state["plugins"])
        self._sealed = True

    def __repr__(self) -> str:
        """What pedalboard shows, and a note for the error of a native container that is given this one."""
        count = f"{len(self)} plugin{'' if len(self) == 1 else 's'}"
        place = "caw_toolkit.Pedalboard or caw_toolkit.Mix"
        return f"<{type(self).__name__} with {count}: {self._plugins!r} (put it on a {place})>"

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
        """Whether everything in it can: the native effects that do, and processors whose `can_stream` is true."""
        return self._unstreamable_part() is None

    def _unstreamable_part(self) -> str | None:
        for leaf in leaves_of(self):
            if isinstance(leaf, pedalboard.Plugin):
                if unstreamable(leaf):
                    return unstreamable(leaf)
            elif not getattr(leaf, "can_stream", False):
                return type(leaf).__name__
        return None

    def _open_stream(self, channels: int, sample_rate: float) -> Stream:
        self._plan()  # refuses a plugin that is there twice
        return self._member_stream(channels, sample_rate, self._buffer_size)

    def _call(self, input_array: npt.NDArray[Any], sample_rate: float, reset: bool) -> Array:
        """A purely native board hands signals and chunks to pedalboard as they are."""
        stages = self._plan()
        native = stages[0] if len(stages) == 1 and isinstance(stages[0], pedalboard.Plugin) else None
        if native is None or (not reset and mixes_latencies(native)):
            self._native_signal = None
            return super()._call(input_array, sample_rate, reset)
        self._session = None
        if reset:
            self._native_signal = None
            return native(input_array, sample_rate, self._buffer_size, reset)
        if self._native_signal is None:
            self._require_streaming()
            self._native_signal = NativeSignal(native)
        return self._native_signal.push(input_array, sample_rate, self._buffer_size)

    def flush(self) -> Array:
        """The samples that calls with `reset=False` have not returned yet, in the layout of the last one."""
        with self._lock:
            signal, self._native_signal = self._native_signal, None
            return super().flush() if signal is None else signal.flush()

    def reset(self) -> None:
        """Forget what was heard so far, in every plugin."""
        with self._lock:
            super().reset()
            self._native_signal = None
            for plugin in (*self._stages, *self._plugins):
                if plugin is not None:
                    plugin.reset()

    def _member_stream(self, channels: int, sample_rate: float, buffer_size: int) -> Stream:
        """A stream through the plugins, each at its own pace."""
        raise NotImplementedError

    def _plan(self) -> list[Member]:
        """What to call, native rows as one plugin; made anew when the list has changed."""
        structure = structure_of(self)
        if not is_same(structure, self._planned):
            refuse_duplicates(self)
            self._stages = self._make_stages()
            self._planned = structure
            self._session = self._native_signal = None
        return self._stages

    def _make_stages(self) -> list[Member]:
        raise NotImplementedError

    def native_form(self) -> pedalboard.Plugin | None:
        """The same as a plugin of pedalboard's own, if everything in it is native; else None."""
        forms = [None if plugin is None else _native_form(plugin) for plugin in self._plugins]
        if any(form is None and plugin is not None for form, plugin in zip(forms, self._plugins, strict=True)):
            return None
        return self._native_class(forms)  # type: ignore[arg-type]  # its None is not in pedalboard's types


class Chain(_Container):
    """Plugins one after the other, native ones and processors written in Python: a drop-in for `pedalboard.Chain`.

    Args:
        plugins: what to chain; boards and mixes may be nested.

    Example:
        >>> import pedalboard
        >>> chain = Chain([pedalboard.Gain(gain_db=-6), pedalboard.Invert()])
        >>> chain(np.ones((1, 3), np.float32), 44100).round(2)
        array([[-0.5, -0.5, -0.5]], dtype=float32)

    .. versionadded:: 0.2
    """

    _native_class = NativeChain

    def _make_stages(self) -> list[Member]:
        return list(rows(self._plugins, _native_form)) or [NativeChain([])]

    def _process(self, audio: Array, sample_rate: float) -> Array:
        for stage in self._plan():
            assert stage is not None  # rows hold no dry signal
            audio = call_plugin(stage, audio, sample_rate, self._buffer_size, reset=True)
        return audio

    def _member_stream(self, channels: int, sample_rate: float, buffer_size: int) -> Stream:
        return chain_stream(self._plugins, channels, sample_rate, buffer_size)

    @property
    def can_process_blocks(self) -> bool:
        """Whether each plugin can stream, or read a signal as often as it needs."""
        return all(_streams(plugin) or _processes_blocks(plugin) for plugin in self._plugins)

    def process_blocks(
        self, read: Reader, channels: int, sample_rate: float, *, buffer_size: int = 8192, beside: Path | None = None
    ) -> Iterator[Array]:
        """As of all processors; what a plugin has to read again is kept in a temporary file."""
        self._plan()  # refuses a plugin that is there twice
        if self.can_stream or not self.can_process_blocks:
            return super().process_blocks(read, channels, sample_rate, buffer_size=buffer_size, beside=beside)
        return blocks_through(self._sections(), read, channels, sample_rate, buffer_size=buffer_size, beside=beside)

    def _sections(self) -> Iterator[CallContract]:
        """Plugins in a row that can stream as one chain, and each of the others by itself."""
        for can_stream, group in groupby(self._plugins, key=_streams):
            plugins = list(group)
            if can_stream:
                yield Chain(plugins)
                continue
            for plugin in plugins:
                assert _processes_blocks(plugin)  # or `can_process_blocks` would be false
                yield plugin


class Pedalboard(Chain):
    """A chain of plugins, native ones and processors written in Python: a drop-in for `pedalboard.Pedalboard`.

    Args:
        plugins: what to chain; boards and mixes may be nested.

    Example:
        >>> import pedalboard
        >>> board = Pedalboard([pedalboard.Gain(gain_db=-6), pedalboard.Invert()])
        >>> board(np.ones((1, 3), np.float32), 44100).round(2)
        array([[-0.5, -0.5, -0.5]], dtype=float32)

    .. versionadded:: 0.2
    """


class Mix(_Container):
    """Plugins side by side, whose outputs are added: a drop-in for `pedalboard.Mix`.

    Args:
        plugins: what to mix; boards and mixes may be nested, and None is the signal as it is.

    Example:
        >>> import pedalboard
        >>> mix = Mix([pedalboard.Gain(gain_db=0), pedalboard.Invert()])
        >>> mix(np.ones((1, 3), np.float32), 44100)
        array([[0., 0., 0.]], dtype=float32)

    .. versionadded:: 0.2
    """

    _native_class = NativeMix

    def _make_stages(self) -> list[Member]:
        native = self.native_form()
        return list(self._plugins) if native is None else [native]

    def native_form(self) -> pedalboard.Plugin | None:
        """As of all containers, but None as well where a branch has a latency.

        pedalboard's own mix reads memory that it has not written then.
        """
        native = super().native_form()
        return None if mixes_latencies(native) else native

    def _process(self, audio: Array, sample_rate: float) -> Array:
        mixed = np.zeros_like(audio)
        for stage in self._plan():
            mixed += (
                audio
                if stage is None
                else call_plugin(stage, np.array(audio), sample_rate, self._buffer_size, reset=True)
            )
        return mixed

    def _member_stream(self, channels: int, sample_rate: float, buffer_size: int) -> Stream:
        return mix_stream(self._plugins, channels, sample_rate, buffer_size)


def process(
    input_array: npt.NDArray[Any],
    sample_rate: float,
    plugins: Sequence[Member],
    buffer_size: int = 8192,
    reset: bool = True,
) -> Array:
    """Process audio with plugins one after the other: a drop-in for `pedalboard.process`.

    Args:
        input_array: as for `Processor.__call__`.
        sample_rate: Hz.
        plugins: native ones, and processors written in Python.
        buffer_size: samples that native plugins get at a time.
        reset: whether the array is a signal of its own. Only native plugins remember what came before.

    Raises:
        CawError: `reset` is off, and a processor is written in Python: a `Pedalboard` can stream it.

    Example:
        >>> process(np.ones(3, np.float32), 44100, [pedalboard.Invert()])
        array([-1., -1., -1.], dtype=float32)

    .. versionadded:: 0.2
    """
    chain = Chain(plugins)
    if not reset and chain.native_form() is None:
        raise CawError("process() cannot stream (reset=False) what is not native: make a Pedalboard, and call that")
    return chain(input_array, sample_rate, buffer_size, reset)


def _require_member(plugin: Any) -> Member:
    if plugin is None:
        return None
    if not isinstance(plugin, AudioProcessor) or isinstance(plugin, type):
        raise TypeError(f"a board holds plugins and processors, not {plugin!r}")
    if not plugin.is_effect:
        raise ValueError(f"a board holds effects, and {plugin!r} is an instrument")
    return plugin


def _streams(plugin: Member) -> bool:
    """Whether a part of a chain can stream."""
    return Chain([plugin]).can_stream


def _processes_blocks(plugin: Member) -> TypeGuard[CallContract]:
    """Whether a part of a chain is a processor that needs little memory for a whole signal."""
    return isinstance(plugin, CallContract) and plugin.can_process_blocks


def _native_form(plugin: AudioProcessor) -> pedalboard.Plugin | None:
    return plugin.native_form() if isinstance(plugin, _Container) else plainly_native(plugin)
