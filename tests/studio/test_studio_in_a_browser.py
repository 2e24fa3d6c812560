"""The page in Chromium, with the real server: what a person does, from dropping a file to the download."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from caw_process import run_caw
from paths import EXAMPLES
from shown_command import run_shown
from studio_server import StudioServer, until

pytestmark = pytest.mark.browser


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[StudioServer]:
    server = StudioServer(tmp_path, getattr(request, "param", None))
    yield server
    server.stop()


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    """A browser's window; at its end nothing may have gone wrong, and no other host been asked."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    complaints: list[str] = []

    def watch(page: Any) -> None:
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if not is_own(request.url) else None)

    def is_own(url: str) -> bool:
        return url.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:", "data:"))

    context.on("page", watch)
    yield context
    context.close()
    assert [each for each in complaints if "ERR_CONNECTION_REFUSED" not in each] == []  # while the server starts anew


def jobs(page: Any, kind: str) -> list[dict[str, Any]]:
    known: list[dict[str, Any]] = page.evaluate("[...studio.session.jobs.values()]")
    return [job for job in known if job["kind"] == kind]


def finished(page: Any, kind: str, count: int = 1) -> dict[str, Any]:
    """The newest job of a kind, when there are so many and all have ended."""
    of_kind = f"[...studio.session.jobs.values()].filter(job => job.kind === '{kind}')"
    until(page, f"{of_kind}.length === {count} && !{of_kind}.some(job => ['queued', 'running'].includes(job.status))")
    job = max(jobs(page, kind), key=lambda each: str(each["id"]))
    assert job["status"] == "done", job["lines"]
    return job


def heard(page: Any) -> float:
    """The level of what comes out of the loudspeaker."""
    return float(
        until(
            page,
            "studio.player.transport.playing && studio.player.transport.level > 0.003 && studio.player.transport.level",
            30,
        )
    )


def choose_tabla(page: Any, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="tabla.flac").click()
    until(page, "studio.player.heard?.file.endsWith('tabla.flac')")


def open_tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_from_a_dropped_file_to_a_filled_gap(server: StudioServer, context: Any, tmp_path: Path) -> None:
    page = context.new_page()
    page.goto(server.start())
    page.locator("input[type=file]").set_input_files(EXAMPLES / "guitar.flac")
    until(page, "studio.session.recording === '.caw-studio/uploads/guitar.flac'")
    until(page, "document.getElementById('spectrogram').width > 300")

    page.get_by_label("Minutes", exact=True).fill("0.3")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Listen to First take").click(timeout=120_000)
    assert heard(page) > 0.003
    page.keyboard.press("1")
    until(page, "studio.player.heard.title === 'The recording'")
    finished(page, "train")

    open_tab(page, "Repair")
    page.locator("#wave").scroll_into_view_if_needed()
    box = page.locator("#wave").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 320, box["y"] + 40, steps=4)
    page.mouse.up()
    (gap,) = page.evaluate("studio.player.gaps")
    assert 0.05 < gap[1] - gap[0] < 1
    page.get_by_label("Fillings").fill("1")
    page.get_by_role("button", name="Fill the gaps").click()
    job = finished(page, "inpaint")
    page.get_by_role("button", name="Listen to Filling 1").click()
    heard(page)

    with page.expect_download() as download:
        page.get_by_role("link", name="Download Filling 1 as FLAC").click()
    downloaded = Path(download.value.path()).read_bytes()
    page.get_by_text("Show the command").first.click()
    command = page.locator("#panel pre").first.inner_text()
    assert command == job["command"]
    assert "seed" in page.locator("#panel dl").first.inner_text()
    (tmp_path / job["outputs"][0]).unlink()
    done = run_shown(command, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / job["outputs"][0]).read_bytes() == downloaded


def test_a_training_outlives_reloads_and_the_server(server: StudioServer, context: Any) -> None:
    page = context.new_page()
    address = server.start()
    choose_tabla(page, address)
    page.get_by_label("Minutes", exact=True).fill("5")
    page.get_by_role("button", name="Train", exact=True).click()
    until(page, "[...studio.session.jobs.values()][0]?.progress.fraction > 0")

    page.reload()
    page.get_by_role("button", name="Listen to First take").wait_for(timeout=120_000)
    twin = context.new_page()
    twin.goto(address)
    until(twin, "[...studio.session.jobs.values()][0]?.status === 'running'")
    assert [job["id"] for job in jobs(twin, "train")] == [job["id"] for job in jobs(page, "train")]

    assert server.stop() == 0
    until(page, "document.getElementById('connection').textContent")
    assert server.start() == address
    until(page, "[...studio.session.jobs.values()][0]?.status === 'stopped'")
    page.get_by_role("button", name="Go on").first.click()
    until(twin, "[...studio.session.jobs.values()][0]?.status === 'running'")
    twin.get_by_role("button", name="Stop here").first.click()
    until(page, "[...studio.session.jobs.values()][0]?.status === 'stopped'")
    (job,) = jobs(page, "train")
    assert job["outputs"] and job["takes"]


