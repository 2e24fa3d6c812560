"""Take the pictures of docs/studio.md: `PYTHONPATH=tests/support python docs/tools/make_screenshots.py`; extra `dev`.

Two for each panel of the page, wide and narrow, one of them dark. What they show is made while they are taken: a model
of the speech in examples/audio, takes, fillings. Needs Chromium.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from example_recordings import DROPOUTS, EXAMPLES, with_dropouts
from PIL import Image
from playwright.sync_api import sync_playwright

from caw_toolkit import read_audio, write_audio
from studio_server import StudioServer, until

IMAGES = Path(__file__).resolve().parents[1] / "images"
WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 360, "height": 1400}
SPEECH, BROKEN = "speech.flac", "broken.wav"
IDLE = "![...studio.session.jobs.values()].some(job => ['queued', 'running'].includes(job.status))"


class Photographer:
    """A page of `caw studio`, and pictures of its panels.

    Args:
        page: of Playwright, which shows it.
        minutes: of the training.
    """

    def __init__(self, page: Any, minutes: float) -> None:
        self.page = page
        self.minutes = minutes

    def take_all(self) -> None:
        """Work on each panel, and take its pictures."""
        self.choose(SPEECH)
        self.start("train", minutes=self.minutes, seed=1)
        until(self.page, f"[...studio.session.jobs.values()][0].takes.length || {IDLE}")
        self.take("Train", dark_when_wide=False)
        until(self.page, IDLE, seconds=60 * self.minutes + 120)
        model = self.page.evaluate("studio.session.models()[0].name")
        self.start("generate", model=model, count=2, seconds=12, seed=1)
        until(self.page, IDLE)
        self.open("Generate")
        for take in (1, 2):
            self.page.get_by_role("button", name=f"Compare Take {take}").click()
        until(self.page, "document.querySelectorAll('#tracks .strip').length === 3")
        self.page.evaluate("studio.player.hear(studio.player.tracks[1], 4.2)")
        self.take("Generate", dark_when_wide=False)
        for strength in (0.5, 0.8):
            self.start("vary", model=model, strength=strength, seed=1)
        self.take("Vary", dark_when_wide=True)
        self.build_chain("HighpassFilter", "Compressor", "denoise")
        self.take("Chain", dark_when_wide=True)
        self.choose(BROKEN)
        self.open("Repair")
        self.page.get_by_role("button", name="Find gaps").click()
        gaps = until(self.page, "studio.player.gaps.length && studio.player.gaps.map(([start, stop]) => [start, stop])")
        self.start("inpaint", gaps=gaps, model=model, count=2, seed=1)
        self.start("denoise", strength=1)
        self.take("Repair", dark_when_wide=False)

    def choose(self, recording: str) -> None:
        """Work on a recording."""
        self.page.get_by_role("button", name=recording, exact=True).first.click()
        until(self.page, f"studio.player.heard?.file === '{recording}'")

    def open(self, panel: str) -> None:
        """Show a panel."""
        self.page.get_by_role("tab", name=panel).click()

    def start(self, kind: str, **settings: Any) -> None:
        """Start a job on the chosen recording."""
        self.page.evaluate(
            "([kind, settings]) => studio.session.start(kind, {recording: studio.session.recording, ...settings})",
            [kind, settings],
        )

    def build_chain(self, *effects: str) -> None:
        """Add effects, and try ten seconds."""
        self.open("Chain")
        for effect in effects:
            self.page.get_by_label("Effect", exact=True).select_option(effect)
            self.page.get_by_role("button", name="Add", exact=True).click()
        self.page.get_by_role("button", name="Try ten seconds").click()
        until(self.page, "[...studio.session.jobs.values()].some(job => job.kind === 'chain')")

    def take(self, panel: str, *, dark_when_wide: bool) -> None:
        """Take both pictures of a panel; but for that of a training, when its jobs have ended."""
        if panel != "Train":
            until(self.page, IDLE)
        self.open(panel)
        self.page.evaluate("document.activeElement.blur()")
        for is_narrow in (False, True):
            self.page.set_viewport_size(NARROW if is_narrow else WIDE)
            self.page.emulate_media(color_scheme="dark" if is_narrow != dark_when_wide else "light")
            self.page.wait_for_timeout(1000)  # until the spectrogram is drawn anew
            self.page.evaluate("isNarrow => scrollTo(0, isNarrow ? player.offsetTop : 0)", is_narrow)
            picture = self.page.screenshot(full_page=not is_narrow)
            _save(picture, IMAGES / f"studio-{panel.lower()}{'-narrow' if is_narrow else ''}.png")


def _save(picture: bytes, path: Path) -> None:
    """Keep a picture in 256 colours, a third of the size."""
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


@contextmanager
def opened_page() -> Iterator[Any]:
    """The page, in a folder with two recordings."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        shutil.copy(EXAMPLES / SPEECH, folder)
        broken = with_dropouts(read_audio(EXAMPLES / SPEECH), DROPOUTS)
        write_audio(Path(folder, BROKEN), broken.samples, broken.sample_rate)
        server = StudioServer(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport=WIDE)
            page.goto(server.start())
            page.evaluate("document.querySelector('.folder').textContent = '~/recordings'")
            yield page
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2, help="of the training")
    with opened_page() as page:
        Photographer(page, parser.parse_args().minutes).take_all()
