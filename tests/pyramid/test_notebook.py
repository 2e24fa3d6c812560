"""How notebooks show models: a line, a picture that decodes, sound only when it is asked for."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
import soundfile
from PIL import Image

from caw_toolkit import PyramidModel
from caw_toolkit.pyramid import notebook


def decoded(text: str, kind: str) -> bytes:
    match = re.search(rf"data:{kind};base64,([A-Za-z0-9+/=]+)", text)
    assert match is not None
    return base64.b64decode(match[1])


def pixels(png: bytes) -> np.ndarray:
    """Brightness of a greyscale PNG."""
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        return np.asarray(image)


def test_a_model_is_a_line(tiny_model: PyramidModel, tiny_model_path: object) -> None:
    assert repr(tiny_model) == "<PyramidModel 500, 2000, 4000 Hz, mono, speech, 11.8 s>"
    loaded = PyramidModel.load(str(tiny_model_path), "cpu")
    assert repr(loaded).endswith(f"11.8 s, {tiny_model_path}>") and "\n" not in repr(loaded)


def test_a_notebook_shows_no_sound_unless_asked(tiny_model: PyramidModel) -> None:
    shown = tiny_model._repr_html_()
    assert "500, 2000, 4000 Hz" in shown and "audio" not in shown


def test_the_recording_is_shown_where_the_model_holds_it() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 8000)[None].astype(np.float32)
    picture = pixels(decoded(notebook.model_html("a <model>", tone, 8000), "image/png"))
    assert picture.shape == (notebook.HEIGHT, notebook.WIDTH)
    loudest = picture[:, 10:-10].astype(float).mean(1).argmax()
    assert loudest == pytest.approx(notebook.HEIGHT * (1 - 1000 / 4000), abs=2)
    assert "&lt;model&gt;" in notebook.model_html("a <model>", None, 8000)


def test_a_preview_plays_a_take(tiny_model: PyramidModel) -> None:
    preview = tiny_model.preview(seed=3)
    shown = preview._repr_html_()
    samples, rate = soundfile.read(io.BytesIO(decoded(shown, "audio/wav")))
    assert rate == 4000 and samples.shape == (8000,)
    np.testing.assert_allclose(samples, preview.samples[0].clip(-1, 1), atol=2**-15)
    assert pixels(decoded(shown, "image/png")).any()
