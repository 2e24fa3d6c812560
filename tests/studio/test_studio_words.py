"""What goes wrong, as it is said to whoever doesn't type."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

import caw_toolkit
from caw_studio.job import Job
from caw_studio.jobs import JobQueue
from caw_studio.library import Library
from caw_studio.recipes import Recipe
from caw_studio.words import ADVICE, in_words_of_the_page
from caw_toolkit import CawError, read_audio


def upload(client: TestClient, path: Path) -> str:
    answer = client.post("api/upload", params={"name": path.name}, content=path.read_bytes())
    assert answer.status_code == 400
    return str(answer.json()["error"])


def test_files_go_by_the_names_that_they_were_handed_in_with(client: TestClient, tmp_path: Path) -> None:
    empty, many = tmp_path / "empty.wav", tmp_path / "many.wav"
    empty.touch()
    soundfile.write(many, np.zeros((100, 8)), 16000)
    assert upload(client, empty) == "empty.wav is empty (0 bytes)"
    said = upload(client, many)
    assert said.startswith("many.wav has 8 channels") and said.endswith("audio editor first")


def test_options_become_controls(library: Library) -> None:
    with pytest.raises(CawError) as raised:
        read_audio(library.folder / "clip.wav", longest_seconds=1)
    said = in_words_of_the_page(str(raised.value), library)
    assert said.startswith("clip.wav is 3.0 s long") and "tick" in said and "--" not in said


@pytest.mark.parametrize("advice", ADVICE)
def test_advice_is_that_of_the_commands(advice: str) -> None:
    sources = Path(str(caw_toolkit.__file__)).parent.rglob("*.py")
    assert any(advice in path.read_text(encoding="utf-8") for path in sources)


def test_of_a_job_is_said_why_it_failed_or_what_is_to_be_known_of_its_results(library: Library) -> None:
    lines = ["caw: warning: .caw-studio/jobs/00001/clip.wav is short", "caw: error: it is too short"]
    queue = JobQueue(library)
    job = Job("00001", "denoise", Recipe("", [], ["a, b.wav", "c.wav"], {}), 1, lines=lines)
    job.status = "failed"
    assert queue.shown(job)["notes"] == ["it is too short"]
    job.status = "done"
    job.lines = [
        lines[0],
        "wrote a, b.wav",
        "wrote c.wav (3 s)",
        "wrote c.wav (3 s), 5% new",
        "caw: error: interrupted",
        "2 gaps, 0.600 s in all",
        "   1  at 0:01.000     200 ms  given",
        "seed 5",
        "wrote elsewhere.wav",
    ]
    assert queue.shown(job)["notes"] == ["clip.wav is short", "5% new"]
    job.kind = "train"
    assert queue.shown(job)["notes"] == ["clip.wav is short"]


def test_trouble_with_the_disk_is_said_and_leaves_no_job_behind(client: TestClient, library: Library) -> None:
    shutil.rmtree(library.jobs)
    answer = client.post("api/jobs", json={"kind": "denoise", "settings": {"recording": "clip.wav"}})
    assert answer.status_code == 507 and "No such file" in answer.json()["error"]
    assert client.get("api/jobs").json() == []
