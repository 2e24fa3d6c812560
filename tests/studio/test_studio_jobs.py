"""Jobs: settings become command lines, which processes of `caw` carry out."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from caw_studio.jobs import JobQueue
from caw_studio.library import Library
from caw_studio.progress import read_line
from caw_toolkit.audio.reading import read_audio
from shown_command import run_shown

GAIN = [{"effect": "Gain", "values": {"gain_db": -6.5}}]


def started(client: TestClient, kind: str, **settings: Any) -> dict[str, Any]:
    answer = client.post("api/jobs", json={"kind": kind, "settings": {"recording": "clip.wav", **settings}})
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def ended(client: TestClient, job: Mapping[str, Any], seconds: float = 120) -> dict[str, Any]:
    """The job when it is neither waiting nor running."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now: dict[str, Any] = next(each for each in client.get("api/jobs").json() if each["id"] == job["id"])
        if now["status"] not in ("queued", "running"):
            return now
        time.sleep(0.05)
    raise AssertionError(f"still {now['status']}: {now['lines']}")


def bytes_of_the_command(job: Mapping[str, Any], folder: Path) -> bytes:
    """What the command that is shown makes, run by hand."""
    made = Path(job["outputs"][0])
    kept = (folder / made).read_bytes()
    (folder / made).unlink()
    done = run_shown(job["command"], folder)
    assert done.returncode == 0, done.stderr
    again = (folder / made).read_bytes()
    assert again == kept
    return again


def test_a_result_is_what_the_shown_command_makes(working_client: TestClient, folder: Path) -> None:
    job = ended(working_client, started(working_client, "chain", chain=GAIN))
    assert job["status"] == "done" and job["has_record"], job["lines"]
    made = bytes_of_the_command(job, folder)
    assert working_client.get("api/audio", params={"file": job["outputs"][0]}).content == made
    record = json.loads(working_client.get(f"api/jobs/{job['id']}/record").text.splitlines()[0])
    assert record["command"] == "process"
    assert working_client.post(f"api/jobs/{job['id']}/remove").status_code == 200
    assert working_client.get("api/jobs").json() == [] and not list((folder / ".caw-studio" / "jobs").iterdir())
    assert started(working_client, "denoise")["id"] != job["id"]
    assert working_client.post(f"api/jobs/{job['id']}/put-back").status_code == 200
    assert working_client.get("api/audio", params={"file": job["outputs"][0]}).content == made
    assert ended(working_client, job)["status"] == "done"
    assert working_client.post(f"api/jobs/{job['id']}/put-back").status_code == 400


def test_ten_seconds_of_a_chain_are_tried_from_where_one_is(library: Library, folder: Path, client: TestClient) -> None:
    job = started(client, "chain", chain=GAIN, excerpt_from=1.0)
    excerpt = read_audio(folder / job["recipe"]["of"])
    assert excerpt.seconds == 2.0
    assert shlex.split(job["command"])[-2:] == [job["recipe"]["of"], job["recipe"]["outputs"][0]]


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        (
            "generate",
            {"model": "a.pt", "count": 2, "seconds": 4, "coherence": 8, "seed": 1},
            "generate --model a.pt --duration 4 -n 2 --coherence 8 --seed 1",
        ),
        ("denoise", {"strength": 0.5, "declick": False}, "denoise --strength 0.5 --no-declick --log"),
        ("inpaint", {"gaps": [[1, 1.1]], "count": 2}, "inpaint --gap 1.000000 1.100000 -n 2 --seed"),
        (
            "inpaint",
            {"gaps": [[1, 1.1], [2, 2.5, "left"]]},
            "inpaint --gap 1.000000 1.100000 --labels .caw-studio/jobs/00001/gaps.txt -n 3",
        ),
        ("train", {"minutes": 0.5, "seed": 7}, "train --minutes 0.5 --material auto --seed 7 --preview"),
    ],
)
def test_settings_become_a_command(
    client: TestClient, folder: Path, kind: str, settings: dict[str, Any], expected: str
) -> None:
    (folder / "a.pt").touch()
    job = started(client, kind, **settings)
    assert f" caw {expected}" in job["command"] and job["status"] == "queued"


def test_gaps_of_one_channel_are_labels(client: TestClient, folder: Path) -> None:
    job = started(client, "inpaint", gaps=[[1, 1.1], [2, 2.5, "right"], [3, 3.5, None]])
    labels = folder / ".caw-studio" / "jobs" / job["id"] / "gaps.txt"
    assert labels.read_text(encoding="utf-8") == "2.000000\t2.500000\tgap (right)\n"
    assert job["command"].count("--gap") == 2


def test_a_drawn_seed_is_kept_and_models_are_named(client: TestClient, folder: Path) -> None:
    (folder / "-m.pt").touch()
    for kind in ("generate", "vary", "bwe"):
        job = started(client, kind, model="-m.pt")
        words = shlex.split(job["command"])
        assert words[words.index("--model") + 1] == "./-m.pt"
        assert words[words.index("--seed") + 1] == str(job["recipe"]["settings"]["seed"])


@pytest.mark.parametrize(("name", "made"), [("c.MP3", "c.inpainted.MP3"), ("c.m4a", "c.inpainted.wav")])
def test_fillings_have_the_format_of_the_recording_if_it_can_be_written(
    client: TestClient, folder: Path, name: str, made: str
) -> None:
    (folder / name).touch()
    job = started(client, "inpaint", recording=name, gaps=[[1, 1.1]], count=1)
    assert [Path(output).name for output in job["recipe"]["outputs"]] == [made]


