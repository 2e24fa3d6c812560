"""Recordings: what is handed in, looked at and given out."""

from __future__ import annotations

import io
import json
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from caw_studio import library as library_module
from caw_studio.library import Library
from caw_studio.sounds import FLOOR_DB, spectrogram_of
from caw_toolkit import CawUsageError


def test_everything_there_is_is_listed(client: TestClient) -> None:
    listed = client.get("api/files").json()
    assert listed["recordings"] == ["clip.wav"]  # the link leads out of the folder
    assert [name.split("/")[-1] for name in listed["built_in"]] == ["speech.flac", "guitar.flac", "tabla.flac"]
    assert all(client.get("api/sound", params={"file": name}).status_code == 200 for name in listed["built_in"])


def test_a_recording_is_described_as_it_is(client: TestClient, folder: Path) -> None:
    sound = client.get("api/sound", params={"file": "clip.wav"}).json()
    samples, rate = soundfile.read(folder / "clip.wav")
    assert (sound["seconds"], sound["sample_rate"], sound["channels"]) == (3.0, rate, 1)
    assert sound["peak_db"] == pytest.approx(20 * np.log10(np.abs(samples).max()), abs=0.1)
    assert sound["level_db"] == pytest.approx(10 * np.log10(np.mean(samples**2)), abs=0.1)
    assert sound["over"] == 0
    outline = np.frombuffer(client.get("api/outline", params={"file": "clip.wav"}).content, np.int8).reshape(-1, 2)
    assert outline.shape == (-(-48000 // 256), 2)
    assert outline.max() == pytest.approx(127 * samples.max(), abs=1)


def test_a_spectrogram_shows_a_tone_where_it_is(tmp_path: Path) -> None:
    times = np.arange(16000) / 16000
    soundfile.write(tmp_path / "tone.wav", 0.5 * np.sin(2 * np.pi * 1000 * times) * (times >= 0.5), 16000)
    picture = spectrogram_of(tmp_path / "tone.wav", 0.0, 1.0, 100)
    rows = np.geomspace(picture.highest_hz, picture.lowest_hz, len(picture.levels))
    assert rows[picture.levels[:, 75].argmax()] == pytest.approx(1000, rel=0.05)
    assert picture.levels[:, :40].max() == 0 < -FLOOR_DB
    part = spectrogram_of(tmp_path / "tone.wav", 0.6, 0.8, 50)
    assert part.levels.max() == pytest.approx(int(picture.levels.max()), abs=3)
    with pytest.raises(CawUsageError):
        spectrogram_of(tmp_path / "tone.wav", 0.0, 500.0, 50)


def test_samples_above_full_scale_are_counted_and_clipped_in_flac_only(client: TestClient, folder: Path) -> None:
    samples = np.array([[0.5], [1.5], [-2.0], [-1.0]], np.float32)
    soundfile.write(folder / "loud.wav", samples, 16000, subtype="FLOAT")
    assert client.get("api/sound", params={"file": "loud.wav"}).json()["over"] == 2
    kept, clipped = (
        soundfile.read(io.BytesIO(client.get("api/download", params={"file": "loud.wav", "format": suffix}).content))[0]
        for suffix in ("wav", "flac")
    )
    np.testing.assert_array_equal(kept, samples[:, 0])
    np.testing.assert_allclose(clipped, [0.5, 1, -1, -1], atol=1e-6)


def test_an_upload_is_kept_and_can_be_used(client: TestClient, folder: Path) -> None:
    data = (folder / "clip.wav").read_bytes()
    other = data[:-2] + bytes(2)
    names = [handed_in(client, "my clip.wav", content) for content in (data, other, data, other)]
    assert names == 2 * [".caw-studio/uploads/my clip.wav", ".caw-studio/uploads/my clip-2.wav"]
    assert client.get("api/audio", params={"file": names[0]}).content == data
    assert client.get("api/files").json()["uploads"] == sorted(names[:2])


def handed_in(client: TestClient, name: str, content: bytes) -> str:
    return str(client.post("api/upload", params={"name": name}, content=content).json()["name"])


def test_an_upload_is_removed_and_put_back(client: TestClient, library: Library, folder: Path) -> None:
    data = (folder / "clip.wav").read_bytes()
    name = handed_in(client, "a.wav", data)
    job = client.post("api/jobs", json={"kind": "denoise", "settings": {"recording": name}}).json()
    assert client.post("api/uploads/remove", json={"file": name}).status_code == 400  # it waits to be worked on
    client.post(f"api/jobs/{job['id']}/stop")
    assert client.post("api/uploads/remove", json={"file": name}).status_code == 200
    assert client.get("api/files").json()["uploads"] == []
    assert client.post("api/uploads/put-back", json={"file": name}).status_code == 200
    assert client.get("api/audio", params={"file": name}).content == data
    client.post("api/uploads/remove", json={"file": name})
    handed_in(client, "a.wav", data[:-2] + bytes(2))
    answer = client.post("api/uploads/put-back", json={"file": name})
    assert answer.status_code == 400 and "another has taken its place" in answer.json()["error"]
    library.open()
    assert not (library.session / "removed").exists()


@pytest.mark.parametrize(
    "name", ["clip.wav", ".caw-studio/token", ".caw-studio/uploads/../token", ".caw-studio/uploads", "", "..", 5, None]
)
def test_nothing_else_is_removed(client: TestClient, folder: Path, name: object) -> None:
    before = sorted(folder.rglob("*"))
    assert client.post("api/uploads/remove", json={"file": name}).status_code == 400
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("clip.exe", b"MZ"),
        ("", b"RIFF"),
        ("clip.wav", b""),
        ("clip.wav", b"RIFF\xff\xff\xff\xffWAVEfmt "),
        ("clip.flac", b"fLaC" + bytes(100)),
        ("clip.mp3", b"<html>"),
        ("../../up.wav", b"no audio"),
        ("\0.wav", b"no audio"),
        ("a/b\\c.wav", b"\x00" * 1000),
    ],
)
def test_what_is_no_audio_is_refused_and_not_kept(client: TestClient, folder: Path, name: str, content: bytes) -> None:
    answer = client.post("api/upload", params={"name": name}, content=content)
    assert answer.status_code == 400 and answer.json()["error"]
    assert not list((folder / ".caw-studio" / "uploads").iterdir())
    assert not (folder.parent / "up.wav").exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [("../../up.wav", "up.wav"), ("C:\\x\\-f.wav", "f.wav"), (".wav.wav", "wav.wav"), ("a;b$(c).wav", "a_b_(c).wav")],
)
def test_names_of_uploads_are_harmless(client: TestClient, folder: Path, given: str, kept: str) -> None:
    data = (folder / "clip.wav").read_bytes()
    answer = client.post("api/upload", params={"name": given}, content=data)
    assert answer.json() == {"name": f".caw-studio/uploads/{kept}"}


