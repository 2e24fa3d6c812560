"""Who is let in, and what nobody gets."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from caw_studio.jobs import JobQueue
from caw_studio.library import Library
from caw_studio.security import Guard, is_loopback
from caw_studio.server import make_app
from caw_toolkit import CawUsageError

ORIGIN, TOKEN = "http://127.0.0.1:8710", "a-secret-that-is-known-here"


def test_the_page_comes_with_a_strict_policy_and_knows_its_folder(client: TestClient, folder: Path) -> None:
    answer = client.get("")
    assert answer.status_code == 200 and str(folder) in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert f'content="{nonce}"' in answer.text
    assert client.get("").headers["content-security-policy"] != policy


@pytest.mark.parametrize("path", ["/", "/wrong/", "/wrong/api/files", "/static/style.css", "//", "/%00/"])
def test_without_the_secret_there_is_nothing(client: TestClient, path: str) -> None:
    assert client.get(f"{ORIGIN}{path}").status_code == 403


def test_the_request_for_no_path_is_refused() -> None:
    async def app(*_arguments: object) -> None:
        raise AssertionError

    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    guard = Guard(app, token=TOKEN, host="127.0.0.1", port=8710)
    scope = {"type": "http", "method": "OPTIONS", "path": "*", "headers": [(b"host", b"127.0.0.1:8710")]}
    asyncio.run(guard(scope, app, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8710", "127.0.0.1", "127.0.0.1:80", "localhost.evil:8710", "", "10.0.0.1:8710"],
)
def test_other_names_of_this_machine_are_refused(client: TestClient, host: str) -> None:
    assert client.get("api/files", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8710", "localhost:8710", "LOCALHOST:8710", "[::1]:8710"])
def test_its_own_names_are_known(client: TestClient, host: str) -> None:
    assert client.get("api/files", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "https://127.0.0.1:8710"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
    ],
)
def test_requests_of_other_pages_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("api/jobs", json={}, headers=headers).status_code == 403
    assert client.get("api/files", headers=headers).status_code == 403


def test_requests_of_its_own_page_are_not(client: TestClient) -> None:
    assert client.get("api/files", headers={"origin": ORIGIN, "sec-fetch-site": "same-origin"}).status_code == 200
    typed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}  # a link in a terminal's web page
    assert client.get("", headers=typed).status_code == 200


def test_elsewhere_numbers_are_names_but_words_are_not(library: Library) -> None:
    app = make_app(library, JobQueue(library), token=TOKEN, host="0.0.0.0", port=8710)
    client = TestClient(app, base_url=f"http://192.168.1.5:8710/{TOKEN}/")
    assert client.get("api/files").status_code == 200
    assert client.get("api/files", headers={"host": "evil.example:8710"}).status_code == 403


@pytest.mark.parametrize(
    "name",
    [
        "../outside.wav",
        "link.wav",
        "/etc/passwd",
        "notes.txt",
        ".caw-studio/token",
        ".caw-studio/../../outside.wav",
        "./.caw-studio/../clip.wav/../../outside.wav",
        ".caw-studio/uploads/.hidden.wav",
        "..\\outside.wav",
        "clip.wav\0",
        "x" * 5000 + ".wav",
        "",
        ".",
        "missing.wav",
    ],
)
def test_no_name_leads_out_of_the_folder(library: Library, name: str) -> None:
    with pytest.raises(CawUsageError, match="no file"):
        library.path(name)


@pytest.mark.parametrize("path", ["api/audio", "api/sound", "api/download", "api/model", "api/outline", "api/plan"])
def test_nothing_from_outside_is_given_out(client: TestClient, path: str) -> None:
    for name in ("../outside.wav", "link.wav", "."):
        answer = client.get(path, params={"file": name})
        assert answer.status_code == 400 and "no file" in answer.json()["error"]


@pytest.mark.parametrize("path", ["static/../plugin.py", "static/%2e%2e/plugin.py", "static/..%2fplugin.py"])
def test_no_path_leads_out_of_the_static_files(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (403, 404)
    assert client.get("static/js/main.js").status_code == 200


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("x", False)]
)
def test_loopback_is_told_from_elsewhere(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_the_secret_lasts_and_is_for_its_owner_alone(library: Library) -> None:
    assert library.token() == library.token() != ""
    assert (library.session / "token").stat().st_mode & 0o077 == 0
