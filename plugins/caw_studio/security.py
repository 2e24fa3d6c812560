"""Who may speak to the server: whoever knows the secret in the address, from a page of the server's own.

The secret is the first part of every path, so that no cookie is needed, which other servers on this machine would see
too. A page of somebody else's, whose name is made to lead here (DNS rebinding), has another `Host`; a request that it
makes of this server has another `Origin`.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
#: For everything that doesn't bring its own policy: nothing is loaded by it.
_POLICY = "default-src 'none'; frame-ancestors 'none'"


def page_policy(nonce: str) -> str:
    """The policy of the page: everything from this server; style sheets also from scripts that know the nonce."""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Lets requests through that may come, and none else.

    Args:
        app: what they are for.
        token: secret that their paths begin with.
        host: address that the server listens at.
        port: of the server.
    """

    def __init__(self, app: ASGIApp, *, token: str, host: str, port: int) -> None:
        self._app = app
        self._token = token
        self._port = port
        self._elsewhere = not is_loopback(host)
        self._names = _LOOPBACK if is_loopback(host) else _LOOPBACK | {host.lower(), socket.gethostname().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        complaint = self._complaint(Headers(scope=scope), scope["path"])
        if complaint is not None:
            await PlainTextResponse(complaint, 403, _headers())(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _headers().items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _complaint(self, headers: Headers, path: str) -> str | None:
        """Why a request is refused."""
        if not self._is_own(headers.get("host", "")):
            return "this server is not known under that name"
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{headers['host']}":
            return "requests come from pages of this server only"
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate":
            return "requests come from pages of this server only"
        if not hmac.compare_digest(path.removeprefix("/").split("/")[0].encode(), self._token.encode()):
            return "open the address that caw studio has printed: it ends with a secret"
        return None

    def _is_own(self, host: str) -> bool:
        name, _, port = host.lower().rpartition(":")
        if port != str(self._port):
            return False
        return name in self._names or (self._elsewhere and _is_address(name))


def _is_address(name: str) -> bool:
    """Whether a host is a number, which no name can be made to lead to."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _headers() -> dict[str, str]:
    return {
        "content-security-policy": _POLICY,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": "no-cache",
    }


def page_address(host: str, port: int, token: str) -> str:
    """Where the page is."""
    shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/{token}/"