def test_uploads_are_bounded(client: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_module, "MOST_UPLOAD_BYTES", 1000)
    answer = client.post("api/upload", params={"name": "big.wav"}, content=bytes(2000))
    assert answer.status_code == 400 and "belong into the folder" in answer.json()["error"]
    assert not list((folder / ".caw-studio" / "uploads").iterdir())


def test_downloads_have_the_same_samples_in_another_format(client: TestClient, folder: Path) -> None:
    answer = client.get("api/download", params={"file": "clip.wav", "format": "flac"})
    assert "clip.flac" in answer.headers["content-disposition"]
    converted, rate = soundfile.read(io.BytesIO(answer.content), dtype="int16")
    original, original_rate = soundfile.read(folder / "clip.wav", dtype="int16")
    assert rate == original_rate
    np.testing.assert_array_equal(converted, original)
    assert client.get("api/download", params={"file": "clip.wav"}).content == (folder / "clip.wav").read_bytes()
    assert client.get("api/download", params={"file": "clip.wav", "format": "exe"}).status_code == 400


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("song, Take 1", "song, Take 1"),
        ("../../a:b\n", "_.._a_b_"),
        ("näher 🎸", "näher 🎸"),
        ("", "clip"),
        (". ", "clip"),
    ],
)
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_downloads_are_called_what_they_are_on_the_page(client: TestClient, title: str, name: str, suffix: str) -> None:
    answer = client.get("api/download", params={"file": "clip.wav", "format": suffix, "title": title})
    _, _, stated = answer.headers["content-disposition"].partition("filename")
    assert unquote(stated.lstrip("*=").removeprefix("utf-8''").strip('"')) == f"{name}.{suffix}"


def test_parts_of_a_recording_are_served(client: TestClient, folder: Path) -> None:
    answer = client.get("api/audio", params={"file": "clip.wav"}, headers={"range": "bytes=100-199"})
    assert answer.status_code == 206 and answer.content == (folder / "clip.wav").read_bytes()[100:200]


def test_effects_are_offered_with_their_parameters(client: TestClient) -> None:
    offered = {effect["name"]: effect for effect in client.get("api/effects").json()}
    assert "VST3Plugin" not in offered  # code from a file
    strength = next(each for each in offered["denoise"]["parameters"] if each["name"] == "strength")
    assert (strength["kind"], strength["low"], strength["high"], strength["default"]) == ("number", 0, 1, 1.0)
    assert json.dumps(offered)


def test_a_chain_names_files_of_the_folder_only(client: TestClient) -> None:
    def saved(file: str) -> int:
        chain = [{"effect": "Convolution", "values": {"impulse_response_filename": file}}]
        return client.post("api/chain", json={"chain": chain}).status_code

    assert saved("clip.wav") == 200
    assert saved("/etc/passwd") == saved("../outside.wav") == saved("link.wav") == 400
    plugin = [{"effect": "VST3Plugin", "values": {"path_to_plugin_file": "clip.wav"}}]
    assert client.post("api/chain", json={"chain": plugin}).status_code == 400
