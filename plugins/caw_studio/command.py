"""`caw studio`: the page and its server."""

from __future__ import annotations

import errno
import importlib.util
import socket
import threading
import webbrowser
from pathlib import Path

import click

from caw_toolkit import CawError, CawUsageError
from caw_toolkit.cli.options import examples

DEFAULT_PORT = 8710
#: Ports that are tried where none is asked for.
_PORTS_TRIED = 20


@click.command(epilog=examples("caw studio recordings/"))
@click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path(), metavar="[FOLDER]"
)
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help=f"Default: {DEFAULT_PORT}, or the next one that is free."
)
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page in the browser.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Listen at this address; any other than the default lets others in.",
)
def studio(folder: Path, port: int | None, browser: bool, host: str) -> None:
    """Work on a page in the browser with the recordings in FOLDER, by default the present one.

    Train on a clip and hear takes while it is learnt, compare them, mark gaps and fill them, clean, vary, try chains of
    effects. What is made is kept in FOLDER/.caw-studio, with the command that makes it again. Ctrl-C ends it; trainings
    go on from there the next time.
    """
    missing = [name for name in ("starlette", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        raise CawUsageError(f"caw studio needs {' and '.join(missing)}: pip install 'caw-toolkit[studio]'")

    from caw_studio.library import Library
    from caw_studio.security import is_loopback, page_address
    from caw_studio.server import serve

    library = Library(folder)
    library.open()
    listening = _listen(host, port)
    bound = listening.getsockname()[1]
    token = library.token()
    if not is_loopback(host):
        click.echo(
            f"listening at {host}: whoever can reach this machine and knows the address below can read the audio in "
            f"{library.folder} and start jobs; nothing is encrypted on the way",
            err=True,
        )
    address = page_address(host, bound, token)
    click.echo(f"caw studio is at {address}")
    click.echo("Ctrl-C ends it", err=True)
    if browser:
        threading.Timer(0.3, webbrowser.open, [address]).start()
    serve(library, listening, token=token, host=host, port=bound)


def _listen(host: str, port: int | None) -> socket.socket:
    """A socket at the port that is asked for, or at the first free one."""
    ports = range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED) if port is None else [port]
    for each in ports:
        try:
            family = socket.getaddrinfo(host, each, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((host, each), family=family)
        except socket.gaierror:
            raise CawUsageError(f"--host {host!r} is no address of this machine") from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CawUsageError(f"cannot listen at {host}, port {each}: {error.strerror}") from error
    tried = f"{ports[0]}" if len(ports) == 1 else f"{ports[0]} to {ports[-1]}"
    raise CawError(f"port {tried} is taken: choose another with --port")
