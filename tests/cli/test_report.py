"""`caw report`, and pages that other commands write."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner, Result

from caw_process import contents
from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.audio.writing import write_audio
from caw_toolkit.cli import main
from caw_toolkit.cli.run_log import sha256_of
from caw_toolkit.pyramid.model import PyramidModel
from caw_toolkit.pyramid.model_file import read_header


def caw(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def tracks(page: Path) -> list[str]:
    return re.findall(r'class="track".*? data-name="(.*?)"', page.read_text(encoding="utf-8"))


@pytest.fixture
def clip(speech: AudioClip, tmp_path: Path) -> Path:
    path = tmp_path / "clip & more.wav"
    write_audio(path, speech.samples[:, :24000], speech.sample_rate, bit_depth="16")
    return path


def test_report_holds_files_with_scores_and_settings(clip: Path, tiny_model_path: Path, tmp_path: Path) -> None:
    page, log = tmp_path / "page.html", tmp_path / "log.jsonl"
    take = tmp_path / "take.wav"
    made = caw("generate", "-m", tiny_model_path, "--duration", 1, "--seed", 3, "-o", take, "--log", log)
    assert made.exit_code == 0
    written = caw("report", page, take, clip, "--recording", clip.parent / "clip & more.wav", "--log", log)
    assert written.exit_code == 0, written.stderr
    assert f"wrote {page} (0." in written.stderr
    assert f"the log does not know {clip}" in written.stderr
    text = page.read_text(encoding="utf-8")
    assert tracks(page) == ["clip &amp; more.wav", "take.wav", "clip &amp; more.wav"]
    for said in ("<dt>seed</dt><dd>3</dd>", "<dd>caw generate</dd>", "distance to the recording", "from the recording"):
        assert said in text


def test_how_far_it_is_is_told(clip: Path, tmp_path: Path) -> None:
    written = caw("report", tmp_path / "page.html", clip, "--recording", clip, "--progress", "json")
    told = [json.loads(line) for line in written.stderr.splitlines() if line.startswith("{")]
    assert [each["file"] for each in told[:: len(told) - 1]] == ["clip & more.wav", "page.html"]
    assert {"comparing"} <= {each["stage"] for each in told}


def test_what_was_found_is_shown_in_words(clip: Path, tmp_path: Path) -> None:
    log, page = tmp_path / "log.jsonl", tmp_path / "page.html"
    record = {
        "command": "inpaint",
        "inputs": [],
        "output": {"path": clip.name, "sha256": sha256_of(clip)},
        "found": {"gaps": [{"start_seconds": 1.5, "kind": "given"}, {"start_seconds": 4, "kind": "given"}]},
    }
    log.write_text(json.dumps(record), encoding="utf-8")
    assert caw("report", page, clip, "--log", log).exit_code == 0
    said = "<dt>gaps</dt><dd>start seconds 1.5, kind given; start seconds 4, kind given</dd>"
    assert said in page.read_text(encoding="utf-8")


def test_a_file_that_was_changed_since_is_said(clip: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    output = {"path": clip.name, "sha256": "0" * 64}
    log.write_text(json.dumps({"inputs": [], "output": output, "command": "generate"}), encoding="utf-8")
    written = caw("report", tmp_path / "page.html", clip, "--log", log)
    assert written.exit_code == 0 and f"{clip} has changed since" in written.stderr
    log.write_text(json.dumps({"inputs": [], "output": output, "options": 3}), encoding="utf-8")
    assert "line 1: not a record" in caw("report", tmp_path / "other.html", clip, "--log", log).stderr


def test_the_tags_of_a_file_are_shown(clip: Path, tmp_path: Path) -> None:
    with soundfile.SoundFile(clip) as file:
        samples, rate = file.read(), file.samplerate
    with soundfile.SoundFile(tmp_path / "tagged.flac", "w", rate, 1, "PCM_16") as file:
        file.title = "A <title>"
        file.write(samples)
    assert caw("report", tmp_path / "page.html", tmp_path / "tagged.flac").exit_code == 0
    assert "<dt>title</dt><dd>A &lt;title&gt;</dd>" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--recording", "{clip}", "--model", "{model}"], "exclude each other"),
        (["--model", "{model}"], "does not hold its recording"),
        (["--recording", "{silence}"], "silent or shorter than half a second"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    options: list[str], message: str, clip: Path, tiny_model_path: Path, tmp_path: Path
) -> None:
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, [0.0] * 16000, 16000)
    before = contents(tmp_path)
    given = [option.format(clip=clip, model=tiny_model_path, silence=silence) for option in options]
    refused = caw("report", tmp_path / "page.html", clip, *given)
    assert refused.exit_code in (1, 2) and message in refused.stderr and refused.stderr.count("\n") == 1
    assert contents(tmp_path) == before


def test_nothing_is_written_over(clip: Path, tmp_path: Path) -> None:
    before = contents(tmp_path)
    assert "would be destroyed" in caw("report", clip, clip, "--force").stderr
    assert "standard output" in caw("report", "-", clip).stderr
    page = tmp_path / "page.html"
    page.write_text("mine")
    for refused in (
        caw("report", page, clip),
        caw("evaluate", "generate", "--training", clip, clip, "--html", page),
    ):
        assert refused.exit_code == 2 and "add --force" in refused.stderr
    assert contents(tmp_path) == before | {"page.html": b"mine"}
    assert caw("report", page, clip, "--force").exit_code == 0


def test_evaluations_write_their_scores_and_files(clip: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = caw("evaluate", "bwe", "--reference", clip, clip, "--html", page, "--json")
    assert done.exit_code == 0, done.stderr
    (scores,) = json.loads(done.stdout)
    assert tracks(page) == ["clip &amp; more.wav"] * 2
    assert f"<td>{scores['estoi']:.3f}</td>" in page.read_text(encoding="utf-8")


def test_model_card(tiny_model: PyramidModel, tmp_path: Path) -> None:
    model, page = tmp_path / "it's.pt", tmp_path / "card.html"
    credits = {"license": "CC BY 3.0", "author": "Carlo <c@example>"}
    content = {**tiny_model.content(), "training": {**tiny_model.training, **credits}}
    PyramidModel.from_content(content).save(model)
    shown = caw("info", model, "--html", page)
    assert shown.exit_code == 0, shown.stderr
    assert "  license     CC BY 3.0\n  author      Carlo <c@example>\n" in shown.stdout
    text = page.read_text(encoding="utf-8")
    assert tracks(page) == ["take 1", "take 2", "take 3"]
    for said in ("CC BY 3.0", "Carlo &lt;c@example&gt;", "caw generate --model", "<dt>material</dt><dd>speech</dd>"):
        assert said in text


def test_training_stores_licence_and_author(clip: Path, tiny_preset: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.pt"
    options = (
        "--preset",
        tiny_preset,
        "--sample-rate",
        4000,
        "--duration",
        2,
        "--material",
        "speech",
        "--minutes",
        0.01,
    )
    refused = caw("train", clip, "-o", model, *options, "--license", "two\nlines")
    assert refused.exit_code == 2 and "characters that can be printed" in refused.stderr
    soundfile.write(clip, [0.1 * (index % 37 - 18) / 18 for index in range(12000)], 4000)
    trained = caw("train", clip, "-o", model, *options, "--license", "CC0", "--author", "Ada", "-q", "--seed", 1)
    assert trained.exit_code == 0, trained.stderr
    training = read_header(model)["training"]
    assert (training["license"], training["author"]) == ("CC0", "Ada")
