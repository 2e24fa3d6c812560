"""Ctrl-C while libsndfile calls Python, which no exception gets through: it comes a moment later, and is not lost."""

from __future__ import annotations

import io
import signal
from pathlib import Path

import numpy as np
import pytest
import soundfile

from caw_toolkit import read_audio
from caw_toolkit.audio import decoding
from caw_toolkit.audio.writing import encode_wav

RATE = 16000


class _Pressed(io.BytesIO):
    """A file whose reader or writer presses Ctrl-C in the middle of it, once."""

    pressed = False

    def _press(self) -> None:
        if not self.pressed and self.tell() >= 70_000:
            self.pressed = True
            signal.raise_signal(signal.SIGINT)

    def read(self, size: int | None = -1) -> bytes:
        self._press()
        return super().read(size)

    def write(self, data: object) -> int:
        self._press()
        return super().write(data)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("error")  # what is ignored in a callback would be a warning
def test_ctrl_c_while_a_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(10 * RATE), RATE)
    disk = _Pressed((tmp_path / "a.wav").read_bytes())
    monkeypatch.setattr(decoding, "open_source", lambda *_: disk)
    with pytest.raises(KeyboardInterrupt):
        read_audio(tmp_path / "a.wav")
    assert disk.pressed


@pytest.mark.filterwarnings("error")
def test_ctrl_c_while_a_file_is_written() -> None:
    disk = _Pressed()
    with pytest.raises(KeyboardInterrupt):
        encode_wav(disk, np.zeros((1, 20 * RATE), np.float32), RATE)
    assert disk.pressed and signal.getsignal(signal.SIGINT) is signal.default_int_handler
