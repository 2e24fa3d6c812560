"""axe-core on every panel of the page, empty and full of results, and on what the page complains of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accessibility import LOOKS, grave_faults
from fake_plugins import install
from studio_server import open_studio, until

pytestmark = pytest.mark.browser

PLUGIN = """\
from caw_toolkit import CawError, hookimpl
from caw_toolkit.processors.panels import panel
from caw_toolkit.processors.parameters import Parameter, number


@hookimpl
def register_panels(register):
    register("louder", "caw_louder_panels:louder", summary="Make it louder.")


@panel(gain=Parameter(default=2.0, check=number(0, 4), summary="Of all samples."), name=Parameter(summary="Of it."))
def louder(clip, *, gain, name):
    raise CawError("this is loud enough")
"""
PANELS = ("Train", "Generate", "Repair", "Vary", "Chain", "Louder")
IDLE = "![...studio.session.jobs.values()].some(job => ['queued', 'running'].includes(job.status))"


@pytest.fixture
def page(tmp_path: Path, browser: Any) -> Iterator[Any]:
    """The page, with a plugin's panel on it."""
    install(tmp_path, "caw-louder", {"panels": PLUGIN})
    folder = tmp_path / "folder"
    folder.mkdir()
    with open_studio(browser, folder, {"PYTHONPATH": str(tmp_path)}) as page:
        until(page, "document.querySelector('.plan').textContent.includes('Scales')")
        yield page


def test_no_panel_has_grave_faults(page: Any) -> None:
    assert faults_of_panels(page) == []
    fill(page)
    for (width, height), scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        assert faults_of_panels(page) == [], (width, scheme)


def faults_of_panels(page: Any) -> list[str]:
    faults = []
    for panel in PANELS:
        open_tab(page, panel)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        faults += [f"{panel}: {fault}" for fault in grave_faults(page)]
    return faults


def fill(page: Any) -> None:
    """Have something of everything: results, a failure, takes to compare, marked gaps, an effect, a complaint."""
    start(page, "train", minutes=0.05)
    until(page, f"studio.session.models().length && {IDLE}")
    model = page.evaluate("studio.session.models()[0].name")
    start(page, "generate", model=model, count=2, seconds=3)
    start(page, "inpaint", model=model, gaps=[[1, 1.1]], count=1)
    start(page, "denoise", strength=1)
    start(page, "vary", model=model)
    start(page, "chain", chain=[{"effect": "Reverb", "values": {}}])
    start(page, "panel", panel="louder", values={"name": "loud"})
    until(page, IDLE)
    ended = page.evaluate("[...studio.session.jobs.values()].map(job => job.status)")
    assert ended == [*["done"] * 6, "failed"]
    open_tab(page, "Generate")
    for take in (1, 2):
        page.get_by_role("button", name=f"Compare Take {take}").click()
    until(page, "document.querySelectorAll('#tracks .strip').length === 3")
    page.evaluate("studio.player.gaps = [[1, 1.1], [2, 2.05]]")
    open_tab(page, "Chain")
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator("input[type=file]").set_input_files({"name": "x.wav", "mimeType": "audio/wav", "buffer": b"no audio"})
    page.locator("#messages p").wait_for()


def start(page: Any, kind: str, **settings: Any) -> None:
    page.evaluate(
        "([kind, settings]) => studio.session.start(kind, {recording: studio.session.recording, ...settings})",
        [kind, settings],
    )


def open_tab(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name).click()