def test_takes_are_said_to_be_of_what_their_model_was_trained_on(client: TestClient, folder: Path) -> None:
    training = started(client, "train", recording=".caw-studio/clips/tabla.flac")
    model = training["recipe"]["outputs"][0]
    for name in (model, "mine.pt"):
        (folder / name).touch()
    titles = [started(client, "generate", model=name)["recipe"]["title"] for name in (model, "mine.pt")]
    assert titles == ["3 takes from the model of tabla.flac", "3 takes from mine.pt"]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("train", {"minutes": -1}),
        ("train", {"minutes": "1; rm"}),
        ("train", {"material": "--help"}),
        ("train", {"seed": 1.5}),
        ("train", {"recording": "../outside.wav"}),
        ("generate", {}),
        ("generate", {"model": "clip.wav"}),
        ("generate", {"model": "a.pt", "coherence": 61}),
        ("inpaint", {"gaps": []}),
        ("inpaint", {"gaps": [[2, 1]]}),
        ("inpaint", {"gaps": "12"}),
        ("inpaint", {"gaps": [[1, 2, "middle"]]}),
        ("denoise", {"strength": 2}),
        ("denoise", {"strength": True}),
        ("chain", {"chain": [{"effect": "rm"}]}),
        ("chain", {"chain": [{"effect": "Gain", "values": {"x": 1}}]}),
        ("panel", {"panel": "none"}),
        ("shell", {}),
        (None, {}),
    ],
)
def test_wrong_settings_start_nothing(client: TestClient, folder: Path, kind: Any, settings: dict[str, Any]) -> None:
    (folder / "a.pt").touch()
    answer = client.post("api/jobs", json={"kind": kind, "settings": {"recording": "clip.wav", **settings}})
    assert answer.status_code == 400 and answer.json()["error"]
    assert not list((folder / ".caw-studio" / "jobs").iterdir())


def test_waiting_jobs_are_bounded_and_can_be_stopped(client: TestClient) -> None:
    jobs = [started(client, "denoise") for _ in range(50)]
    answer = client.post("api/jobs", json={"kind": "denoise", "settings": {"recording": "clip.wav"}})
    assert answer.status_code == 400 and "waiting" in answer.json()["error"]
    assert client.post(f"api/jobs/{jobs[0]['id']}/remove").status_code == 400
    client.post(f"api/jobs/{jobs[0]['id']}/stop")
    assert client.get("api/jobs").json()[0]["status"] == "stopped"
    client.post(f"api/jobs/{jobs[0]['id']}/resume")
    assert client.get("api/jobs").json()[0]["status"] == "queued"
    assert client.post("api/jobs/99999/stop").status_code == 400
    assert client.post(f"api/jobs/{jobs[0]['id']}/explode").status_code == 404


def test_a_new_server_knows_the_jobs_of_the_old_one(client: TestClient, library: Library) -> None:
    job = started(client, "denoise", strength=0.25)
    (library.jobs / "00002").mkdir()
    (library.jobs / "00002" / "job.json").write_text("{")
    queue = JobQueue(library)
    queue.read()
    (known,) = queue.jobs.values()
    assert (known.id, known.status) == (job["id"], "queued")
    assert queue.shown(known)["command"] == job["command"]


def test_a_job_that_cannot_be_run_fails_and_the_next_one_runs(working_client: TestClient, folder: Path) -> None:
    failing = started(working_client, "chain", chain=[{"effect": "Gain", "values": {"gain_db": "loud"}}])
    following = started(working_client, "chain", chain=GAIN)
    failed = ended(working_client, failing)
    assert failed["status"] == "failed" and "gain_db" in failed["lines"][-1]
    assert ended(working_client, following)["status"] == "done"


@pytest.mark.slow
def test_a_training_is_stopped_used_and_gone_on_with(working_client: TestClient, folder: Path) -> None:
    job = started(working_client, "train", recording=".caw-studio/clips/tabla.flac", minutes=0.5, seed=1)
    stages, losses = set(), set()
    while not (now := working_client.get("api/jobs").json()[0])["takes"]:
        assert now["status"] in ("queued", "running"), now["lines"]
        stages.add(now["progress"]["stage"])
        losses.add(now["progress"]["details"])
        time.sleep(0.2)
    assert now["progress"]["fraction"] > 0
    assert any("scale 1" in stage for stage in stages) and any(any(map(str.isdigit, loss)) for loss in losses)
    working_client.post(f"api/jobs/{job['id']}/stop")
    stopped = ended(working_client, job)
    assert stopped["status"] == "stopped" and len(stopped["outputs"]) == 1
    take = started(working_client, "generate", model=stopped["outputs"][0], count=1, seconds=2, seed=4)
    assert ended(working_client, take)["status"] == "done"
    assert len(bytes_of_the_command(ended(working_client, take), folder)) > 2 * 16000
    working_client.post(f"api/jobs/{job['id']}/resume")
    finished = ended(working_client, job)
    assert finished["status"] == "done" and finished["outputs"][0].endswith("model.pt"), finished["lines"]
    assert len(finished["takes"]) > len(now["takes"])


def test_lines_of_progress_are_told_from_others() -> None:
    line = {"event": "progress", "file": "a", "number": 1, "count": 1, "fraction": 0.5, "stage": "scale 1"}
    progress = read_line(json.dumps(line))
    assert progress is not None and (progress.fraction, progress.stage) == (0.5, "scale 1")
    for other in ("wrote x.wav", "{", '{"event": "progress"}', '{"event": 3, "number": 1, "count": 0, "fraction": 1}'):
        assert read_line(other) is None
