"""What the page shows of results, of what is marked and of what goes wrong, in Chromium with the real server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio_server import StudioServer, until

pytestmark = pytest.mark.browser

IDLE = "![...studio.session.jobs.values()].some(job => ['queued', 'running'].includes(job.status))"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StudioServer]:
    server = StudioServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    yield page
    page.close()


def open_page(page: Any, address: str, recording: str = "tabla.flac") -> None:
    page.goto(f"{address}#.caw-studio%2Fclips%2F{recording}")
    until(page, f"studio.player.heard?.file.endsWith('{recording}')")


def test_an_answer_that_comes_late_is_no_news(page: Any, server: StudioServer) -> None:
    def answer_late(route: Any) -> None:
        response = route.fetch()
        if route.request.method == "POST":
            kept = server.folder / ".caw-studio" / "jobs" / "00001" / "job.json"
            while json.loads(kept.read_text())["status"] != "done":
                time.sleep(0.1)
        route.fulfill(response=response)

    open_page(page, server.start())
    page.route("**/api/jobs", answer_late)
    open_tab(page, "Repair")
    with page.expect_response("**/api/jobs"):
        page.get_by_role("button", name="Denoise").click()
    page.wait_for_timeout(1000)  # for the page to take it in
    assert page.evaluate("[...studio.session.jobs.values()].map(job => job.status)") == ["done"]


def open_tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def denoise(page: Any) -> None:
    open_tab(page, "Repair")
    page.get_by_role("button", name="Denoise").click()
    until(page, f"studio.session.jobs.size && {IDLE}")


def test_results_are_found_from_their_job_and_paused_where_they_are_begun(server: StudioServer, page: Any) -> None:
    open_page(page, server.start())
    denoise(page)
    until(page, "document.getElementById('news').textContent === 'tabla.flac denoised: done'")
    page.get_by_role("button", name="guitar.flac", exact=True).click()
    until(page, "studio.player.heard.file.endsWith('guitar.flac')")
    open_tab(page, "Train")
    page.locator("#jobs").get_by_role("button", name="tabla.flac denoised", exact=True).click()
    compare = page.get_by_role("button", name="Compare Denoised")
    assert compare.get_attribute("aria-pressed") == "false"
    page.get_by_role("button", name="Listen to Denoised").click()
    until(page, "studio.player.transport.playing && studio.player.transport.level > 0")
    assert compare.get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Pause Denoised").click()
    assert not page.evaluate("studio.player.transport.playing")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download Denoised as FLAC").click()
    assert download.value.suggested_filename == "tabla, Denoised.flac"
    page.locator("#panel").get_by_role("button", name="Remove: tabla.flac denoised").click()
    until(page, "studio.player.tracks.length === 1")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Listen to Denoised").wait_for()


def test_what_is_dragged_over_the_spectrogram_is_seen_there(server: StudioServer, page: Any) -> None:
    open_page(page, server.start())
    open_tab(page, "Repair")
    page.locator("#spectrogram").scroll_into_view_if_needed()
    box = page.locator("#spectrogram").bounding_box()
    y, begin, end = box["y"] + 40, box["x"] + 0.4 * box["width"], box["x"] + 0.5 * box["width"]
    page.mouse.move(begin, y)
    page.mouse.down()
    page.mouse.move(end, y, steps=3)
    marks = page.locator(".marks div")
    shown = marks.bounding_box()  # while it is dragged
    assert shown["x"] == pytest.approx(begin, abs=2) and shown["width"] == pytest.approx(end - begin, abs=2)
    page.mouse.up()
    ((start, stop, _),) = page.evaluate("studio.player.gaps")
    assert (stop - start) / page.evaluate("studio.session.sound.seconds") == pytest.approx(0.1, abs=0.01)
    assert marks.count() == 1
    open_tab(page, "Vary")  # where gaps are of no concern
    assert marks.count() == 0


def test_a_recording_that_is_gone_leaves_another(server: StudioServer, page: Any) -> None:
    address = server.start()
    open_page(page, address, "guitar.flac")
    page.goto("about:blank")
    page.goto(f"{address}#gone%2.wav")
    until(page, "studio.player.heard?.file.endsWith('guitar.flac')")  # the last one
    assert page.locator("#messages p").count() == 0


def test_a_model_of_another_recording_is_chosen_by_hand_alone(server: StudioServer, page: Any) -> None:
    open_page(page, server.start())
    page.get_by_label("Minutes", exact=True).fill("0.05")
    page.get_by_role("button", name="Train", exact=True).click()
    until(page, f"studio.session.models().length && {IDLE}")
    open_tab(page, "Generate")
    model = page.get_by_label("Model", exact=True)
    assert model.input_value() == ".caw-studio/jobs/00001/model.pt"
    page.get_by_role("button", name="guitar.flac", exact=True).click()
    until(page, "studio.player.heard.file.endsWith('guitar.flac')")
    assert model.input_value() == ""
    page.get_by_role("button", name="Generate", exact=True).click()
    page.get_by_text("Choose a model, or train one first.").wait_for()


def test_the_page_says_that_the_server_has_ended(server: StudioServer, page: Any) -> None:
    open_page(page, server.start())
    server.stop()
    page.get_by_text("Not connected").wait_for()
    open_tab(page, "Repair")
    for _ in range(2):
        page.get_by_role("button", name="Denoise").click()
        page.get_by_text("caw studio does not answer").wait_for()
    assert page.locator("#messages p").count() == 1  # it is said once
    server.start()
    until(page, "document.getElementById('connection').textContent === ''")
    denoise(page)
