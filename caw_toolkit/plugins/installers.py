"""Installing into the running environment, with the program that looks after it: pip, pipx or uv."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from caw_toolkit.errors import CawError

#: Asked of pip: no question that nobody sees, no advice about its own version among its errors.
_QUIET_PIP = {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

_UV_TOOL_CAUTION = (
    "uv tool upgrade removes what was installed like this; to keep it: uv tool install caw-toolkit --with NAME"
)

_LONGEST_REASON = 400
_ERROR_LINE = re.compile("^\\s*(?:ERROR:|error:|\N{MULTIPLICATION SIGN})\\s*", re.MULTILINE)
_FRAME = re.compile("[\N{BOX DRAWINGS LIGHT HORIZONTAL}-\N{BLACK RIGHT-POINTING TRIANGLE}]+>?")


@dataclass(frozen=True)
class Installer:
    """A program that installs into one environment.

    Attributes:
        install_command: what precedes the names of distributions to install.
        uninstall_command: what precedes the names of distributions to remove.
        caution: what else the user should know after installing.
        upgrade_options: that make it replace what is installed by a newer version.
        one_editable_option: `--editable` stands once, for all names, as in pipx.

    .. versionadded:: 0.2
    """

    install_command: tuple[str, ...]
    uninstall_command: tuple[str, ...]
    caution: str = ""
    upgrade_options: tuple[str, ...] = ("--upgrade",)
    one_editable_option: bool = False

    def install(self, names: Sequence[str], *, upgrade: bool = False, editable: bool = False) -> None:
        """Install distributions: names with or without versions, folders, wheels, URLs.

        Args:
            names: what to install.
            upgrade: take newer versions of what is there.
            editable: use the folders as they are.

        Raises:
            CawError: it failed; the reason is the program's own.
        """
        _run([*self.install_command, *self.arguments(names, upgrade=upgrade, editable=editable)])

    def arguments(self, names: Sequence[str], *, upgrade: bool, editable: bool) -> list[str]:
        """What follows the command to install (`install`)."""
        options = list(self.upgrade_options) if upgrade else []
        if self.one_editable_option:  # one option for all names
            return [*options, *(["--editable"] if editable else []), *names]
        return [*options, *([part for name in names for part in ("--editable", name)] if editable else names)]

    def uninstall(self, names: Sequence[str]) -> None:
        """Remove distributions.

        Raises:
            CawError: it failed; the reason is the program's own.
        """
        _run([*self.uninstall_command, *names])


def find_installer() -> Installer:
    """The installer of the running environment.

    pipx keeps a record of what it installs, and has to do it itself. Other environments have pip, or are left to uv.

    Raises:
        CawError: there is none, or the environment is not to be changed; the message says what to type.
    """
    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").is_file():
        if shutil.which("pipx") is None:
            raise CawError(
                f"pipx looks after this environment and is not on PATH; type: pipx inject {prefix.name} NAME"
            )
        return Installer(
            ("pipx", "inject", prefix.name),
            ("pipx", "uninject", prefix.name),
            upgrade_options=("--force", "--pip-args=--upgrade"),
            one_editable_option=True,
        )
    if _is_the_systems():
        raise CawError(
            "this Python belongs to the operating system, which does not let pip change it; install caw-toolkit into "
            "an environment of its own, for instance with: pipx install caw-toolkit"
        )
    if importlib.util.find_spec("pip") is not None:
        pip = (sys.executable, "-m", "pip")
        return Installer((*pip, "install"), (*pip, "uninstall", "--yes"))
    if shutil.which("uv") is not None:
        return Installer(
            ("uv", "pip", "install", "--python", sys.executable),
            ("uv", "pip", "uninstall", "--python", sys.executable),
            _UV_TOOL_CAUTION if (prefix / "uv-receipt.toml").is_file() else "",
        )
    raise CawError(f"this environment has no pip, and uv is not on PATH; type: {sys.executable} -m ensurepip")


def _is_the_systems() -> bool:
    """Whether this is an externally managed Python (PEP 668), not a virtual environment."""
    marker = Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED"
    return sys.prefix == sys.base_prefix and marker.is_file() and "PIP_BREAK_SYSTEM_PACKAGES" not in os.environ


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **_QUIET_PIP},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise CawError(f"{shlex.join(command)} could not be run: {error.strerror or error}") from error
    if done.returncode:
        raise CawError(f"{shlex.join(command)} failed: {failure_reason(done.stdout)}")


def failure_reason(output: str) -> str:
    r"""The last error that an installer has printed, on one line.

    >>> failure_reason("Collecting shout\nERROR: no matching version\nERROR: No distribution found for shout\n")
    'No distribution found for shout'
    """
    last = _ERROR_LINE.split(output)[-1].strip()
    if "Traceback (most recent call last)" in last:
        last = last.splitlines()[-1]
    reason = _FRAME.sub(" ", last)
    return textwrap.shorten(reason, _LONGEST_REASON, placeholder=" ...") or "it printed no reason"
