"""Pages: tracks that one switches between, their pictures, settings and scores."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

from caw_toolkit.pages import drawings
from caw_toolkit.pages.embedded import AudioFormat, audio_uri, data_uri
from caw_toolkit.pages.spectrogram_image import frequency_labels, mel_powers, spectrogram_image
from caw_toolkit.pages.templates import Html, asset, description_list, filled, joined
from caw_toolkit.pages.track import Track, said_of_sources

_AUDIO_FORMATS = {"flac": "FLAC, 16 bits", "opus": "Opus"}


@dataclass(frozen=True)
class Page:
    """What a page shows.

    Attributes:
        title: of the page.
        tracks: in the order of the keys that switch to them.
        facts: said at the top.
        commands: to run, by what they do.
    """

    title: str
    tracks: Sequence[Track]
    facts: Mapping[str, object] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)


def render(page: Page, *, audio_format: AudioFormat = "flac") -> bytes:
    """A page as one HTML file that needs nothing else.

    Args:
        page: what it shows.
        audio_format: how its audio is stored.

    Returns:
        The file, UTF-8.
    """
    style, script = Html(asset("page.css")), Html(asset("page.js"))
    html = filled(
        asset("page.html"),
        policy=_content_security_policy(style, script),
        version=version("caw_toolkit"),
        title=page.title,
        style=style,
        script=script,
        facts=description_list(page.facts),
        commands=_commands(page.commands),
        scores=_scores(page.tracks),
        tracks=_tracks(page.tracks, audio_format),
        audio_format=_AUDIO_FORMATS[audio_format],
    )
    return html.encode()


def _content_security_policy(style: str, script: str) -> str:
    """Nothing may be loaded, and nothing run but the page's own script."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
    )


def _commands(commands: Mapping[str, str]) -> Html:
    parts = [
        filled("<h3>$label</h3><pre><code>$command</code></pre>", label=label, command=command)
        for label, command in commands.items()
    ]
    return filled("<section>$parts</section>", parts=joined(parts)) if parts else Html()


def _scores(tracks: Sequence[Track]) -> Html:
    """A table with a row for each track that has scores."""
    names = list(dict.fromkeys(name for track in tracks for name in track.scores))
    if not names:
        return Html()
    heads = joined(filled('<th scope="col">$name</th>', name=name) for name in names)
    rows = joined(
        filled(
            '<tr><th scope="row">$name</th>$cells</tr>',
            name=track.name,
            cells=joined(filled("<td>$score</td>", score=_figure(track.scores.get(name))) for name in names),
        )
        for track in tracks
        if track.scores
    )
    return filled(
        '<div class="table"><table><thead><tr><th scope="col">file</th>$heads</tr></thead>'
        "<tbody>$rows</tbody></table></div>",
        heads=heads,
        rows=rows,
    )


def _figure(score: float | None) -> str:
    return f"{score:.3f}" if score is not None and math.isfinite(score) else "-"


def _tracks(tracks: Sequence[Track], audio_format: AudioFormat) -> Html:
    template = asset("track.html")
    mapped = any(track.sources is not None for track in tracks)
    recording = next((track for track in tracks if mapped and track.role == "recording"), None)
    powers = [mel_powers(track.clip.samples, track.clip.sample_rate) for track in tracks]
    loudest = max((float(power.max()) for power in powers), default=0.0)
    return joined(
        _track(template, track, number, recording, spectrogram_image(power, loudest), audio_format)
        for number, (track, power) in enumerate(zip(tracks, powers, strict=True), start=1)
    )


def _track(
    template: str, track: Track, number: int, recording: Track | None, picture: bytes, audio_format: AudioFormat
) -> Html:
    clip = track.clip
    audio, gain = audio_uri(clip, audio_format)
    facts = dict(track.facts)
    if track.sources is not None:
        facts["from the recording"] = said_of_sources(track)
    if gain < 1:
        facts["in this page"] = f"turned down by {-20 * math.log10(gain):.1f} dB to fit full scale"
    return filled(
        template,
        number=number,
        name=track.name,
        role=track.role,
        seconds=f"{clip.seconds:.6f}",
        caption=f"{clip.seconds:.1f} s, {clip.sample_rate} Hz, {'stereo' if clip.channels == 2 else 'mono'}",
        audio=audio,
        picture=data_uri("image/webp", picture),
        waveform=drawings.waveform(clip.samples),
        frequencies=drawings.frequency_axis(frequency_labels(clip.sample_rate)),
        sources=_sources(track, recording),
        times=drawings.time_axis(clip.seconds),
        facts=description_list(facts),
    )


def _sources(track: Track, recording: Track | None) -> Html:
    """The strip of a take, or the colours of the recording; nothing where there is no source map."""
    if recording is None:
        return Html()
    if track is recording:
        return drawings.source_key(track.clip.seconds)
    if track.sources is None:
        return Html()
    label = f"{track.name}: {said_of_sources(track)}"
    return drawings.source_strip(track.sources, track.clip.seconds, recording.clip.seconds, label)
