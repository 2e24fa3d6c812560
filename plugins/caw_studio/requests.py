"""Reading what a request carries: anything may come."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.requests import Request

from caw_toolkit import CawUsageError

#: Of a request that isn't a file.
MOST_BODY_BYTES = 1 << 20
#: Of a name that a download is given, in characters; and what no system takes in the name of a file.
_LONGEST_TITLE = 150
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f\ud800-\udfff]+')


async def body_of(request: Request) -> dict[str, Any]:
    """The object that a request carries.

    Raises:
        CawUsageError: it is too large, or no object in JSON.
    """
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST_BODY_BYTES:
            raise CawUsageError("the request is too large")
    try:
        content = json.loads(bytes(data))
        json.dumps(content, allow_nan=False, ensure_ascii=False).encode()  # what could be read, but not be told again
    except (ValueError, RecursionError):
        raise CawUsageError("the request is no JSON") from None
    if not isinstance(content, dict):
        raise CawUsageError("the request must be an object")
    return content


def number_in(request: Request, name: str) -> float:
    """A number in the address of a request.

    Raises:
        CawUsageError: it is missing or none.
    """
    try:
        number = float(request.query_params[name])
    except (KeyError, ValueError):
        raise CawUsageError(f"{name} must be a number") from None
    if not abs(number) < 1e7:
        raise CawUsageError(f"{name} must be a number below ten million")
    return number


def title_in(request: Request, otherwise: str) -> str:
    """What the page calls a file that is downloaded, fit for the name of one.

    Args:
        request: for it, with the title as `title`.
        otherwise: the name of a file that it gives no title.
    """
    title = _NOT_IN_NAMES.sub("_", request.query_params.get("title", ""))[:_LONGEST_TITLE]
    return title.strip(" .") or otherwise
