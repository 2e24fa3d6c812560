"""The page without a mouse: whatever is pressed, the focus stays where work goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio_server import open_studio, until

pytestmark = pytest.mark.browser

FOCUSED = "(({ariaLabel, labels, textContent}) => ariaLabel ?? labels?.[0]?.textContent ?? textContent)"
IDLE = "![...studio.session.jobs.values()].some(job => ['queued', 'running'].includes(job.status))"


@pytest.fixture
def page(tmp_path: Path, browser: Any) -> Iterator[Any]:
    with open_studio(browser, tmp_path) as page:
        yield page


def focused(page: Any) -> str:
    return str(page.evaluate(f"{FOCUSED}(document.activeElement)")).strip()


def press(page: Any, control: Any) -> None:
    control.focus()
    page.keyboard.press("Enter")


def test_the_focus_outlives_what_it_changes(page: Any) -> None:
    press(page, page.get_by_role("button", name="tabla.flac", exact=True))
    until(page, "studio.player.heard?.file.endsWith('tabla.flac')")
    assert focused(page) == "tabla.flac"

    page.get_by_role("tab", name="Repair").click()
    page.evaluate("studio.player.gaps = [[1, 1.1], [2, 2.1]]")
    page.get_by_label("Gap 2, start in seconds").fill("1.5")
    page.keyboard.press("Tab")
    until(page, "studio.player.gaps[1][0] === 1.5")
    assert focused(page) == "Gap 2, end in seconds"
    press(page, page.get_by_role("button", name="Remove gap 1"))
    assert focused(page) == "Remove gap 1"  # which was the second

    press(page, page.get_by_role("button", name="Denoise"))
    until(page, f"studio.session.jobs.size && {IDLE}")
    assert focused(page) == "Denoise"
    press(page, page.get_by_role("button", name="Listen to Denoised"))
    until(page, "studio.player.tracks.length === 2")
    press(page, page.locator("#tracks button").first)
    until(page, "studio.player.heard.title === 'The recording'")
    assert focused(page).startswith("1 The recording")
