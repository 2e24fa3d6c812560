"""Fresh environments beside the running one: what is installed there is gone with them."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from caw_process import ENVIRONMENT
from paths import ROOT

Finished: TypeAlias = "subprocess.CompletedProcess[str]"

#: Builds with the setuptools that is installed here, and downloads nothing.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "false"}
#: Where mypy finds the toolkit: it does not follow an editable installation.
TYPES = {"MYPYPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins")))}


class PluginEnvironment:
    """A virtual environment that sees everything that is installed in the running one, pip and the toolkit included.

    Args:
        folder: where to make it.
    """

    def __init__(self, folder: Path) -> None:
        venv.EnvBuilder(with_pip=False).create(folder / "environment")
        scripts = sysconfig.get_path("scripts", vars={"base": str(folder / "environment")})
        self._python = Path(scripts, "python")
        self._folder = folder
        own = self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
        beside = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        Path(own, "beside.pth").write_text(beside, encoding="utf-8")

    def run(
        self, *arguments: str | Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run Python to its end, in the folder."""
        return subprocess.run(
            [self._python, *arguments],
            cwd=self._folder,
            env={**ENVIRONMENT, **OFFLINE, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def started_caw(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start `caw ARGUMENTS` in the folder; what it prints can be read."""
        command = [self._python, "-m", "caw_toolkit", *arguments]
        return subprocess.Popen(command, cwd=self._folder, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)

    def caw(
        self, *arguments: str | Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `caw ARGUMENTS` to its end, in the folder."""
        return self.run("-m", "caw_toolkit", *arguments, environment=environment)

    def pip(self, *arguments: str | Path) -> None:
        """Run pip, which must succeed."""
        done = self.run("-m", "pip", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
