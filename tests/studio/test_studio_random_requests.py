"""Requests by chance: whatever comes, the server answers and doesn't fail."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from starlette.testclient import TestClient

from studio_server import StudioServer

PATHS = (
    *("", "api/files", "api/sound", "api/outline", "api/spectrogram", "api/audio", "api/download", "api/model"),
    *("api/effects", "api/panels", "api/chain", "api/source-map", "api/jobs", "api/upload", "api/jobs/00001/stop"),
    *(
        "api/jobs/00001/resume",
        "api/jobs/00001/remove",
        "api/jobs/00001/put-back",
        "api/jobs/../x/stop",
        "api/jobs/00001/record",
        "static/",
        "x",
    ),
    *("api/uploads/remove", "api/uploads/put-back", "api/uploads/x"),
)
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS")
#: Of those that start a process on a valid file, only invalid ones.
STARTING = ("api/plan", "api/model-info")
NAMES = (
    "clip.wav",
    "../outside.wav",
    "",
    ".",
    "\0",
    "notes.txt",
    ".caw-studio/clips/tabla.flac",
    "é" * 300,
    "a/../b.wav",
)
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1e400, float("nan"), 10**400, 0.5, "", "--help", "clip.wav", [], {}, [[0, 1]], [{}]),
    *([{"effect": "Gain", "values": {"gain_db": "x"}}], [{"effect": "Reverb", "values": []}], "\ud800", "x" * 3000),
)
KINDS: tuple[Any, ...] = ("train", "generate", "inpaint", "denoise", "bwe", "vary", "chain", "panel", "?", None, 3, [])
KEYS = (
    "recording",
    "model",
    "gaps",
    "count",
    "seed",
    "strength",
    "chain",
    "minutes",
    "excerpt_from",
    "panel",
    "values",
)


#: Requests before the thousand that count, and what a server's memory may grow by over these.
WARM_UP, MOST_GROWTH_BYTES = 300, 4 << 20


def random_request(dice: random.Random) -> dict[str, Any]:
    path = dice.choice(PATHS + STARTING)
    names = [name for name in NAMES if not (path in STARTING and name.endswith((".wav", ".flac")))]
    parameters = {key: dice.choice(["0", "1", "-1", "nan", "1e9", "x", "3"]) for key in ("start", "stop", "columns")}
    parameters |= {
        "file": dice.choice(names),
        "recording": dice.choice(names),
        "name": dice.choice(NAMES),
        "format": "x",
    }
    settings = {key: dice.choice(VALUES) for key in dice.sample(KEYS, dice.randint(0, len(KEYS)))}
    settings |= {"recording": "clip.wav"} if dice.random() < 0.5 else {}
    body = {
        "kind": dice.choice(KINDS),
        "settings": dice.choice([settings, dice.choice(VALUES)]),
        "chain": dice.choice(VALUES),
    }
    contents = (
        json.dumps(body).encode(),
        bytes(dice.randrange(256) for _ in range(dice.randint(0, 200))),
        b"[" * 100_000,
    )
    if dice.random() < 0.1:
        denoising = {"kind": "denoise", "settings": {**settings, "recording": "clip.wav", "strength": 1, "model": None}}
        return {"method": "POST", "url": "api/jobs", "content": json.dumps(denoising).encode()}
    return {
        "method": dice.choices(METHODS, weights=[6, 6, 1, 1, 1, 1])[0],
        "url": path,
        "params": dict(dice.sample(sorted(parameters.items()), dice.randint(0, len(parameters)))),
        "content": dice.choices(contents, weights=[8, 2, 1])[0],
        "headers": dice.choice([{}, {"range": "bytes=5-1"}, {"range": "bytes=-x"}, {"content-type": "text/plain"}]),
    }


def test_no_request_makes_the_server_fail(client: TestClient) -> None:
    for seed in range(300):
        request = random_request(random.Random(seed))
        answer = client.request(**request)
        assert answer.status_code < 500, (seed, request, answer.text)


@pytest.mark.slow
def test_a_thousand_requests_leave_nothing_in_memory(folder: Path) -> None:
    server = StudioServer(folder)
    with httpx2.Client(base_url=server.start(), timeout=60) as client:
        memory = psutil.Process(server.process.pid)
        use_everything_once(client, folder)
        resident = []
        for seed in range(1000, 2000 + WARM_UP):
            request = random_request(random.Random(seed))
            answer = client.request(**request)
            assert answer.status_code < 500, (seed, request, answer.text)
            resident.append(memory.memory_info().rss)
    assert server.stop() == 0
    grown = resident[-1] - resident[WARM_UP]
    assert grown < MOST_GROWTH_BYTES, f"{grown / 2**20:.1f} MB more after a thousand requests"


def use_everything_once(client: httpx2.Client, folder: Path) -> None:
    """Let the server load what each kind of request needs."""
    tabla = ".caw-studio/clips/tabla.flac"
    client.post("api/upload", params={"name": "clip.wav"}, content=(folder / "clip.wav").read_bytes())
    for path, parameters in (
        ("outline", {"file": tabla}),
        ("spectrogram", {"file": "clip.wav", "start": "0", "stop": "1", "columns": "100"}),
        ("download", {"file": "clip.wav", "format": "flac"}),
        ("source-map", {"file": "clip.wav", "recording": tabla}),
        ("effects", {}),
        ("panels", {}),
    ):
        assert client.get(f"api/{path}", params=parameters).status_code == 200
