"""How fast processors stream, and how late their audio comes out, at several block sizes.

    python benchmarks/realtime.py --model speaker.pt [--seconds 20] [--repeats 3]

For every processor that can stream, and for native effects in the same run: the real-time factor (computing time over
the length of the audio; below 1 keeps up), the longest time that a single call took, and the latency (how much audio
has gone in when the first sample comes out, the block itself included). One thread unless `--threads` says more.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pedalboard
import torch

from caw_toolkit import CawError, Pedalboard, PyramidModel, get_processor
from caw_toolkit.plugins import get_host

BLOCK_SIZES = (512, 1024, 2048, 4096, 8192)

#: Parameters beside the model, where the defaults would be no use.
PARAMETERS: dict[str, Callable[[PyramidModel], dict[str, Any]]] = {
    "bwe": lambda model: {"source_sample_rate": model.sample_rate / 2}
}


@dataclass(frozen=True)
class Measurement:
    real_time_factor: float
    longest_call_seconds: float
    latency_seconds: float


def measure(processor: Any, signal: np.ndarray, sample_rate: int, block: int) -> Measurement:
    """Stream a signal once."""
    processor.reset()
    longest = spent = 0.0
    taken = returned = 0
    latency = None
    for start in range(0, signal.shape[1] - block + 1, block):
        began = time.perf_counter()
        made = processor(signal[:, start : start + block], sample_rate, buffer_size=block, reset=False)
        elapsed = time.perf_counter() - began
        spent += elapsed
        longest = max(longest, elapsed)
        taken += block
        returned += made.shape[1]
        if latency is None and returned:
            latency = taken
    return Measurement(
        spent / (taken / sample_rate), longest, float("nan") if latency is None else latency / sample_rate
    )


def subjects(model: PyramidModel) -> dict[str, Any]:
    """What is measured, by name: native effects, every processor that can stream, and a board of both."""
    found: dict[str, Any] = {"native Reverb": pedalboard.Reverb(), "native PitchShift": pedalboard.PitchShift(2)}
    for name in sorted(get_host().items("processor")):
        parameters = PARAMETERS.get(name, lambda model: {})(model)
        try:
            processor: Any = get_processor(name)(model=model, **parameters)
        except (CawError, TypeError):  # it takes no model, and then it is none of the toolkit's that streams
            continue
        if processor.can_stream:
            found[name] = processor
    if "bwe" in found:
        found["Compressor + bwe + Reverb"] = Pedalboard([pedalboard.Compressor(), found["bwe"], pedalboard.Reverb()])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="model file")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the audio")
    parser.add_argument("--repeats", type=int, default=3, help="the fastest counts")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = PyramidModel.load(options.model, options.device)
    rate = model.sample_rate
    signal = model.generate(options.seconds, seed=1)
    print(f"{options.seconds:g} s at {rate} Hz, {model.device}, {options.threads} thread(s)\n")
    print("| processor | block | real-time factor | longest call, ms | latency, ms |")
    print("|---|---|---|---|---|")
    for name, processor in subjects(model).items():
        for block in BLOCK_SIZES:
            best = min(
                (measure(processor, signal, rate, block) for _ in range(options.repeats)),
                key=lambda one: one.real_time_factor,
            )
            print(
                f"| {name} | {block} | {best.real_time_factor:.4f} | {best.longest_call_seconds * 1000:.1f} | "
                f"{best.latency_seconds * 1000:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
