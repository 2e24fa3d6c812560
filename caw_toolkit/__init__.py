"""Train a pyramid of small generators on one short recording, then generate new audio of that source.

    from caw_toolkit import PyramidModel, read_audio, train, write_audio

    model = train(read_audio("clip.wav"), minutes=5)
    model.save("clip.pt")
    write_audio("new.wav", model.generate(seconds=30, seed=1), model.sample_rate)

Names are imported when they are first used, so that `import caw_toolkit` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from caw_toolkit.arrays import Array
    from caw_toolkit.audio import AudioClip, BitDepth, Clipping, check_output, read_audio, write_audio
    from caw_toolkit.errors import CawError, CawUsageError
    from caw_toolkit.hookspecs import hookimpl
    from caw_toolkit.material import Material
    from caw_toolkit.model import PyramidModel
    from caw_toolkit.processors import get_processor
    from caw_toolkit.processors.base import AudioProcessor, Processor, Stream
    from caw_toolkit.processors.board import Mix, Pedalboard
    from caw_toolkit.seeds import derived_seed
    from caw_toolkit.training import Trainer, make_plan, train

_HOMES = {
    "Array": "arrays",
    "AudioClip": "audio",
    "AudioProcessor": "processors.base",
    "BitDepth": "audio",
    "CawError": "errors",
    "CawUsageError": "errors",
    "Clipping": "audio",
    "Material": "material",
    "Mix": "processors.board",
    "Pedalboard": "processors.board",
    "Processor": "processors.base",
    "PyramidModel": "model",
    "Stream": "processors.base",
    "Trainer": "training",
    "check_output": "audio",
    "derived_seed": "seeds",
    "get_processor": "processors",
    "hookimpl": "hookspecs",
    "make_plan": "training",
    "read_audio": "audio",
    "train": "training",
    "write_audio": "audio",
}

__all__ = [
    "Array",
    "AudioClip",
    "AudioProcessor",
    "BitDepth",
    "CawError",
    "CawUsageError",
    "Clipping",
    "Material",
    "Mix",
    "Pedalboard",
    "Processor",
    "PyramidModel",
    "Stream",
    "Trainer",
    "check_output",
    "derived_seed",
    "get_processor",
    "hookimpl",
    "make_plan",
    "read_audio",
    "train",
    "write_audio",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'caw_toolkit' has no attribute {name!r}")
    return getattr(importlib.import_module(f"caw_toolkit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
