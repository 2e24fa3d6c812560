"""Requests by chance: whatever comes, the server answers and doesn't fail."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from starlette.testclient import TestClient

PATHS = (
    *("", "api/files", "api/sound", "api/outline", "api/spectrogram", "api/audio", "api/download", "api/model"),
    *("api/effects", "api/panels", "api/chain", "api/source-map", "api/jobs", "api/upload", "api/jobs/00001/stop"),
    *("api/jobs/00001/resume", "api/jobs/00001/remove", "api/jobs/../x/stop", "api/jobs/00001/record", "static/", "x"),
)
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
        "method": dice.choice(["GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]),
        "url": path,
        "params": dict(dice.sample(sorted(parameters.items()), dice.randint(0, len(parameters)))),
        "content": dice.choices(contents, weights=[8, 2, 1])[0],
        "headers": dice.choice([{}, {"range": "bytes=5-1"}, {"range": "bytes=-x"}, {"content-type": "text/plain"}]),
    }


@pytest.mark.parametrize(
    ("first", "count"), [(0, 300), pytest.param(300, 1000, marks=pytest.mark.slow)], ids=["300", "1000 more"]
)
def test_no_request_makes_the_server_fail(client: TestClient, first: int, count: int) -> None:
    for seed in range(first, first + count):
        request = random_request(random.Random(seed))
        answer = client.request(**request)
        assert answer.status_code < 500, (seed, request, answer.text)
