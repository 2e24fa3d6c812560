"""The similarity matrix of equation (9), and what is found in it."""

from __future__ import annotations

import tracemalloc

import librosa
import numpy as np
import pytest

from caw_toolkit.metrics import Signal, copied_share, similarity_matrix

RATE = 16_000
#: A line begins and ends within half a window of the copy.
TOLERANCE_SECONDS = 0.13


def noise(seconds: float, seed: int = 0) -> Signal:
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def spectra(signal: Signal) -> np.ndarray:
    magnitudes = np.abs(librosa.stft(signal, n_fft=4096, hop_length=128, pad_mode="constant"))
    return np.asarray(magnitudes / np.linalg.norm(magnitudes, axis=0))


def test_a_small_matrix_is_that_of_librosa() -> None:
    recording, take = noise(2.0), noise(1.5, seed=1)
    cells = similarity_matrix(recording, take, RATE).cells
    np.testing.assert_allclose(cells, spectra(recording).T @ spectra(take), atol=1e-5)


def test_cells_of_a_large_matrix_hold_its_highest_similarities() -> None:
    recording, take = noise(5.0), noise(4.0, seed=1)
    cells = similarity_matrix(recording, take, RATE).cells
    whole = spectra(recording).T @ spectra(take)
    assert cells.shape == (320, 320)
    assert cells.max() == pytest.approx(whole.max(), abs=1e-5)
    assert cells[0, 0] == pytest.approx(whole[:1, :2].max(), abs=1e-5)


def test_each_copy_is_one_line() -> None:
    recording = noise(4.0)
    take = np.concatenate([recording[2 * RATE :], noise(1.0, seed=1), recording[RATE : 2 * RATE]])
    matrix = similarity_matrix(recording, take, RATE)
    found = [(line.start, line.stop, line.source) for line in matrix.lines]
    np.testing.assert_allclose(found, [(0, 2, 2), (3, 4, 1)], atol=TOLERANCE_SECONDS)
    assert (matrix.take_seconds, matrix.recording_seconds) == (4, 4)
    assert matrix.longest_line_seconds == pytest.approx(2, abs=TOLERANCE_SECONDS)


def test_of_what_is_repeated_in_the_recording_a_moment_is_on_one_line_only() -> None:
    bar = noise(1.0)
    assert len(similarity_matrix(np.tile(bar, 3), bar, RATE).lines) == 1


def test_a_held_note_is_one_line() -> None:
    note = np.sin(np.arange(3 * RATE) / 5)
    assert len(similarity_matrix(note, note[:RATE], RATE).lines) == 1


def test_lines_cover_what_is_copied() -> None:
    recording = noise(4.0)
    take = np.concatenate([recording[RATE : 3 * RATE], noise(2.0, seed=1)])
    (line,) = similarity_matrix(recording, take, RATE).lines
    assert copied_share(recording, take, RATE) == pytest.approx((line.stop - line.start) / 4, abs=0.01)


@pytest.mark.parametrize(("recording", "take"), [(np.zeros(RATE), noise(1.0)), (noise(1.0), np.zeros(RATE))])
def test_silence_is_like_nothing(recording: Signal, take: Signal) -> None:
    matrix = similarity_matrix(recording, take, RATE)
    assert matrix.lines == () and matrix.longest_line_seconds == 0
    assert not matrix.cells.any()


def test_too_little_for_a_run_has_no_lines() -> None:
    matrix = similarity_matrix(noise(0.3), noise(0.3), RATE)
    assert matrix.lines == () and matrix.cells.max() == pytest.approx(1)


@pytest.mark.slow
def test_the_matrix_of_a_minute_by_a_minute_is_never_held_whole() -> None:
    recording = noise(60.0)
    tracemalloc.start()
    try:
        matrix = similarity_matrix(recording, np.roll(recording, 7 * RATE), RATE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(matrix.lines) == 2
    assert peak < 350e6  # spectra of both take 125 MB, one more while they are made; the matrix would take 225