def test_jobs_are_cancelled_and_short_ones_do_not_wait_for_long_ones(server: StudioServer, context: Any) -> None:
    page = context.new_page()
    choose_tabla(page, server.start())
    page.get_by_role("button", name="Train", exact=True).click()
    open_tab(page, "Repair")
    page.get_by_role("button", name="Denoise").click()
    finished(page, "denoise")
    assert jobs(page, "train")[0]["status"] == "running"

    page.get_by_role("button", name="After").click()
    heard(page)
    page.locator(".mix input").fill("0.4")
    page.get_by_role("button", name="Make it at this strength").click()
    assert finished(page, "denoise", count=2)["recipe"]["settings"]["strength"] == 0.4

    open_tab(page, "Train")
    page.locator("#panel").get_by_role("button", name="Stop here").click()
    until(page, "[...studio.session.jobs.values()].find(job => job.kind === 'train').status === 'stopped'")
    page.locator("#panel").get_by_role("button", name="Remove").click()
    until(page, "![...studio.session.jobs.values()].some(job => job.kind === 'train')")
    page.get_by_role("button", name="Undo").click()
    until(page, "[...studio.session.jobs.values()].some(job => job.kind === 'train')")


def test_gaps_are_found_as_inpaint_finds_them(server: StudioServer, context: Any, tmp_path: Path) -> None:
    samples, rate = soundfile.read(EXAMPLES / "speech.flac")
    samples = np.stack([samples, samples], axis=1)
    samples[50000:51600] = samples[20000:21600, 0] = 0
    soundfile.write(tmp_path / "broken.wav", samples, rate)
    page = context.new_page()
    page.goto(server.start())
    until(page, "studio.player.heard?.file === 'broken.wav'")
    open_tab(page, "Repair")
    page.get_by_role("button", name="Find gaps").click()
    gaps = until(page, "studio.player.gaps.length && studio.player.gaps")
    asked = run_caw("inpaint", tmp_path / "broken.wav", "--find", "--dry-run", "--json", "-q")
    found = json.loads(asked.stdout)["gaps"]
    assert [gap[:2] for gap in gaps] == [[gap["start_seconds"], gap["stop_seconds"]] for gap in found]
    assert page.locator(".gaps li small").all_inner_texts() == ["silence (left only)", "silence"]
    page.get_by_role("button", name="Fill the gaps").click()
    job = until(page, "[...studio.session.jobs.values()].find(job => job.kind === 'inpaint')")
    assert job["recipe"]["settings"]["gaps"] == [[1.25, 1.35, "left"], [3.125, 3.225]]


@pytest.mark.parametrize("server", [{"CAW_DISABLE_PLUGINS": "inpainting"}], indirect=True)
def test_without_a_task_the_others_work_and_it_is_said(server: StudioServer, browser: Any) -> None:
    page = browser.new_page()
    choose_tabla(page, server.start())
    open_tab(page, "Repair")
    page.get_by_role("button", name="Find gaps").click()
    page.get_by_text("caw inpaint is missing").wait_for()
    page.get_by_role("button", name="Denoise").click()
    finished(page, "denoise")
    page.close()


def test_chains_are_built_with_the_keyboard(server: StudioServer, context: Any) -> None:
    page = context.new_page()
    choose_tabla(page, server.start())
    open_tab(page, "Train")
    page.keyboard.press("ArrowLeft")  # to the last tab
    assert page.get_by_role("tab", name="Chain").get_attribute("aria-selected") == "true"
    for effect in ("Reverb", "Gain"):
        page.get_by_label("Effect", exact=True).select_option(effect)
        page.get_by_role("button", name="Add", exact=True).focus()
        page.keyboard.press("Enter")
    page.get_by_role("button", name=re.compile("Gain, 2 of 2")).focus()
    page.keyboard.press("ArrowUp")
    assert page.locator("#chain strong").all_inner_texts() == ["Gain", "Reverb"]
    page.get_by_label("Gain, dB").fill("20")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the chain").click()
    assert 'effect = "Gain"\ngain_db = 20' in Path(download.value.path()).read_text(encoding="utf-8")
    page.get_by_role("button", name="Try ten seconds").click()
    assert finished(page, "chain")["outputs"]
    page.get_by_role("button", name="Listen to Ten seconds").click()
    heard(page)
    with page.expect_download():
        page.get_by_role("link", name="Download Ten seconds, processed as FLAC").click()
    page.get_by_text("are clipped in FLAC, and kept in WAV").wait_for()
