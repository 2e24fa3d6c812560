"""axe-core on pages: that of a report, of a model, of the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accessibility import LOOKS, grave_faults
from caw_process import run_caw

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the three pages."""
    folder = tmp_path_factory.mktemp("pages")
    for command in (
        ["demo", "--minutes", "0.05", "-o", ".", "--quiet"],
        ["report", "report.html", "take1.wav", "take2.wav", "--recording", "speech.flac"],
        ["info", "model.pt", "--html", "card.html"],
    ):
        done = run_caw(*command, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", ["listen", "report", "card"])
def test_pages_have_no_grave_faults(name: str, pages: Path, browser: Any) -> None:
    page = browser.new_page()
    page.goto((pages / f"{name}.html").as_uri())
    for (width, height), scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        assert grave_faults(page) == [], (width, scheme)
    page.close()


def test_a_grave_fault_is_found(browser: Any) -> None:
    page = browser.new_page()
    page.set_content('<html lang="en"><title>x</title><main><h1>x</h1><img src="data:,"></main></html>')
    (fault,) = grave_faults(page)
    assert fault.startswith("image-alt (critical)")
    page.close()
