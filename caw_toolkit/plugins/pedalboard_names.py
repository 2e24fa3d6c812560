"""Names of pedalboard's classes, so that plugins can be told of a clash.

Written down, because importing pedalboard to find out would delay every start of `caw`; a test compares the list.
"""

from __future__ import annotations

CLASS_NAMES = frozenset(
    {
        *("AudioProcessorParameter", "AudioUnitPlugin", "Bitcrush", "BrickwallLimiter", "Chain", "Chorus", "Clipping"),
        *("Compressor", "Convolution", "Delay", "Distortion", "ExternalPlugin", "ExternalPluginReloadType", "Gain"),
        *("GSMFullRateCompressor", "HighShelfFilter", "HighpassFilter", "IIRFilter", "Invert", "LadderFilter"),
        *("Limiter", "LowShelfFilter", "LowpassFilter", "MP3Compressor", "Mix", "NoiseGate", "PeakFilter"),
        *("Pedalboard", "Phaser", "PitchShift", "Plugin", "PluginContainer", "Resample", "Reverb", "VST3Plugin"),
    }
)
