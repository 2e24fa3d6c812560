"""Dropouts are found, of every kind; pauses, tones, loops and gates are not taken for any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
from scipy.signal import resample_poly, sawtooth, square

from caw_inpainting.dropouts import LEVEL_DROPOUT, REPEATED_BUFFER, SILENCE, find_dropouts
from caw_inpainting.gaps import ListedGap
from caw_toolkit.audio.spool import spooled_audio
from paths import EXAMPLES

Samples = npt.NDArray[np.float64]

CLIPS = ["guitar", "speech", "tabla"]
RATE = 16_000


def example(name: str) -> Samples:
    """One of the bundled clips, `(samples,)`."""
    samples: Samples = sf.read(EXAMPLES / f"{name}.flac")[0]
    return samples


def found_in(samples: Samples, folder: Path, subtype: str = "PCM_16", rate: int = RATE) -> list[ListedGap]:
    """What is found in a file of samples."""
    sf.write(folder / "a.wav", samples, rate, subtype=subtype)
    with spooled_audio(folder / "a.wav") as audio:
        return find_dropouts(audio)


def with_dropout(samples: Samples, kind: str, start: int, stop: int) -> Samples:
    """Samples that something is lost of."""
    broken: Samples = samples.copy()
    before, inside = samples[:start], broken[start:stop]
    if kind == "zeros":
        inside[:] = 0
    elif kind == "constant":
        inside[:] = 0.013
    elif kind == "drop":
        inside *= 10 ** (-70 / 20)
    else:  # a block of so many samples
        inside[:] = np.resize(before[-int(kind) :], stop - start)
    return broken


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_U8"])
def test_nothing_is_found_in_intact_recordings(clip: str, subtype: str, tmp_path: Path) -> None:
    assert found_in(example(clip), tmp_path, subtype) == []


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize(
    ("kind", "length", "name"),
    [
        ("zeros", 800, SILENCE),
        ("zeros", 6000, SILENCE),
        ("constant", 3000, SILENCE),
        ("drop", 4000, LEVEL_DROPOUT),
        ("64", 640, REPEATED_BUFFER),
        ("256", 2048, REPEATED_BUFFER),
        ("1024", 2048, REPEATED_BUFFER),
        ("4096", 8192, REPEATED_BUFFER),
        ("8000", 8000, REPEATED_BUFFER),
    ],
)
def test_a_dropout_is_found_where_it_is(clip: str, kind: str, length: int, name: str, tmp_path: Path) -> None:
    start = round(4.2 * RATE)
    broken = with_dropout(example(clip), kind, start, start + length)
    (gap,) = found_in(broken, tmp_path, "PCM_24")
    assert gap.kind == name
    assert start - 40 <= gap.start <= start + 4 and start + length - 4 <= gap.stop <= start + length + 40


def test_several_of_several_kinds_in_stereo(tmp_path: Path) -> None:
    left, right = example("speech"), example("guitar")
    length = min(len(left), len(right))
    planted = [("zeros", 30_000, 33_000), ("256", 60_000, 62_560), ("constant", 100_000, 101_000)]
    for kind, start, stop in planted:
        left, right = (with_dropout(channel, kind, start, stop) for channel in (left, right))
    found = found_in(np.stack([left[:length], right[:length]], axis=1), tmp_path)
    assert [gap.kind for gap in found] == [SILENCE, REPEATED_BUFFER, SILENCE]
    for gap, (_, start, stop) in zip(found, planted, strict=True):
        assert abs(gap.start - start) <= 4 and abs(gap.stop - stop) <= 4


@pytest.mark.parametrize("clip", CLIPS)
def test_silence_before_and_after_the_sound_is_none(clip: str, tmp_path: Path) -> None:
    samples = example(clip)
    silence = np.zeros(RATE)
    assert found_in(np.concatenate([silence, samples, silence]), tmp_path) == []
    ramp = np.minimum(1, np.arange(len(samples)) / RATE)
    assert found_in(np.concatenate([silence, samples * ramp * ramp[::-1], silence]), tmp_path) == []


@pytest.mark.parametrize("threshold_db", [-50, -40])
def test_pauses_that_a_gate_has_emptied_are_none(threshold_db: float, tmp_path: Path) -> None:
    samples = example("speech")
    loud = np.convolve(samples**2, np.ones(160) / 160, "same") > 10 ** (threshold_db / 10)
    held = np.convolve(loud, np.ones(800))[: len(samples)] > 0
    gain = np.convolve(held, np.ones(800) / 800, "same")
    gated = samples * np.where(gain > 0.01, gain, 0)
    assert np.mean(gated == 0) > 0.01
    assert found_in(gated, tmp_path) == []


@pytest.mark.parametrize("wave", [np.sin, square, sawtooth])
@pytest.mark.parametrize("hertz", [25.0, 100.0, 440.0, 1000.0])
def test_tones_that_repeat_exactly_are_none(wave: np.ufunc, hertz: float, tmp_path: Path) -> None:
    assert found_in(0.3 * wave(2 * np.pi * hertz * np.arange(6 * RATE) / RATE), tmp_path) == []


@pytest.mark.parametrize("wave", [np.sin, square])
@pytest.mark.parametrize("hertz", [100.0, 440.0, 1000.0])
def test_a_beep_in_a_recording_is_none(wave: np.ufunc, hertz: float, tmp_path: Path) -> None:
    samples = example("speech")
    samples[5 * RATE : 5 * RATE + 8000] = 0.3 * wave(2 * np.pi * hertz * np.arange(8000) / RATE)
    assert found_in(samples, tmp_path) == []


@pytest.mark.parametrize("wave", [sawtooth, lambda phase: np.sin(phase + 3 * np.sin(2 * phase))], ids=["saw", "fm"])
@pytest.mark.parametrize("hertz", [25.0, 100.0])
def test_a_bright_beep_in_a_recording_is_none(wave: np.ufunc, hertz: float, tmp_path: Path) -> None:
    samples = example("speech")
    samples[5 * RATE : 5 * RATE + 8000] = 0.3 * wave(2 * np.pi * hertz * np.arange(8000) / RATE)
    assert found_in(samples, tmp_path) == []


@pytest.mark.parametrize("clip", ["guitar", "tabla"])
@pytest.mark.parametrize("start", [1.9, 3.1, 5.7])
def test_a_short_loop_that_rings_is_found(clip: str, start: float, tmp_path: Path) -> None:
    first = round(start * RATE)
    (gap,) = found_in(with_dropout(example(clip), "64", first, first + 3000), tmp_path, "PCM_24")
    assert gap.kind == REPEATED_BUFFER and abs(gap.start - first) <= 4


@pytest.mark.parametrize("seconds", [0.2, 0.5, 1.5])
def test_zeros_between_sentences_are_none(seconds: float, tmp_path: Path) -> None:
    samples = example("speech")
    levels = np.convolve(samples**2, np.ones(1600), "same")
    quiet = [first + int(np.argmin(levels[first : first + 2 * RATE])) for first in (2 * RATE, 5 * RATE, 8 * RATE)]
    silence = np.zeros(round(seconds * RATE))
    parts = [part for sentence in np.split(samples, quiet) for part in (sentence, silence)]
    assert found_in(np.concatenate(parts[:-1]), tmp_path) == []


def test_a_dropout_in_a_quiet_place_is_found_among_others(tmp_path: Path) -> None:
    samples = np.tile(example("speech"), 2)
    levels = np.convolve(samples**2, np.ones(1600) / 1600, "same")
    loud = [first + int(np.argmax(levels[first : first + RATE])) for first in range(RATE, 9 * RATE, 3 * RATE)]
    quiet = 11 * RATE + int(np.argsort(levels[11 * RATE : 13 * RATE])[6000])
    assert found_in(with_dropout(samples, "zeros", quiet, quiet + 2000), tmp_path, "PCM_24") == []
    for start in [*loud, quiet]:
        samples = with_dropout(samples, "zeros", start, start + 2000)
    assert [gap.start for gap in found_in(samples, tmp_path, "PCM_24")] == pytest.approx([*loud, quiet], abs=4)


def test_a_dropout_where_the_sound_fades_is_found_among_many(tmp_path: Path) -> None:
    samples = np.tile(example("guitar"), 2)
    starts = [*range(20_000, 76_000, 8_000), *range(180_000, 236_000, 8_000)]
    gaps, faded = [(start, start + 2000) for start in starts], starts[7]
    samples[faded - 400 : faded] *= np.linspace(1, 0, 400) ** 3
    samples += 1e-3 * np.random.default_rng(0).standard_normal(len(samples))
    for start, stop in gaps:
        samples[start:stop] = 0
    assert [gap[:2] for gap in found_in(samples, tmp_path)] == gaps


@pytest.mark.parametrize("fade_seconds", [0.0, 0.02])
def test_a_value_that_is_held_is_found_beside_a_pause_too(fade_seconds: float, tmp_path: Path) -> None:
    samples = example("speech")
    levels = np.convolve(samples**2, np.ones(1600) / 1600, "same")
    start = 4 * RATE + int(np.argsort(levels[4 * RATE : 6 * RATE])[1600])
    fade = round(fade_seconds * RATE)
    samples[start - fade : start] *= np.linspace(1, 0.01, fade)
    assert found_in(with_dropout(samples, "zeros", start, start + 2000), tmp_path, "PCM_24") == []
    (gap,) = found_in(with_dropout(samples, "constant", start, start + 2000), tmp_path, "PCM_24")
    assert gap.kind == SILENCE and abs(gap.start - start) <= 4 and abs(gap.stop - start - 2000) <= 4


def test_a_drop_in_noise_far_quieter_than_the_sound_around_is_found(tmp_path: Path) -> None:
    samples = np.tile(example("speech"), 2)
    noise = 1e-5 * np.random.default_rng(0).standard_normal(len(samples))
    start = 9 * RATE
    samples *= np.interp(np.arange(len(samples)), start + np.array([-9000, -2000, 4000, 11_000]), [1, 0, 0, 1]) ** 2
    (gap,) = found_in(with_dropout(samples + noise, "drop", start, start + 2000), tmp_path, "FLOAT")
    assert gap.kind == LEVEL_DROPOUT and abs(gap.start - start) <= 40 and abs(gap.stop - start - 2000) <= 40


def test_a_drop_quantised_to_a_few_steps_is_found(tmp_path: Path) -> None:
    start = round(4.2 * RATE)
    (gap,) = found_in(with_dropout(example("guitar"), "drop", start, start + 4000), tmp_path, "PCM_16")
    assert abs(gap.start - start) <= 40 and abs(gap.stop - start - 4000) <= 40


def test_clipped_peaks_are_none(tmp_path: Path) -> None:
    assert found_in(np.clip(40 * example("guitar"), -1, 1), tmp_path) == []


def test_rests_in_computed_music_are_none_however_few(tmp_path: Path) -> None:
    time = np.arange(RATE // 4) / RATE
    notes = [0.3 * np.sin(2 * np.pi * hertz * time) for hertz in (262, 330, 392, 440)]
    rest = np.zeros(1600)
    assert found_in(np.concatenate([*notes * 3, rest, *notes * 4, rest, *notes * 3]), tmp_path) == []


@pytest.mark.parametrize("seconds", [0.125, 0.25, 2.0])
def test_loops_are_none(seconds: float, tmp_path: Path) -> None:
    bar = example("guitar")[RATE : RATE + round(seconds * RATE)]
    assert found_in(np.resize(bar, 10 * RATE), tmp_path) == []


def test_a_melody_with_rests_is_none(tmp_path: Path) -> None:
    time = np.arange(RATE // 4) / RATE
    notes = [np.append(0.3 * square(2 * np.pi * hertz * time), np.zeros(RATE // 8)) for hertz in (262, 330, 392, 440)]
    assert found_in(np.concatenate(notes * 6), tmp_path) == []


@pytest.mark.parametrize("samples", [1, 100, 700])
def test_next_to_no_sound_is_looked_at(samples: int, tmp_path: Path) -> None:
    assert found_in(example("guitar")[:samples], tmp_path) == []


KINDS = ["zeros", "constant", "drop", "64", "441", "1024", "4096"]


def write_hour(path: Path, rate: int) -> list[tuple[int, int]]:
    """An hour of speech in a file, and 40 dropouts of 50 to 800 ms in it, none in a pause."""
    random = np.random.default_rng(0)
    clip = resample_poly(example("speech"), rate, RATE)
    loud = np.convolve(clip**2, np.ones(rate // 50) * 50 / rate, "same") > np.mean(clip**2)
    planted: list[tuple[int, int]] = []
    position = 0
    with sf.SoundFile(path, "w", rate, 1, "PCM_24") as file:
        for part in range(3600 * rate // len(clip) + 1):
            samples = clip * 10 ** (-random.uniform(0, 12) / 20)
            if part % 7 == 3 and len(planted) < 40:
                length = round(random.uniform(max(0.05, 4096 / rate), 0.8) * rate)
                places = np.flatnonzero(loud[: -length - rate] & loud[length:-rate])
                start = int(random.choice(places[places > rate]))
                samples = with_dropout(samples, KINDS[len(planted) % len(KINDS)], start, start + length)
                planted.append((position + start, position + start + length))
            file.write(samples)
            position += len(samples)
    return planted


@pytest.mark.slow
def test_all_dropouts_of_an_hour_are_found_and_nothing_else(tmp_path: Path) -> None:
    rate = 48_000
    planted = write_hour(tmp_path / "hour.wav", rate)
    with spooled_audio(tmp_path / "hour.wav") as audio:
        assert audio.seconds >= 3600
        found = find_dropouts(audio)
    assert len(planted) == len(found) == 40
    for gap, (start, stop) in zip(found, planted, strict=True):
        assert abs(gap.start - start) <= 0.003 * rate and abs(gap.stop - stop) <= 0.003 * rate
