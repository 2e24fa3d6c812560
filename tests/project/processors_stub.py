"""The types of `caw_toolkit.processors`, whose names are found at run time: run with `--write` to write them down.

Type checkers read `caw_toolkit/processors/__init__.pyi` instead of the module, so that a misspelt name is an error.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pedalboard
import pedalboard_native

from caw_toolkit.parts import DISTRIBUTION
from caw_toolkit.plugins import get_host
from caw_toolkit.processors import registered_classes

ROOT = Path(__file__).resolve().parents[2]
STUB = ROOT / "caw_toolkit" / "processors" / "__init__.pyi"

_HEAD = '''\
"""Types of the names that the module finds at run time; written by tests/project/processors_stub.py."""

from collections.abc import Callable

'''
_OWN = {
    "base": ["Processor"],
    "board": ["Chain", "Mix", "Pedalboard", "process"],
    "model_processor": ["ModelProcessor"],
    "parameters": ["Parameter"],
    "protocols": ["AudioProcessor", "StreamingProcessor"],
}
_TAIL = """
def get_processor(name: str) -> Callable[..., AudioProcessor]: ...
def registered_classes() -> dict[str, str]: ...
"""


def stub() -> str:
    """The text of the stub."""
    own = {name for names in _OWN.values() for name in names}
    classes = {name for name, value in vars(pedalboard).items() if isinstance(value, type) and name[0] != "_"} - own
    native = sorted(name for name in classes if hasattr(pedalboard_native, name))
    others = [*sorted(classes - set(native)), "load_plugin", "time_stretch"]
    lines = [f"from pedalboard import {name} as {name}" for name in others]
    lines += [f"from pedalboard_native import {name} as {name}" for name in native]
    items = get_host().items("processor")
    for class_name, name in registered_classes().items():
        if items[name].origin.distribution == DISTRIBUTION:
            lines.append(f"from {items[name].target.partition(':')[0]} import {class_name} as {class_name}")
    lines += [
        f"from caw_toolkit.processors.{module} import {name} as {name}"
        for module, names in _OWN.items()
        for name in names
    ]
    return _HEAD + "\n".join(sorted(lines)) + "\n" + _TAIL


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        STUB.write_text(stub(), encoding="utf-8")
    sys.exit(0 if STUB.read_text(encoding="utf-8") == stub() else "the stub is not current: run with --write")
