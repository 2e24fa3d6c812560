"""Pages are whole, ask nobody for anything, show what is hostile as text, and hold the audio as it is."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from PIL import Image

from caw_toolkit.audio.clip import AudioClip
from caw_toolkit.metrics.source_map import SourceSegment
from caw_toolkit.pages.page import Page, render
from caw_toolkit.pages.spectrogram_image import HEIGHT, frequency_labels, mel_powers, spectrogram_image
from caw_toolkit.pages.templates import asset
from caw_toolkit.pages.track import Track, compared

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J\u202egnp.\udcff $title {x}'
VOID = {"meta", "img", "input", "br"}


class Parsed(HTMLParser):
    """Elements with their attributes, and the text outside of scripts and styles; open elements are closed in order."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page.decode())
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def embedded(uri: str | None) -> bytes:
    assert uri is not None
    return base64.b64decode(uri.partition(",")[2])


@pytest.fixture(scope="module")
def stereo() -> AudioClip:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 22050))
    return AudioClip(np.asarray(np.round(noise * 2**15) / 2**15, np.float32), 22050)


@pytest.fixture(scope="module")
def hostile_page(stereo: AudioClip) -> bytes:
    recording = Track(HOSTILE, stereo, {HOSTILE: HOSTILE}, role="recording")
    take = Track(HOSTILE, stereo, scores={HOSTILE: 1.0}, sources=(SourceSegment(0, 0.5, 0.25),))
    return render(Page(HOSTILE, [recording, take], {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE}))


def test_hostile_names_are_text(hostile_page: bytes) -> None:
    page = Parsed(hostile_page)
    assert len(page.all("script")) == 1 and len(page.all("img")) == 2
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert page.text.count("<script>alert(1)</script>") >= 8
    assert not set("\x1b\u202e") & set(hostile_page.decode())
    assert "\\udcff $title {x}" in page.text


def test_nothing_is_loaded_and_only_the_own_script_runs(hostile_page: bytes) -> None:
    page = Parsed(hostile_page)
    (policy,) = (meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    for tag, name in (("script", "page.js"), ("style", "page.css")):
        digest = base64.b64encode(hashlib.sha256(asset(name).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert f"<{tag}>{asset(name)}</{tag}>".encode() in hostile_page
    links = [value for _, attributes in page.elements for name, value in attributes.items() if name in ("src", "href")]
    assert len(links) == 4 and all(link and link.startswith("data:") for link in links)
    assert not any("style" in attributes for _, attributes in page.elements)
    assert not re.search(rb"https?:|@import|fetch\(|XMLHttpRequest", hostile_page)


def test_flac_holds_every_sample(hostile_page: bytes, stereo: AudioClip) -> None:
    for audio in Parsed(hostile_page).all("audio"):
        samples, rate = soundfile.read(io.BytesIO(embedded(audio["src"])), dtype="float32")
        assert rate == stereo.sample_rate
        np.testing.assert_array_equal(samples.T, stereo.samples)


def test_opus_takes_less_than_half_the_space() -> None:
    tone = np.asarray(np.sin(np.arange(44100) / 10)[None] / 2, np.float32)
    (audio,) = Parsed(render(Page("tone", [Track("tone", AudioClip(tone, 22050))]), audio_format="opus")).all("audio")
    opus = embedded(audio["src"])
    with soundfile.SoundFile(io.BytesIO(opus)) as file:
        assert (file.subtype, file.samplerate) == ("OPUS", 48000)
        assert len(file) == pytest.approx(96000, abs=1000)
    assert len(opus) < 2 * tone.size / 2


def test_what_exceeds_full_scale_is_turned_down_and_said() -> None:
    loud = AudioClip(np.full((1, 8000), 2.0, np.float32), 8000)
    page = Parsed(render(Page("loud", [Track("loud", loud)])))
    samples, _ = soundfile.read(io.BytesIO(embedded(page.all("audio")[0]["src"])))
    assert samples.max() == pytest.approx(1, abs=1e-4)
    assert "turned down by 6.0 dB" in page.text


def test_take_is_compared_with_its_recording(speech: AudioClip) -> None:
    recording = Track("speech", AudioClip(speech.samples[:, :64000], 16000), role="recording")
    take = compared(Track("part", AudioClip(speech.samples[:, 16000:48000], 16000)), recording)
    (segment,) = take.sources or ()
    assert segment.source == pytest.approx(1, abs=0.01)
    assert take.scores["copied"] == 1 and set(take.scores) == {"distance to the recording", "copied", "hiss, dB"}
    page = Parsed(render(Page("speech", [recording, take])))
    assert "100% in 1 stretch" in page.text
    assert page.all("rect")[-1]["data-source"] == "1.000"
    moment = compared(Track("moment", AudioClip(speech.samples[:, :1600], 16000)), recording)
    assert moment.scores == {} and moment.facts == {"scores": "too short to compare"}


def test_a_page_without_scores_or_recording_has_neither(stereo: AudioClip) -> None:
    page = Parsed(render(Page("noise", [Track("noise", stereo)])))
    assert page.all("table") == page.all("rect") == []


def test_pictures_show_frequencies_where_their_labels_are() -> None:
    tone = np.sin(2 * np.pi * 2000 * np.arange(16000) / 16000)[None].astype(np.float32)
    powers = mel_powers(tone, 16000)
    with Image.open(io.BytesIO(spectrogram_image(powers, powers.max()))) as image:
        assert image.format == "WEBP" and image.height == HEIGHT
        loudest = int(np.asarray(image.convert("L")).mean(1).argmax())
    assert 1 - loudest / HEIGHT == pytest.approx(dict(frequency_labels(16000))["2 kHz"], abs=0.02)


def test_pictures_of_a_page_have_one_scale() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)[None].astype(np.float32)
    tracks = [Track(str(gain), AudioClip(np.float32(gain) * tone, 16000)) for gain in (1.0, 0.1)]
    brightest = []
    for picture in Parsed(render(Page("tones", tracks))).all("img"):
        with Image.open(io.BytesIO(embedded(picture["src"]))) as image:
            brightest.append(int(np.asarray(image.convert("L"))[:, 10:-10].max()))
    assert brightest[0] > brightest[1] + 30


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100, 48000])
def test_levels_are_those_of_a_full_scale_sine_at_every_rate(sample_rate: int) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(sample_rate) / sample_rate)[None].astype(np.float32)
    assert 10 * np.log10(mel_powers(tone, sample_rate)[:, 10:-10].max()) == pytest.approx(0, abs=2)
