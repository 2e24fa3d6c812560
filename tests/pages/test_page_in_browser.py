"""A page in Chromium: it plays, switches at the same moment, and asks nobody for anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.pages.page import Page, render
from caw_toolkit.pages.track import Track, compared

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page_file(speech: AudioClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Track("<b>speech</b>", speech, role="recording")
    turned = AudioClip(speech.samples[:, 48000:].copy(), speech.sample_rate)
    takes = [compared(Track(f"take {number}", turned), recording) for number in (1, 2)]
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_bytes(render(Page("Takes", [recording, *takes])))
    return path


@pytest.fixture(params=[(360, 740, "dark"), (1600, 1000, "light"), (3840, 2160, "light")], ids=["phone", "desk", "4K"])
def page(browser: Any, page_file: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    width, height, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.append(asked.url) if not local(asked.url) else None)
    page.goto(page_file.as_uri())
    yield page
    assert complaints == []
    context.close()


def local(url: str) -> bool:
    return url.startswith(("file:", "data:"))


def moment(page: Any) -> float:
    return float(page.inner_text("#time").removesuffix(" s"))


def until(page: Any, condition: Callable[[], bool]) -> None:
    """Wait up to ten seconds; Playwright's own way needs `eval`, which the page's policy refuses."""
    for _ in range(200):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it has not come to be")


def heard(page: Any) -> str:
    text: str = page.inner_text(".select[aria-pressed=true] span")
    return text


def test_tracks_are_switched_at_the_same_moment(page: Any) -> None:
    page.keyboard.press("2")
    page.keyboard.press("Space")
    until(page, lambda: moment(page) > 0.5)
    before = moment(page)
    page.keyboard.press("3")
    until(page, lambda: heard(page) == "take 2")
    assert before <= moment(page) < before + 2  # while other work goes on
    until(page, lambda: moment(page) > before + 0.3)
    page.keyboard.press("Space")
    rest = moment(page)
    page.keyboard.press("ArrowRight")
    assert moment(page) == pytest.approx(rest + 1, abs=0.11)
    assert page.get_attribute("#play", "aria-label") == "Play"


def test_a_strip_plays_its_place_of_the_recording(page: Any) -> None:
    page.locator(".track").nth(1).locator(".sources rect").first.click()
    until(page, lambda: heard(page) == "<b>speech</b>")
    until(page, lambda: moment(page) > 3)  # the take begins at second 3, and the middle of the strip is later


def test_pictures_zoom_and_the_page_does_not_scroll_sideways(page: Any) -> None:
    picture = page.locator(".spectrogram").first
    before = picture.bounding_box()["width"]
    picture.dblclick()
    assert picture.bounding_box()["width"] == pytest.approx(2 * before, rel=0.01)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
