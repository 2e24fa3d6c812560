"""A session in a folder of its own, and a client that is let in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette", reason="caw studio needs the extra 'studio'")
pytest.importorskip("httpx2", reason="the client of these tests")

from starlette.testclient import TestClient

from caw_studio.jobs import JobQueue
from caw_studio.library import Library
from caw_studio.server import make_app
from paths import EXAMPLES

PORT = 8710
TOKEN = "a-secret-that-is-known-here"
ORIGIN = f"http://127.0.0.1:{PORT}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three seconds of speech, in which a tenth is silent, and what is none of the page's business."""
    inside = tmp_path / "folder"
    inside.mkdir()
    samples, rate = soundfile.read(EXAMPLES / "speech.flac", frames=48000)
    samples[16000:17600] = 0
    soundfile.write(inside / "clip.wav", samples, rate)
    soundfile.write(tmp_path / "outside.wav", np.zeros(100), rate)
    (inside / "notes.txt").write_text("not audio")
    (inside / "link.wav").symlink_to(tmp_path / "outside.wav")
    return inside


@pytest.fixture
def library(folder: Path) -> Library:
    """The session of the folder."""
    library = Library(folder)
    library.open()
    return library


@pytest.fixture
def client(library: Library) -> TestClient:
    """A client whose jobs wait for ever."""
    app = make_app(library, JobQueue(library), token=TOKEN, host="127.0.0.1", port=PORT)
    return TestClient(app, base_url=f"{ORIGIN}/{TOKEN}/", raise_server_exceptions=False)


@pytest.fixture
def working_client(library: Library) -> Iterator[TestClient]:
    """A client whose jobs are done."""
    app = make_app(library, JobQueue(library), token=TOKEN, host="127.0.0.1", port=PORT)
    with TestClient(app, base_url=f"{ORIGIN}/{TOKEN}/") as client:
        yield client
