"""Variations: as long as the song, nearer to it the lower the strength."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner

from caw_music_variation.evaluation import score
from caw_music_variation.long_files import Settings, Take
from caw_music_variation.novelty import HEARD_FROM, is_other_source, new_share, what_is_new
from caw_music_variation.task import vary
from caw_toolkit import AudioClip, CawUsageError, PyramidModel, read_audio
from caw_toolkit.cli import main
from caw_toolkit.processors import blocks
from signals import pieces


def test_strength_moves_away_from_the_song(tiny_model: PyramidModel, speech: AudioClip) -> None:
    lowest = PyramidModel(tiny_model.scales[:2], channels=1, peak=tiny_model.peak, upsampling=tiny_model.upsampling)

    def coarse(strength: float) -> np.ndarray:
        spectrum = np.fft.rfft(lowest.revise(speech.samples, speech.sample_rate, strength=strength, seed=1)[0])
        return spectrum[: round(150 * speech.seconds)]  # the band of the coarsest scale

    original = coarse(0.0)
    likeness = [
        abs(np.vdot(original, coarse(s))) / np.linalg.norm(original) / np.linalg.norm(coarse(s)) for s in (0.1, 0.9)
    ]
    assert likeness[0] > 0.8
    assert likeness[0] > likeness[1]
    with pytest.raises(CawUsageError, match="strength"):
        lowest.revise(speech.samples, speech.sample_rate, strength=1.5)


def test_the_command_makes_takes_as_long_as_the_song(
    tiny_model: PyramidModel, speech_path: Path, speech: AudioClip, tmp_path: Path
) -> None:
    tiny_model.save(tmp_path / "song.pt")
    (tmp_path / "song.flac").write_bytes(speech_path.read_bytes())
    command = ["vary", str(tmp_path / "song.flac"), "--model", str(tmp_path / "song.pt"), "--seed", "1", "-n", "2"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.stderr
    takes = [read_audio(tmp_path / f"song.varied{take}.flac") for take in (1, 2)]
    assert all(take.seconds == pytest.approx(speech.seconds, abs=1e-3) for take in takes)
    assert (takes[0].samples != takes[1].samples).any()


def test_a_mono_model_varies_stereo(tiny_model: PyramidModel, speech: AudioClip) -> None:
    song = np.concatenate([speech.samples, -speech.samples])[:, : 2 * speech.sample_rate]
    made = [
        vary(tiny_model, part, speech.sample_rate, strength=0.3, scale=None, seed=1) for part in (song, *song[:, None])
    ]
    np.testing.assert_array_equal(made[0], np.concatenate(made[1:]))


def test_a_model_that_cannot_be_led_back_is_entered_at_its_second_scale(
    tiny_model: PyramidModel, speech: AudioClip
) -> None:
    upper = PyramidModel(tiny_model.scales[1:], channels=1, peak=tiny_model.peak, upsampling=tiny_model.upsampling)
    assert "revise" not in upper.capabilities
    made = vary(upper, speech.samples, speech.sample_rate, strength=0.5, scale=None, seed=1)
    entered = upper.inject(speech.samples, speech.sample_rate, at_rate=4000, seed=1)
    np.testing.assert_array_equal(made, entered)


def test_a_passage_is_varied_and_the_rest_stays(tiny_model_path: Path, speech: AudioClip, tmp_path: Path) -> None:
    sf.write(tmp_path / "song.wav", speech.samples.T, speech.sample_rate, subtype="PCM_16")
    command = ["vary", str(tmp_path / "song.wav"), "-m", str(tiny_model_path), "--seed", "1"]
    result = CliRunner().invoke(main, [*command, "--start", "3", "--stop", "4.5"])
    assert result.exit_code == 0, result.stderr
    assert "the model is at 4000 Hz" in result.stderr
    assert sf.info(tmp_path / "song.varied1.wav").subtype == "PCM_16"
    varied, song = (sf.read(tmp_path / name, dtype="int16")[0] for name in ("song.varied1.wav", "song.wav"))
    first, last = 3 * speech.sample_rate, round(4.5 * speech.sample_rate)
    np.testing.assert_array_equal(varied[:first], song[:first])
    np.testing.assert_array_equal(varied[last:], song[last:])
    assert (varied[first:last] != song[first:last]).mean() > 0.9
    assert "no --keep\n" in CliRunner().invoke(main, [*command, "-f", "--keep", "200"]).stderr
    at_a_scale = CliRunner().invoke(main, [*command, "-f", "--scale", "4000", "--keep", "200", "--strength", "0.7"])
    assert "no --keep and no --strength\n" in at_a_scale.stderr
    assert "before --stop 99, and is varied to its end" in CliRunner().invoke(main, [*command, "--stop", "99"]).stderr
    late = CliRunner().invoke(main, [*command, "-f", "--start", "99"])
    assert late.exit_code == 2 and "nothing to vary: --start 99" in late.stderr


def test_a_long_passage_is_varied_and_the_rest_stays_to_the_last_bit(
    tiny_model: PyramidModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "FILE_BLOCK_SECONDS", 4)
    rate = 2 * tiny_model.sample_rate
    song = 0.1 * np.random.default_rng(0).standard_normal((1, 14 * rate + 57))  # float64: more bits than float32
    shares: list[float] = []
    take = Take(
        tiny_model, Settings(0.5), sample_rate=rate, channels=1, samples=song.shape[1], seed=1,
        on_progress=shares.append,
    )  # fmt: skip
    made = np.concatenate(list(take.passage(pieces(song), 2.5, 12.25)), axis=1)
    assert made.shape == song.shape and made.dtype == np.float64
    first, last = round(2.5 * rate), round(12.25 * rate)
    np.testing.assert_array_equal(made[:, :first], song[:, :first])
    np.testing.assert_array_equal(made[:, last:], song[:, last:])
    assert (made[:, first + 500 : last - 500] != song[:, first + 500 : last - 500]).mean() > 0.99
    assert shares == sorted(shares) and shares[-1] == 1
    assert take.new_shares is not None and all(0 <= share <= 1 for share in take.new_shares)


@pytest.mark.parametrize("samples", [1, 7, 3000])
def test_songs_of_any_length(tiny_model: PyramidModel, samples: int) -> None:
    made = vary(tiny_model, np.full((1, samples), 0.1, np.float32), 8000, strength=0.5, seed=1)
    assert made.shape == (1, round(samples / 2)) and np.isfinite(made).all()


def test_the_share_that_is_new(speech: AudioClip) -> None:
    rate = speech.sample_rate
    assert new_share(speech.samples, 0.5 * speech.samples, rate) == 0
    assert new_share(speech.samples, np.roll(speech.samples, 4 * rate, axis=1), rate) > 0.9
    half = speech.samples.copy()
    half[:, half.shape[1] // 2 :] = np.roll(half, 4 * rate, axis=1)[:, half.shape[1] // 2 :]
    assert 0.25 < new_share(speech.samples, half, rate) < 0.75
    assert new_share(np.zeros_like(half), np.zeros_like(half), rate) == 0


def test_new_highs_over_a_loud_bass_that_stays_are_little() -> None:
    rate, draws = 8000, np.random.default_rng(0)
    bass = np.sin(2 * np.pi * 60 * np.arange(4 * rate) / rate)
    song, varied = (bass + 0.01 * draws.standard_normal((1, len(bass))) for _ in range(2))
    shares = new_share(song, varied, rate), new_share(song, varied, rate, above_hz=HEARD_FROM)
    assert shares[0] > 0.9 and shares[1] < 0.1
    assert "but 0% as a whole: most of what is heard lies in the lows" in what_is_new(*shares)
    assert what_is_new(0.4, 0.3) == "40% new" and what_is_new(0, 0) == "0% new"


def test_another_source_is_told(speech: AudioClip, speech_path: Path) -> None:
    guitar, rate = read_audio(speech_path.with_name("guitar.flac")), speech.sample_rate
    middle = speech.samples.shape[1] // 2
    assert not is_other_source(speech.samples[:, :middle], rate, speech.samples[:, middle:], rate)
    assert is_other_source(guitar.samples, guitar.sample_rate, speech.samples, rate)


def test_the_evaluation_tells_kept_from_new(speech: AudioClip, speech_path: Path, tmp_path: Path) -> None:
    song, rate = speech.samples[0].astype(np.float64), speech.sample_rate
    same, other = score(song, 0.5 * song, rate), score(song, np.roll(song, 4 * rate), rate)
    assert min(same[kept] for kept in ("harmony", "beat", "level", "copied")) > 0.99 and same["new"] == 0
    assert other["harmony"] < 0.8 and max(abs(other["beat"]), abs(other["level"])) < 0.3 and other["new"] > 0.9
    sf.write(tmp_path / "take.wav", 0.5 * song, rate)
    result = CliRunner().invoke(main, ["evaluate", "vary", "--song", str(speech_path), str(tmp_path / "take.wav")])
    assert result.exit_code == 0, result.stderr
    assert "harmony" in result.stdout
