"""Make the pages in docs/listen: `python docs/tools/make_listening_pages.py [TASK ...]`, from examples/audio.

Each page holds what a task began with and what came out, in Opus. How each file was made is in the page: `--log` of the
commands below.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from example_recordings import DROPOUTS, EXAMPLES, TELEPHONE_RATE, like_a_record, with_dropouts

from caw_toolkit import AudioClip, read_audio, write_audio
from caw_toolkit.dsp.resampling import resample

PAGES = Path(__file__).resolve().parents[1] / "listen"
SPEECH_CREDIT = "speech by Carlo, CC BY 3.0"


@dataclass(frozen=True)
class Workshop:
    """A folder to work in, and how long each training may take.

    Attributes:
        folder: holds what commands read and write.
        minutes: of each training.
    """

    folder: Path
    minutes: float

    def caw(self, *arguments: str | Path | float) -> None:
        """Run `caw` in the folder."""
        command = [sys.executable, "-m", "caw_toolkit", *map(str, arguments)]
        subprocess.run(command, cwd=self.folder, check=True)

    def train(self, clip: str | Path, model: str) -> None:
        """Train a model."""
        self.caw("train", clip, "-o", model, "--minutes", self.minutes, "--seed", 1, "-q")

    def report(self, name: str, title: str, *files: str, recording: str | Path | None = None) -> None:
        """Write the page of a task, which says how long trainings were."""
        options = [] if recording is None else ["--recording", recording]
        trained = "" if name == "denoise" else f", trained for {round(60 * self.minutes)} s"
        page = PAGES / f"{name}.html"
        self.caw(
            "report", page, *files, *options, "--title", title + trained, "--audio", "opus", "--log", "log.jsonl", "-f"
        )

    def write(self, name: str, clip: AudioClip) -> None:
        """Write a recording in 16 bits."""
        write_audio(self.folder / name, clip.samples, clip.sample_rate, bit_depth="16")


def generate(work: Workshop) -> None:
    """Two takes of a drum loop."""
    work.train(EXAMPLES / "tabla.flac", "tabla.pt")
    work.caw("generate", "-m", "tabla.pt", "-n", 2, "--duration", 10, "--seed", 1, "--log", "log.jsonl")
    takes = ("tabla_take1.wav", "tabla_take2.wav")
    work.report("generate", "New takes of a tabla loop", *takes, recording=EXAMPLES / "tabla.flac")


def vary(work: Workshop) -> None:
    """A drum loop with new detail, at two strengths."""
    work.write("tabla.wav", read_audio(EXAMPLES / "tabla.flac"))
    work.train("tabla.wav", "tabla.pt")
    for strength in (0.3, 0.5):
        work.caw("vary", "tabla.wav", "-m", "tabla.pt", "--strength", strength, "--seed", 1, "--log", "log.jsonl")
    variations = sorted(path.name for path in work.folder.glob("tabla.varied*"))
    work.report("vary", "Variations of a tabla loop", *variations, recording="tabla.wav")


def bwe(work: Workshop) -> None:
    """A telephone voice made wide by a model of other sentences of the speaker."""
    speech = read_audio(EXAMPLES / "speech.flac")
    middle = speech.samples.shape[-1] // 2
    work.write("other_sentences.wav", AudioClip(speech.samples[:, :middle], speech.sample_rate))
    truth = AudioClip(speech.samples[:, middle:], speech.sample_rate)
    work.write("truth.wav", truth)
    narrow = resample(truth.samples, truth.sample_rate, TELEPHONE_RATE)
    work.write("telephone.wav", AudioClip(narrow, TELEPHONE_RATE))
    work.train("other_sentences.wav", "speaker.pt")
    work.caw("bwe", "telephone.wav", "-m", "speaker.pt", "--seed", 1, "--log", "log.jsonl")
    work.report("bwe", f"Telephone to 16 kHz: {SPEECH_CREDIT}", "telephone.wav", "telephone.bwe.wav", "truth.wav")


def inpaint(work: Workshop) -> None:
    """Two gaps in speech, filled."""
    truth = read_audio(EXAMPLES / "speech.flac")
    work.write("truth.wav", truth)
    work.write("gaps.wav", with_dropouts(truth, DROPOUTS))
    gaps = [str(value) for gap in DROPOUTS for value in ("--gap", *gap)]
    work.caw("inpaint", "gaps.wav", *gaps, "--minutes", work.minutes, "--seed", 1, "--log", "log.jsonl", "-q")
    work.report("inpaint", f"Gaps filled: {SPEECH_CREDIT}", "gaps.wav", "gaps.inpainted.wav", "truth.wav")


def denoise(work: Workshop) -> None:
    """Hiss, hum and clicks taken out of a guitar."""
    truth = read_audio(EXAMPLES / "guitar.flac")
    work.write("truth.wav", truth)
    work.write("record.wav", like_a_record(truth, np.random.default_rng(1)))
    work.caw("denoise", "record.wav", "--residual", "removed.wav", "--log", "log.jsonl")
    work.report(
        "denoise", "Hiss, hum and clicks removed", "record.wav", "record.denoised.wav", "removed.wav", "truth.wav"
    )


TASKS = {make.__name__: make for make in (generate, vary, bwe, inpaint, denoise)}


def make_pages(tasks: list[str], minutes: float) -> None:
    """Make pages, each in a folder of its own that goes away."""
    PAGES.mkdir(exist_ok=True)
    for task in tasks or TASKS:
        with tempfile.TemporaryDirectory() as folder:
            TASKS[task](Workshop(Path(folder), minutes))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the pages in docs/listen.")
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"of {', '.join(TASKS)}; default: all")
    parser.add_argument("--minutes", type=float, default=0.5, help="of each training; default: %(default)s")
    make_pages(**vars(parser.parse_args()))
