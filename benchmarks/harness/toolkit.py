"""The toolkit as users run it: the command `caw` in a process of its own."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Toolkit:
    """Runs `caw`, and trains each model once.

    Attributes:
        models: folder that trained models are kept in.
        minutes: of training for each model.
        seed: of everything.
        preset: of trainings, a name or a file.
    """

    models: Path
    minutes: float
    seed: int
    preset: str = "fast"

    @property
    def key(self) -> str:
        """What tells these models from others, for names of files."""
        preset = "" if self.preset == "fast" else f"-{Path(self.preset).stem}"
        return f"{self.minutes:g}min{preset}-seed{self.seed}"

    def run(self, *arguments: str | Path) -> None:
        """Run `caw ARGUMENTS`.

        Raises:
            subprocess.CalledProcessError: it failed; its message has gone to standard error.
        """
        command = [sys.executable, "-m", "caw_toolkit", *map(str, arguments)]
        process = subprocess.Popen(command)
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.wait()  # it was interrupted as well, and keeps its state
            raise
        if code:
            raise subprocess.CalledProcessError(code, command)

    def model(self, clips: Sequence[Path]) -> Path:
        """A model of clips, trained unless there is one of the same bytes already; goes on after an interruption."""
        content = hashlib.sha256(b"".join(clip.read_bytes() for clip in clips)).hexdigest()[:10]
        key = f"{content}-{self.key}.pt"
        begun = sorted(self.models.glob(f"*-{key}*"))  # a model, or the checkpoint of one, maybe under another's name
        name = begun[0].name.removesuffix(".checkpoint") if begun else f"{clips[0].stem}-{key}"
        path = self.models / name
        if not path.exists():
            self.models.mkdir(parents=True, exist_ok=True)
            began = time.monotonic()
            print(f"training {path.name}", file=sys.stderr, flush=True)
            budget = ["--preset", self.preset, "--minutes", f"{self.minutes:g}", "--seed", str(self.seed)]
            self.run("train", *clips, "-o", path, *budget, "--resume", "--quiet")
            print(f"trained for {(time.monotonic() - began) / 60:.1f} minutes", file=sys.stderr, flush=True)
        return path
