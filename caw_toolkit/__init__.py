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
    from caw_toolkit.arrays import Array, Gap
    from caw_toolkit.audio.clip import AudioClip
    from caw_toolkit.audio.formats import BitDepth, FileFormat
    from caw_toolkit.audio.outputs import check_output
    from caw_toolkit.audio.reading import read_audio
    from caw_toolkit.audio.writing import Clipping, write_audio
    from caw_toolkit.errors import CawError, CawUsageError
    from caw_toolkit.hookspecs import hookimpl
    from caw_toolkit.processors import get_processor
    from caw_toolkit.processors.base import Processor
    from caw_toolkit.processors.board import Chain, Mix, Pedalboard
    from caw_toolkit.processors.protocols import AudioProcessor, Reader, Stream, StreamingProcessor
    from caw_toolkit.pyramid.material import Material
    from caw_toolkit.pyramid.model import PyramidModel
    from caw_toolkit.seeds import derived_seed
    from caw_toolkit.training.plan import make_plan
    from caw_toolkit.training.run_settings import RunEvents, RunSettings
    from caw_toolkit.training.trainer import Trainer, train

_HOMES = {
    "Array": "arrays",
    "AudioClip": "audio.clip",
    "AudioProcessor": "processors.protocols",
    "BitDepth": "audio.formats",
    "CawError": "errors",
    "CawUsageError": "errors",
    "Chain": "processors.board",
    "Clipping": "audio.writing",
    "FileFormat": "audio.formats",
    "Gap": "arrays",
    "Material": "pyramid.material",
    "Mix": "processors.board",
    "Pedalboard": "processors.board",
    "Processor": "processors.base",
    "PyramidModel": "pyramid.model",
    "Reader": "processors.protocols",
    "RunEvents": "training.run_settings",
    "RunSettings": "training.run_settings",
    "Stream": "processors.protocols",
    "StreamingProcessor": "processors.protocols",
    "Trainer": "training.trainer",
    "check_output": "audio.outputs",
    "derived_seed": "seeds",
    "get_processor": "processors",
    "hookimpl": "hookspecs",
    "make_plan": "training.plan",
    "read_audio": "audio.reading",
    "train": "training.trainer",
    "write_audio": "audio.writing",
}

__all__ = [
    "Array",
    "AudioClip",
    "AudioProcessor",
    "BitDepth",
    "CawError",
    "CawUsageError",
    "Chain",
    "Clipping",
    "FileFormat",
    "Gap",
    "Material",
    "Mix",
    "Pedalboard",
    "Processor",
    "PyramidModel",
    "Reader",
    "RunEvents",
    "RunSettings",
    "Stream",
    "StreamingProcessor",
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


if not TYPE_CHECKING:  # type checkers would take any name for a good one

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'caw_toolkit' has no attribute {name!r}")
        return getattr(importlib.import_module(f"caw_toolkit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
