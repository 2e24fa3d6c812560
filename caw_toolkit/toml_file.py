"""Reading TOML that anybody may have written: what is wrong with it is said in a line, before it takes memory."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from caw_toolkit.errors import CawUsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["read_toml"]

_LARGEST_BYTES = 1_000_000
#: Keys of so many parts (a.b.c): tomllib takes memory by the square of their number.
_LONG_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){50}""")


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The tables of a file.

    Args:
        path: of the file.
        what: messages call it: `preset`, `chain`.

    Raises:
        CawUsageError: it does not exist, cannot be read, is not UTF-8, is no TOML, or is large beyond reason.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "loud.toml")
        ...     size = path.write_text("chain = {name = 'loud'}", encoding="utf-8")
        ...     read_toml(path, "chain")
        {'chain': {'name': 'loud'}}

    .. versionadded:: 0.2
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read(_LARGEST_BYTES + 1)
        if len(data) > _LARGEST_BYTES:
            raise CawUsageError(f"{what} {path} is too large: it may have {_LARGEST_BYTES // 1_000_000} MB")
        text = data.decode("utf-8-sig")
        if _LONG_KEY.search(text):
            raise CawUsageError(f"{what} {path} has a key of more than 50 parts")
        tables: dict[str, Any] = tomllib.loads(text)
        return tables
    except FileNotFoundError:
        raise CawUsageError(f"{what} {path} does not exist") from None
    except OSError as error:
        raise CawUsageError(f"cannot read {what} {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise CawUsageError(f"{what} {path} is not text in UTF-8") from error
    except RecursionError as error:
        raise CawUsageError(f"{what} {path} is not valid TOML: it is nested too deep") from error
    except ValueError as error:  # tomllib's own, and Python's of numbers of thousands of digits
        raise CawUsageError(f"{what} {path} is not valid TOML: {error}") from error
