"""Audio processors: the base class, boards that chain them with native plugins, and every processor and plugin by name.

    from caw_toolkit.processors import Compressor, Pedalboard, get_processor

    board = Pedalboard([get_processor("my-processor")(model="speaker.pt"), Compressor(ratio=3)])

Processors come from task plugins: their classes are found through the registry when they are first asked for. Names
that are neither here nor there are taken from `pedalboard`, so that changing one import line is enough.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from caw_toolkit.errors import CawError
from caw_toolkit.processors.base import Processor as Processor
from caw_toolkit.processors.parameters import Parameter as Parameter
from caw_toolkit.processors.protocols import AudioProcessor as AudioProcessor
from caw_toolkit.processors.protocols import StreamingProcessor as StreamingProcessor

if TYPE_CHECKING:
    from caw_toolkit.processors.board import Chain as Chain
    from caw_toolkit.processors.board import Mix as Mix
    from caw_toolkit.processors.board import Pedalboard as Pedalboard
    from caw_toolkit.processors.board import process as process
    from caw_toolkit.processors.model_processor import ModelProcessor as ModelProcessor

_LAZY = {
    "Chain": "board",
    "Mix": "board",
    "ModelProcessor": "model_processor",
    "Pedalboard": "board",
    "process": "board",
}


def get_processor(name: str) -> Callable[..., AudioProcessor]:
    """The class of a registered processor.

    Args:
        name: under which a plugin has registered it, as `caw process --list` shows it.

    Raises:
        CawUsageError: no plugin has a processor of this name.
        PluginError: its plugin is broken.

    Example:
        >>> from caw_toolkit.plugins import get_host
        >>> name = next(iter(get_host().items("processor")))
        >>> issubclass(get_processor(name), Processor)
        True

    .. versionadded:: 0.2
    """
    from caw_toolkit.plugins import get_host

    return get_host().processor(name)


def registered_classes() -> dict[str, str]:
    """Names of registered processors by the names of their classes.

    The first to register a class name keeps it; names of pedalboard's classes are not to be had.
    """
    from caw_toolkit.plugins import get_host
    from caw_toolkit.plugins.pedalboard_names import CLASS_NAMES

    classes: dict[str, str] = {}
    for name, item in get_host().items("processor").items():
        if item.class_name not in CLASS_NAMES:
            classes.setdefault(item.class_name, name)
    return classes


def _public_names() -> list[str]:
    import pedalboard

    from caw_toolkit.processors.native import native_effects

    own = ["AudioProcessor", "Parameter", "Processor", "StreamingProcessor", "get_processor", *_LAZY]
    helpers = [name for name in ("load_plugin", "time_stretch") if hasattr(pedalboard, name)]
    return sorted({*own, *registered_classes(), *native_effects(), *helpers})


def _importable_names() -> list[str]:
    """What a star import brings; a broken plugin is left out of it, and `caw plugins --check` says why."""
    broken = set()
    for class_name, name in registered_classes().items():
        try:
            get_processor(name)
        except CawError:
            broken.add(class_name)
    return [name for name in _public_names() if name not in broken]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"caw_toolkit.processors.{_LAZY[name]}"), name)
    if name == "__all__":
        return _importable_names()
    if not name.startswith("_"):
        import pedalboard

        if hasattr(pedalboard, name):
            return getattr(pedalboard, name)
        classes = registered_classes()
        if name in classes:
            return get_processor(classes[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return _public_names()
