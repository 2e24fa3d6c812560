"""The pickle inside a file of torch, read by interpreting it: plain types come out, nothing is called or imported.

Python's own unpicklers trust the file with memory: an index of the memo makes a table of that size, a key that is a
tuple of tuples is hashed for ever. Here the memo is a dict, keys are strings and numbers, and everything is counted.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: Limits of what is read (docs/model-file.md).
MOST_OPERATIONS = 1_000_000
MOST_VALUES = 1_000_000
MOST_CHARACTERS = 2**24
MOST_DEPTH = 32
#: Whole numbers have so many bits at most.
MOST_BITS = 64

#: Name and bytes of the elements of storages.
ELEMENTS: Mapping[str, tuple[str, int]] = {
    "BFloat16Storage": ("bfloat16", 2),
    "BoolStorage": ("bool", 1),
    "ByteStorage": ("uint8", 1),
    "CharStorage": ("int8", 1),
    "DoubleStorage": ("float64", 8),
    "FloatStorage": ("float32", 4),
    "HalfStorage": ("float16", 2),
    "IntStorage": ("int32", 4),
    "LongStorage": ("int64", 8),
    "ShortStorage": ("int16", 2),
    "UntypedStorage": ("uint8", 1),
}


class UnreadableError(ValueError):
    """A file is not one of ours, or exceeds a limit: the message says why; it is empty where the file is damaged."""


@dataclass(frozen=True)
class StorageInfo:
    """The part of the archive that holds a tensor's elements.

    Attributes:
        key: its name in the archive, below `data/`.
        dtype: of its elements, as torch calls it.
        elements: how many there are said to be.
        size: bytes of that many.
    """

    key: str
    dtype: str
    elements: int
    size: int


@dataclass(frozen=True)
class TensorInfo:
    """Stands for a tensor in a header."""

    shape: tuple[int, ...]
    storage: StorageInfo

    @property
    def elements(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def dtype(self) -> str:
        """As torch calls it."""
        return self.storage.dtype


class Opaque:
    """Stands for what only torch knows."""


@dataclass(frozen=True)
class _Name:
    module: str
    name: str


def read(data: bytes, *, lenient: bool = False) -> Any:
    """What a pickle of torch holds, tensors replaced by `TensorInfo`.

    Args:
        data: of `data.pkl`.
        lenient: put `Opaque` in place of what is neither plain nor a tensor, for torch to judge; it is refused
            otherwise.

    Raises:
        UnreadableError: if it is damaged, holds other things, or exceeds a limit.
    """
    reader = _Reader(lenient)
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(data)):
            if count >= MOST_OPERATIONS:
                raise UnreadableError(f"it has more than {MOST_OPERATIONS} parts")
            reader.do(operation.name, argument)
        content = reader.stack.pop()
    except UnreadableError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # a damaged pickle can fail in any way
        raise UnreadableError from error
    _limit(content)
    return content


class _Reader:
    """The machine that pickles are programs for, as far as torch uses it."""

    def __init__(self, lenient: bool) -> None:
        self.stack: list[Any] = []
        self._below: list[list[Any]] = []  # stacks under marks
        self._memo: dict[int, Any] = {}
        self._lenient = lenient
        push = self.stack_push
        self._constants: Mapping[str, Callable[[], Any]] = {
            "EMPTY_DICT": dict,
            "EMPTY_LIST": list,
            "EMPTY_TUPLE": tuple,
            "NONE": lambda: None,
            "NEWTRUE": lambda: True,
            "NEWFALSE": lambda: False,
        }
        self._operations: Mapping[str, Callable[[Any], None]] = {
            **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE"), push),
            **dict.fromkeys(("BINPUT", "LONG_BINPUT"), self._memorise),
            **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda index: push(self._memo[index])),
            "PROTO": lambda version: None,
            "STOP": lambda _: None,
            "MARK": self._mark,
            "TUPLE": lambda _: push(tuple(self._since_mark())),
            "TUPLE1": lambda _: self._tuple(1),
            "TUPLE2": lambda _: self._tuple(2),
            "TUPLE3": lambda _: self._tuple(3),
            "APPEND": lambda _: self._extend([self.stack.pop()]),
            "APPENDS": lambda _: self._extend(self._since_mark()),
            "SETITEM": lambda _: self._set_items(self._take(2)),
            "SETITEMS": lambda _: self._set_items(self._since_mark()),
            "GLOBAL": lambda name: push(_Name(*name.split(" ", 1))),
            "BINPERSID": lambda _: push(_storage(self.stack.pop())),
            "REDUCE": lambda _: push(self._call(*self._take(2))),
            "NEWOBJ": lambda _: push(self._call(*self._take(2))),
            "BUILD": self._build,
        }

    def do(self, operation: str, argument: Any) -> None:
        """One operation, as `pickletools` names it."""
        constant = self._constants.get(operation)
        if constant is not None:
            self.stack.append(constant())
            return
        known = self._operations.get(operation)
        if known is None:
            raise UnreadableError(f"it holds what a model never does ({operation})")
        known(argument)

    def stack_push(self, value: Any) -> None:
        self.stack.append(value)

    def _take(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise UnreadableError
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    def _tuple(self, count: int) -> None:
        self.stack_push(tuple(self._take(count)))

    def _mark(self, _: Any) -> None:
        self._below.append(self.stack)
        self.stack = []

    def _since_mark(self) -> list[Any]:
        items = self.stack
        self.stack = self._below.pop()
        return items

    def _memorise(self, index: int) -> None:
        self._memo[index] = self.stack[-1]

    def _extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is list:
            target.extend(items)
        elif type(target) is not Opaque:
            raise UnreadableError

    def _set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is Opaque:
            return
        if type(target) is not dict or len(items) % 2:
            raise UnreadableError
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) not in (str, int):
                raise UnreadableError(f"a key in it is neither a string nor a number but {type(key).__name__}")
            target[key] = value

    def _build(self, _: Any) -> None:
        """An ordered dict of torch has attributes besides its items: they are left out."""
        self.stack.pop()
        if type(self.stack[-1]) not in (dict, Opaque):
            raise UnreadableError

    def _call(self, function: Any, arguments: Any) -> Any:
        if not isinstance(function, _Name) or type(arguments) is not tuple:
            raise UnreadableError
        if function == _Name("collections", "OrderedDict") and not arguments:
            return {}
        if function == _Name("torch._utils", "_rebuild_tensor_v2"):
            return _tensor(*arguments)
        if self._lenient:
            return Opaque()
        raise UnreadableError(f"it refers to {_short(function)}")


def _short(name: _Name) -> str:
    return f"{name.module}.{name.name}"[:80]


def _storage(identifier: Any) -> StorageInfo:
    """A storage by what torch saves in place of it."""
    kind, name, key, _, elements = identifier
    if kind != "storage" or not isinstance(name, _Name) or name.module not in ("torch", "torch.storage"):
        raise UnreadableError
    if name.name not in ELEMENTS:
        raise UnreadableError(f"it holds numbers of a kind that no model has ({_short(name)})")
    if type(key) is not str or not _is_size(elements):
        raise UnreadableError
    dtype, size = ELEMENTS[name.name]
    return StorageInfo(key, dtype, elements, elements * size)


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> TensorInfo:
    """A tensor whose elements all lie in its storage, each in a place of its own."""
    sizes = (offset, *shape, *strides)
    if type(storage) is not StorageInfo or len(shape) != len(strides) or not all(map(_is_size, sizes)):
        raise UnreadableError
    info = TensorInfo(tuple(shape), storage)
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if info.elements and (last >= storage.elements or info.elements > storage.elements):
        raise UnreadableError(f"a tensor of {info.elements} elements in it has {storage.elements} in fact")
    return info


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**48


def _limit(content: Any) -> None:
    """Refuse what takes too long to look through, each value as often as it is referred to."""
    values = characters = 0
    waiting = [(content, 0)]
    while waiting:
        value, depth = waiting.pop()
        values += 1
        if depth > MOST_DEPTH:
            raise UnreadableError(f"it is nested more than {MOST_DEPTH} deep, or in itself")
        if type(value) is dict:
            waiting += [(item, depth + 1) for item in value.values()]
            values += len(value)
            characters += sum(len(key) for key in value if type(key) is str)
        elif type(value) in (list, tuple):
            waiting += [(item, depth + 1) for item in value]
        elif type(value) is str:
            characters += len(value)
        elif type(value) is int and value.bit_length() > MOST_BITS:
            raise UnreadableError(f"a number in it has more than {MOST_BITS} bits")
        elif isinstance(value, (_Name, StorageInfo)):
            raise UnreadableError(f"it refers to {_short(value) if isinstance(value, _Name) else 'a bare storage'}")
        if values + len(waiting) > MOST_VALUES or characters > MOST_CHARACTERS:
            raise UnreadableError(f"it has more than {MOST_VALUES} values or {MOST_CHARACTERS} characters")
