"""Speech: predicted opinion, pauses and talk spurts, and who speaks."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from caw_toolkit.metrics import Signal
from harness import dnsmos
from hearing.features import RATE, Aspect, Direction, Feature, Figure, Observations


def opinion(speech: Signal) -> Mapping[str, Feature]:
    """DNSMOS P.808 (Reddy, Gopal and Cutler 2021)."""
    return {"predicted opinion (DNSMOS)": Figure(dnsmos.score(speech, RATE)["dnsmos"])}


def talk(speech: Signal) -> Mapping[str, Feature]:
    """How long somebody talks and rests, as silero-vad hears it; rests at the ends do not count."""
    import torch
    from silero_vad import get_speech_timestamps

    found = get_speech_timestamps(torch.from_numpy(speech).float(), _voice_detector(), sampling_rate=RATE)
    spurts = np.array([[part["start"], part["end"]] for part in found], float).reshape(-1, 2) / RATE
    return {
        "talk spurts, s": Observations(spurts[:, 1] - spurts[:, 0]),
        "pauses, s": Observations(spurts[1:, 0] - spurts[:-1, 1]),
    }


def speaker(speech: Signal) -> Mapping[str, Feature]:
    """Embedding of a voice (Wan et al. 2018, as resemblyzer has it)."""
    return {"speaker": Direction(np.asarray(_voice_encoder().embed_utterance(speech.astype(np.float32)), float))}


@functools.cache
def _voice_detector() -> Any:
    from silero_vad import load_silero_vad

    return load_silero_vad(onnx=True)


@functools.cache
def _voice_encoder() -> Any:
    from resemblyzer import VoiceEncoder

    return VoiceEncoder("cpu", verbose=False)


ASPECTS = (
    Aspect(("speechmos", "onnxruntime"), opinion),
    Aspect(("silero_vad", "onnxruntime"), talk),
    Aspect(("resemblyzer", "webrtcvad"), speaker),
)
