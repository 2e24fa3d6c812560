"""The base of processors: parameters, errors, streams; and what each task's processor does to audio."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest
from scipy.signal import butter, sosfiltfilt

import caw_toolkit.processors
from caw_bandwidth_extension.task import bandwidth
from caw_toolkit import AudioClip, CawError, CawUsageError, Processor, PyramidModel, get_processor
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.processors import BandwidthExtension, Denoise, Generate, Inpaint, Vary
from caw_toolkit.processors.parameters import (
    REQUIRED,
    Parameter,
    ParameterError,
    flag,
    integer,
    number,
    one_of,
    optional,
    path,
)

RATE = 4000


class Fade(Processor):
    """A processor as an author would write it."""

    seconds: Parameter[float] = Parameter(default=0.5, check=number(0, 10), summary="Length of the fade.")
    curve: Parameter[str] = Parameter(
        default="linear",
        check=one_of(["linear", "square"]),
        summary="Shape of the fade.",
    )

    def _process(self, audio: np.ndarray, sample_rate: float) -> np.ndarray:
        audio *= np.clip(np.arange(audio.shape[1]) / (self.seconds * sample_rate + 1), 0, 1)
        return audio


class Shorten(Processor):
    """A faulty one."""

    def _process(self, audio: np.ndarray, sample_rate: float) -> np.ndarray:
        return audio[:, 1:]


def speech_at(rate: int, speech: AudioClip, seconds: float = 3.0) -> np.ndarray:
    return resample(speech.samples[:, : round(seconds * speech.sample_rate)], speech.sample_rate, rate)


@pytest.fixture
def stereo_model(tiny_model: PyramidModel) -> PyramidModel:
    """A stereo model of the same generators cannot be made, so one that says that it is."""

    class Stereo(PyramidModel):
        def inject(self, audio: np.ndarray, sample_rate: int, **options: Any) -> np.ndarray:
            assert audio.shape[0] == 2
            return audio * np.array([[1.0], [0.5]], np.float32)

    return Stereo(tiny_model.scales, channels=2, peak=1.0, upsampling="keys")


def test_parameters_are_set_checked_and_shown() -> None:
    fade = Fade(seconds=1)
    assert fade.seconds == 1.0
    fade.curve = "square"
    assert repr(fade).startswith("<Fade seconds=1.0 curve='square' ")
    assert str(inspect.signature(Fade)) == "(*, seconds=0.5, curve='linear')"
    with pytest.raises(ParameterError, match="seconds of Fade must be a number from 0 to 10, not 11"):
        fade.seconds = 11
    assert fade.seconds == 1.0
    with pytest.raises(ValueError, match="did you mean 'square'"):
        Fade(curve="sqare")
    with pytest.raises(TypeError, match="did you mean 'seconds'"):
        Fade(second=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Fade(0.5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="needs the parameter 'model'"):
        Generate()  # type: ignore[call-arg]
    assert Generate.parameters["model"].default is REQUIRED


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (number(), "1"),
        (number(), True),
        (number(), float("nan")),
        (number(), float("inf")),
        (number(), 10**400),
        (number(1), 0),
        (number(high=1), 2),
        (number(), [1.0]),
        (number(), 1j),
        (integer(0, 3), 1.0),
        (integer(0, 3), 4),
        (integer(0, 3), True),
        (one_of(["a"]), ["a"]),
        (path, ""),
        (path, 3),
        (flag, 1),
        (optional(flag), "x"),
    ],
)
def test_wrong_values_are_refused(check: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=r"a |one of|true"):
        check(value)


def test_a_faulty_processor_is_found_out() -> None:
    with pytest.raises(CawError, match="Shorten returned audio of shape"):
        Shorten()(np.ones(100, np.float32), RATE)


@pytest.mark.parametrize("dtype", [np.int16, np.complex64, object])
def test_samples_that_are_no_floating_point_numbers_are_refused(dtype: Any) -> None:
    class Cast(Processor):
        def _process(self, audio: Any, sample_rate: float) -> Any:
            return audio.astype(dtype)

    with pytest.raises(CawError, match=f"Cast returned samples of type {np.dtype(dtype)} instead"):
        Cast()(np.ones(100, np.float32), RATE)


@pytest.mark.usefixtures("quick_filling")
def test_what_cannot_stream_says_so(tiny_model_path: Path) -> None:
    for processor in (Fade(), Denoise(), Inpaint(model=tiny_model_path)):
        assert not processor.can_stream
        with pytest.raises(CawError, match="cannot stream"):
            processor(np.ones(100, np.float32), RATE, reset=False)
    assert Vary(model=tiny_model_path).can_stream


def test_a_stream_keeps_to_one_signal(tiny_model_path: Path) -> None:
    vary = Vary(model=tiny_model_path)
    assert vary.flush().shape == (0,)
    vary(np.ones((2, 100), np.float32), RATE, reset=False)
    with pytest.raises(CawError, match=r"call flush\(\) or reset\(\)"):
        vary(np.ones((1, 100), np.float32), RATE, reset=False)
    assert vary.flush().shape == (2, 100)
    vary(np.ones((100, 1), np.float32), RATE, reset=False)
    assert vary.flush().shape == (100, 1)


def test_native_boards_refuse_processors_and_say_what_to_do() -> None:
    with pytest.raises(TypeError, match=r"caw_toolkit\.Pedalboard"):
        pedalboard.Pedalboard([Denoise()])  # type: ignore[list-item]


def test_models_load_when_they_are_needed(tiny_model: PyramidModel, tmp_path: Path) -> None:
    generate = Generate(model=tmp_path / "later.pt", mix=1)
    with pytest.raises(CawUsageError, match=r"later\.pt"):
        generate(np.ones(100, np.float32), RATE)
    tiny_model.save(tmp_path / "later.pt")
    from_file = generate(np.ones(100, np.float32), RATE)
    loaded = Generate(model=PyramidModel.load(tmp_path / "later.pt"), mix=1)
    np.testing.assert_array_equal(loaded(np.ones(100, np.float32), RATE), from_file)
    generate.seed = 1
    assert (generate(np.ones(100, np.float32), RATE) != from_file).any()
    with pytest.raises(ParameterError, match="model of Generate must be a model file or a PyramidModel, not 3"):
        generate.model = 3  # type: ignore[assignment]


def test_a_model_given_as_an_object_is_pickled_with_its_processor(tiny_model: PyramidModel) -> None:
    generate = Generate(model=tiny_model, mix=1)
    copy = pickle.loads(pickle.dumps(generate))
    signal = np.zeros(100, np.float32)
    np.testing.assert_array_equal(copy(signal, RATE), generate(signal, RATE))


def test_another_rate_is_an_error_that_says_what_to_do(tiny_model_path: Path) -> None:
    with pytest.raises(CawError, match=r"resampled_to\(4000\)"):
        Vary(model=tiny_model_path)(np.ones(100, np.float32), 44100)
    with pytest.raises(CawError, match="4000 Hz"):
        Denoise()(np.ones(100, np.float32), 1000)


def test_bandwidth_extension_keeps_the_low_band_and_adds_highs(tiny_model: PyramidModel, speech: AudioClip) -> None:
    narrow = resample(speech_at(1000, speech), 1000, RATE)
    wide = BandwidthExtension(model=tiny_model, source_sample_rate=1000)(narrow, RATE)
    low_pass = butter(6, 60, fs=RATE, output="sos")  # the crossfade begins at 100 Hz
    own, extended = sosfiltfilt(low_pass, narrow)[:, 500:-500], sosfiltfilt(low_pass, wide)[:, 500:-500]
    assert np.linalg.norm(extended - own) < 0.05 * np.linalg.norm(own)
    assert bandwidth(wide, RATE) > 1.5 * bandwidth(narrow, RATE)
    measured = BandwidthExtension(model=tiny_model)(narrow, RATE)
    assert bandwidth(measured, RATE) > 1.5 * bandwidth(narrow, RATE)


def test_bandwidth_extension_of_silence_is_silence(tiny_model: PyramidModel) -> None:
    assert not BandwidthExtension(model=tiny_model)(np.zeros((1, 9000), np.float32), RATE).any()


def test_stereo_stays_stereo(tiny_model: PyramidModel, speech: AudioClip) -> None:
    left = speech_at(RATE, speech)
    vary = Vary(model=tiny_model, strength=0.3)
    both = vary(np.concatenate([left, 0.5 * left[:, ::-1]]), RATE)
    np.testing.assert_array_equal(both[:1], vary(left, RATE))
    np.testing.assert_array_equal(both[1:], vary(0.5 * left[:, ::-1], RATE))


def test_a_stereo_model_serves_mono_and_refuses_more(stereo_model: PyramidModel) -> None:
    vary = Vary(model=stereo_model, scale=500)
    np.testing.assert_allclose(vary(np.ones(100, np.float32), RATE), np.full(100, 0.75, np.float32))
    with pytest.raises(CawError, match="2 channels, the audio has 3"):
        vary(np.ones((3, 100), np.float32), RATE)


def test_generate_mixes(tiny_model: PyramidModel, speech: AudioClip) -> None:
    signal = speech_at(RATE, speech)
    np.testing.assert_array_equal(Generate(model=tiny_model, mix=0)(signal, RATE), signal)
    only = Generate(model=tiny_model, mix=1, seed=4)(signal, RATE)
    np.testing.assert_array_equal(only, next(tiny_model.stream(block_seconds=3, seed=4)))
    half = Generate(model=tiny_model, mix=0.5, seed=4)(signal, RATE)
    np.testing.assert_allclose(half, (signal + only) / 2, atol=1e-6)


@pytest.mark.usefixtures("quick_filling")
def test_inpaint_changes_the_gaps_only(tiny_model: PyramidModel, speech: AudioClip) -> None:
    signal = speech_at(RATE, speech)
    signal[:, 4000:4400] = 0
    filled = Inpaint(model=tiny_model, gaps=[(1.0, 1.1)])(signal, RATE)
    np.testing.assert_array_equal(filled[:, :3900], signal[:, :3900])
    np.testing.assert_array_equal(filled[:, 4500:], signal[:, 4500:])
    assert filled[:, 4000:4400].any()
    np.testing.assert_array_equal(Inpaint(model=tiny_model, find=True)(signal, RATE), filled)
    np.testing.assert_array_equal(Inpaint(model=tiny_model)(signal, RATE), signal)
    in_pieces = Inpaint(model=tiny_model, gaps=[(1.05, 1.1), (1.0, 1.06), (8.0, 9.0)])
    np.testing.assert_array_equal(in_pieces(signal, RATE), filled)
    wrong: Any
    for wrong in (3, [1, 2], [(1, "x")], [(1, 2, 3)], [(2, 1)]):
        with pytest.raises(ParameterError, match="gaps of Inpaint must be a list of gaps"):
            Inpaint(model=tiny_model, gaps=wrong)


def test_denoise_is_the_estimator(speech: AudioClip) -> None:
    from caw_denoising.task import denoise

    signal = speech_at(RATE, speech)
    np.testing.assert_array_equal(Denoise(strength=0.5)(signal, RATE), denoise(signal, RATE, strength=0.5))


def test_names_come_from_the_registry_and_from_pedalboard() -> None:
    assert get_processor("bwe") is BandwidthExtension
    assert caw_toolkit.processors.Compressor is pedalboard.Compressor
    assert {"BandwidthExtension", "Compressor", "Pedalboard"} <= set(dir(caw_toolkit.processors))
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = caw_toolkit.processors.Nonsense  # type: ignore[attr-defined]
    with pytest.raises(CawUsageError, match="did you mean 'bwe'"):
        get_processor("bwee")


def test_listing_processors_imports_no_torch() -> None:
    code = "import sys; from caw_toolkit.processors import *; Vary(model='x.pt'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
