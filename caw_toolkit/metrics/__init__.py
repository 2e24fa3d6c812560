"""Measuring audio against a reference: what the figures of the benchmarks mean, exactly.

Signals are mono, `(samples,)`, full scale 1.0. References and estimates are compared over the length of the shorter.
A gap is `(start, stop)` in samples. `scoring_signal` reads a file the way all figures of this project are made: mixed
to mono, in steps of 16 bits.
"""

from caw_toolkit.metrics.closeness import flatness_bias, frechet_distance
from caw_toolkit.metrics.copying import copied_share
from caw_toolkit.metrics.gaps import (
    distance_to_context,
    gap_level_error,
    gap_log_mel_distance,
    gap_log_spectral_distance,
    join_flux,
)
from caw_toolkit.metrics.intelligibility import extended_stoi
from caw_toolkit.metrics.signals import Signal, scoring_signal
from caw_toolkit.metrics.similarity import SimilarityMatrix, similarity_matrix
from caw_toolkit.metrics.source_map import SourceSegment, source_map
from caw_toolkit.metrics.spectral import log_spectral_distance
from caw_toolkit.metrics.waveform import scale_invariant_sdr, signal_to_noise_ratio

__all__ = [
    "Signal",
    "SimilarityMatrix",
    "SourceSegment",
    "copied_share",
    "distance_to_context",
    "extended_stoi",
    "flatness_bias",
    "frechet_distance",
    "gap_level_error",
    "gap_log_mel_distance",
    "gap_log_spectral_distance",
    "join_flux",
    "log_spectral_distance",
    "scale_invariant_sdr",
    "scoring_signal",
    "signal_to_noise_ratio",
    "similarity_matrix",
    "source_map",
]
