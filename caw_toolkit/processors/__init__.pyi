"""Types of the names that the module finds at run time; written by tests/project/processors_stub.py."""

from collections.abc import Callable

from caw_bandwidth_extension.processor import BandwidthExtension as BandwidthExtension
from caw_denoising.processor import Denoise as Denoise
from caw_inpainting.processor import Inpaint as Inpaint
from caw_music_variation.processor import Vary as Vary
from caw_toolkit.processors.base import Processor as Processor
from caw_toolkit.processors.board import Chain as Chain
from caw_toolkit.processors.board import Mix as Mix
from caw_toolkit.processors.board import Pedalboard as Pedalboard
from caw_toolkit.processors.board import process as process
from caw_toolkit.processors.model_processor import ModelProcessor as ModelProcessor
from caw_toolkit.processors.parameters import Parameter as Parameter
from caw_toolkit.processors.protocols import AudioProcessor as AudioProcessor
from caw_toolkit.processors.protocols import StreamingProcessor as StreamingProcessor
from caw_unconditional.processor import Generate as Generate
from pedalboard import AudioProcessorParameter as AudioProcessorParameter
from pedalboard import load_plugin as load_plugin
from pedalboard import time_stretch as time_stretch
from pedalboard_native import Bitcrush as Bitcrush
from pedalboard_native import BrickwallLimiter as BrickwallLimiter
from pedalboard_native import Chorus as Chorus
from pedalboard_native import Clipping as Clipping
from pedalboard_native import Compressor as Compressor
from pedalboard_native import Convolution as Convolution
from pedalboard_native import Delay as Delay
from pedalboard_native import Distortion as Distortion
from pedalboard_native import ExternalPlugin as ExternalPlugin
from pedalboard_native import ExternalPluginReloadType as ExternalPluginReloadType
from pedalboard_native import GSMFullRateCompressor as GSMFullRateCompressor
from pedalboard_native import Gain as Gain
from pedalboard_native import HighShelfFilter as HighShelfFilter
from pedalboard_native import HighpassFilter as HighpassFilter
from pedalboard_native import IIRFilter as IIRFilter
from pedalboard_native import Invert as Invert
from pedalboard_native import LadderFilter as LadderFilter
from pedalboard_native import Limiter as Limiter
from pedalboard_native import LowShelfFilter as LowShelfFilter
from pedalboard_native import LowpassFilter as LowpassFilter
from pedalboard_native import MP3Compressor as MP3Compressor
from pedalboard_native import NoiseGate as NoiseGate
from pedalboard_native import PeakFilter as PeakFilter
from pedalboard_native import Phaser as Phaser
from pedalboard_native import PitchShift as PitchShift
from pedalboard_native import Plugin as Plugin
from pedalboard_native import PluginContainer as PluginContainer
from pedalboard_native import Resample as Resample
from pedalboard_native import Reverb as Reverb
from pedalboard_native import VST3Plugin as VST3Plugin

def get_processor(name: str) -> Callable[..., AudioProcessor]: ...
def registered_classes() -> dict[str, str]: ...
