"""Notes, as the network of basic-pitch hears them (Bittner et al. 2022). Of that package only the network is used."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from caw_toolkit.dsp.resampling import resample
from caw_toolkit.metrics import Signal
from hearing.features import RATE, Aspect, Feature, Figure, Histogram, Observations

#: The network's: rate and hop of its frames, samples that it takes, frames of them that lie too near to an end.
_RATE, _HOP, _SAMPLES, _EDGE_FRAMES = 22_050, 256, 43_844, 15
_PITCHES = 88
_INPUT, _SOUNDING, _ONSETS = "serving_default_input_2:0", "StatefulPartitionedCall:1", "StatefulPartitionedCall:2"
#: Probabilities of a note that begins and of one that sounds, and how long it sounds at least, as in the paper.
_BEGINS, _SOUNDS, _SHORTEST_FRAMES = 0.5, 0.3, 11
_WIDEST_INTERVAL = 24

_Posteriors = npt.NDArray[np.float32]


class Note(NamedTuple):
    """A note.

    Attributes:
        start: s.
        stop: s.
        pitch: in semitones from the lowest key of a piano.
    """

    start: float
    stop: float
    pitch: int


def describe(music: Signal) -> Mapping[str, Feature]:
    """Statistics of the notes of a signal at `RATE`."""
    notes = transcribe(music)
    lengths = np.array([note.stop - note.start for note in notes])
    pitches = np.array([note.pitch for note in notes], int)
    intervals = np.clip(np.diff(pitches), -_WIDEST_INTERVAL, _WIDEST_INTERVAL) + _WIDEST_INTERVAL
    return {
        "notes a second": Figure(len(notes) / (len(music) / RATE)),
        "note lengths, s": Observations(lengths),
        "rests, s": Observations(_rests(notes)),
        "pitches": Histogram(np.bincount(pitches, lengths, minlength=_PITCHES)),
        "intervals": Histogram(np.bincount(intervals, minlength=2 * _WIDEST_INTERVAL + 1).astype(float)),
    }


def transcribe(music: Signal) -> list[Note]:
    """The notes of a signal at `RATE`, by when they begin."""
    onsets, sounding = _posteriors(resample(music[None].astype(np.float32), RATE, _RATE)[0])
    seconds = _HOP / _RATE
    notes = [
        Note(start * seconds, stop * seconds, pitch)
        for pitch in range(_PITCHES)
        for start, stop in _notes_of_a_pitch(onsets[:, pitch], sounding[:, pitch])
    ]
    return sorted(notes)


def _notes_of_a_pitch(onsets: _Posteriors, sounding: _Posteriors) -> list[tuple[int, int]]:
    """From each onset to where the note fades, or begins again; in frames."""
    before, after = np.append(0, onsets[:-1]), np.append(onsets[1:], 0)
    starts = np.flatnonzero((onsets > _BEGINS) & (onsets >= before) & (onsets > after))
    silent = np.append(np.flatnonzero(sounding < _SOUNDS), len(sounding))
    stops = np.minimum(silent[np.searchsorted(silent, starts, "right")], np.append(starts[1:], len(sounding)))
    return [(start, stop) for start, stop in zip(starts, stops, strict=True) if stop - start >= _SHORTEST_FRAMES]


def _rests(notes: list[Note]) -> npt.NDArray[np.float64]:
    """How long nothing sounds between notes."""
    if not notes:
        return np.zeros(0)
    starts, stops = np.array([(note.start, note.stop) for note in notes]).T
    gaps = starts[1:] - np.maximum.accumulate(stops)[:-1]
    return np.asarray(gaps[gaps > 0])


def _posteriors(music: npt.NDArray[np.float32]) -> tuple[_Posteriors, _Posteriors]:
    """Probabilities of onsets and of notes that sound, `(frames, pitches)`, in windows that overlap."""
    edge = _EDGE_FRAMES * _HOP
    step = _SAMPLES // _HOP * _HOP - 2 * edge
    padded = np.pad(music, (edge, _SAMPLES))
    windows = np.stack([padded[start : start + _SAMPLES] for start in range(0, len(music), step)])
    kept = slice(_EDGE_FRAMES, _EDGE_FRAMES + step // _HOP)
    found = [_network().run([_ONSETS, _SOUNDING], {_INPUT: window[None, :, None]}) for window in windows]
    onsets, sounding = (np.concatenate([each[output][0, kept] for each in found]) for output in range(2))
    frames = len(music) // _HOP
    return onsets[:frames], sounding[:frames]


@functools.cache
def _network() -> Any:
    import onnxruntime

    package = importlib.util.find_spec("basic_pitch")  # not imported: it looks for TensorFlow
    assert package is not None and package.origin is not None
    path = Path(package.origin).parent / "saved_models" / "icassp_2022" / "nmp.onnx"
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


ASPECTS = (Aspect(("basic_pitch", "onnxruntime"), describe),)
