"""All tasks of the benchmark, by name."""

from __future__ import annotations

from harness.bandwidth import BandwidthExtension, HeldOutSpeech
from harness.denoising import Denoising
from harness.full_band import FullBand
from harness.generation import Generation
from harness.held_out import HeldOutGaps, HeldOutNoise, HeldOutTakes, HeldOutVariations
from harness.inpainting import GapLengths, Inpainting
from harness.records import Records
from harness.task import Task
from harness.variation import Variation

_ALL: tuple[Task, ...] = (
    BandwidthExtension("bwe-4to16", "bwe_4k_to_16k"),
    BandwidthExtension("bwe-8to16", "bwe_8k_to_16k"),
    HeldOutSpeech(),
    FullBand(),
    Inpainting(),
    GapLengths(),
    HeldOutGaps(),
    Denoising(),
    Records(),
    HeldOutNoise(),
    Generation(),
    HeldOutTakes(),
    Variation(),
    HeldOutVariations(),
)
TASKS = {task.name: task for task in _ALL}
