"""Chains written down: what is read, what is refused, and that nothing else ever happens."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest
import soundfile as sf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caw_toolkit import CawUsageError, Mix, Pedalboard
from caw_toolkit.processors import Denoise, Vary
from caw_toolkit.processors.chains import load_chain, make_effect, parse_effect, parse_effects
from caw_toolkit.processors.native import make_native, native_effects, native_parameters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Gain", ("Gain", {})),
        (" Gain ( ) ", ("Gain", {})),
        ("Gain(gain_db=-1.5)", ("Gain", {"gain_db": -1.5})),
        ("my-fx_2(a='x, y', b=[1, -2, (+3,)], c=None, d=True,)", None),
        ("a(\n  b=1)", ("a", {"b": 1})),
    ],
)
def test_effects_are_read(text: str, expected: tuple[str, dict[str, Any]] | None) -> None:
    expected = expected or ("my-fx_2", {"a": "x, y", "b": [1, -2, [3]], "c": None, "d": True})
    assert parse_effect(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(",
        "Gain(",
        "Gain)",
        "Gain(1)",
        "Gain(gain_db=x)",
        "Gain(gain_db=1+1)",
        "Gain(gain_db=-'x')",
        "Gain(gain_db=-True)",
        "Gain(**{'gain_db': 1})",
        "Gain(*[1])",
        "Gain(gain_db=1, gain_db=2)",
        "Gain(gain_db=__import__('os'))",
        "Gain(gain_db=[i for i in 'x'])",
        "Gain(gain_db=f'{1}')",
        "Gain(gain_db=b'x')",
        "Gain(gain_db=1j)",
        "Gain(gain_db={1: 2})",
        "Gain(gain_db=...)",
        "Gain()()",
        "Gain().x",
        "Gain() or Gain()",
        "os.system('x')",
        "lambda: 1",
        "Gain(gain_db=1); 2",
        "Gain(gain_db=\0)",
        "9(a=1)",
        "Gain(a=" + "[" * 500 + "]" * 500 + ")",
        "Gain(a=" + "-" * 9000 + "1)",
        "Gain(a=" + "9" * 9000 + ")",
        "x" * 20_000,
    ],
    ids=lambda text: text[:30],
)
def test_everything_else_is_one_clear_error(text: str) -> None:
    with pytest.raises(CawUsageError) as caught:
        parse_effect(text)
    assert len(str(caught.value)) < 400


def test_native_effects_are_made_from_plain_values() -> None:
    ladder = make_effect("LadderFilter", {"mode": "HPF24", "cutoff_hz": 300})
    assert isinstance(ladder, pedalboard.LadderFilter) and ladder.mode == pedalboard.LadderFilter.Mode.HPF24
    assert {"Gain", "VST3Plugin", "Reverb"} <= native_effects().keys()
    assert native_effects().keys().isdisjoint({"Mix", "Chain", "Plugin", "Pedalboard"})


@pytest.mark.parametrize("name", sorted(native_effects().keys() - {"Convolution", "VST3Plugin"}))
def test_stated_defaults_are_the_defaults(name: str) -> None:
    stated = {
        parameter.name: parameter.default
        for parameter in native_parameters(native_effects()[name])
        if parameter.default
    }
    values = {key: eval(text, {}) for key, text in stated.items()}
    assert repr(make_native(name, values)).split(" at 0x")[0] == repr(native_effects()[name]()).split(" at 0x")[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Compresor()", "did you mean 'Compressor'"),
        ("Compressor(threshold=1)", "did you mean 'threshold_db'"),
        ("Compressor(threshold_db='x')", "wrong type"),
        ("Delay(delay_seconds=99)", "between 0.0s and 30s"),
        ("LadderFilter(mode='HPF25')", "one of LPF12, HPF12"),
        ("LadderFilter(mode=[1])", "one of LPF12, HPF12"),
        ("Invert(x=1)", "it has none"),
        ("Phaser(rate_hz=1e9)", "a number from -20000 to 20000"),
        ("Resample(target_sample_rate=1e9)", "a number from 100 to 768000"),
        ("MP3Compressor(vbr_quality=1e999)", "a finite number"),
        ("Convolution(impulse_response_filename='missing.wav')", "missing.wav"),
        (f"Convolution(impulse_response_filename={__file__!r})", "test_chains.py cannot be read as audio"),
        ("Gain(gain_db=True)", "gain_db of Gain must be no truth value"),
        ("VST3Plugin(path_to_plugin_file='missing.vst3')", "not found"),
        ("Mix()", "no effect named 'Mix'"),
        ("bwe()", "needs the parameter 'model'"),
        ("bwe(model=3)", "must be a model file"),
        ("vary(model='x.pt', strength=2)", "from 0 to 1"),
        ("Vary(model='x.pt', strenght=1)", "did you mean 'strength'"),
    ],
)
def test_wrong_effects_are_clear_errors(text: str, message: str) -> None:
    with pytest.raises(CawUsageError, match=message):
        parse_effects([text])


@pytest.mark.parametrize("name", ["room.wav", "room.flac", "room.caf"])
def test_an_impulse_response_may_have_any_format(name: str, tmp_path: Path) -> None:
    response = np.random.default_rng(0).uniform(-0.5, 0.5, 500).astype(np.float32)
    sf.write(tmp_path / name, response, 16_000, subtype="PCM_24")
    [effect] = parse_effects([f"Convolution(impulse_response_filename='{tmp_path / name}')"])
    expected = pedalboard.Convolution(sf.read(tmp_path / name, dtype="float32")[0], 1.0, 16_000)
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 4000).astype(np.float32)
    assert effect is not None
    made = effect(noise, 16_000)
    np.testing.assert_array_equal(made, expected(noise, 16_000))
    assert not np.allclose(made, noise)


def test_a_silent_impulse_response_is_refused(tmp_path: Path) -> None:
    sf.write(tmp_path / "room.wav", np.zeros(500), 16_000)
    with pytest.raises(CawUsageError, match="is silent"):
        make_native("Convolution", {"impulse_response_filename": str(tmp_path / "room.wav")})


def test_processors_go_by_their_name_and_by_their_class() -> None:
    board = parse_effects(["denoise(strength=0.5)", "Vary(model='x.pt')", "Gain(gain_db=1)"])
    assert isinstance(board[0], Denoise) and isinstance(board[1], Vary) and isinstance(board[2], pedalboard.Gain)
    assert board[0].strength == 0.5


CHAIN = """\
[[chain]]
effect = "Compressor"
threshold_db = -20

[[chain]]
effect = "Mix"
branches = [
    [{ effect = "Gain", gain_db = -6 }],
    [{ effect = "denoise", strength = 0.5 }, { effect = "Delay" }],
]
"""


def test_a_chain_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "chain.toml").write_text(CHAIN, encoding="utf-8")
    board = load_chain(tmp_path / "chain.toml")
    assert isinstance(board[0], pedalboard.Compressor) and board[0].threshold_db == -20
    assert isinstance(board[1], Mix) and [len(branch) for branch in board[1]] == [1, 2]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"no \[\[chain\]\] table"),
        ("[[chains]]\neffect = 'Gain'", "unknown key 'chains'"),
        ("chain = 3", "list of tables"),
        ("chain = [1]", "list of tables"),
        ("chain = []", "the chain is empty"),
        ("[[chain]]\neffect = 'Mix'\nbranches = []", "branches"),
        ("[[chain]]\ngain_db = 1", "'effect' must name"),
        ("[[chain]]\neffect = 1", "'effect' must name"),
        ("[[chain]]\neffect = 'Gian'", "effect 1: .*did you mean 'Gain'"),
        ("[[chain]]\neffect = 'Gain'\ngain_db = 1979-05-27", "effect 1"),
        ("[[chain]]\neffect = 'Mix'", "branches"),
        ("[[chain]]\neffect = 'Mix'\nbranches = [1]", "list of tables"),
        ("not toml", "not valid TOML"),
        ("[" * 5000, "not valid TOML"),
        (".".join("a" * 20_000) + " = 1", "a key of more than 50 parts"),
        ("chain = " + "9" * 5000, "not valid TOML"),
        ("chain = " + "[{effect='Mix', branches=[" * 60 + "]}]" * 60, "nested more|not valid TOML"),
    ],
)
def test_wrong_chain_files_are_clear_errors(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "chain.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CawUsageError, match=message):
        load_chain(tmp_path / "chain.toml")


def test_unreadable_chain_files_are_clear_errors(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "huge.toml").write_bytes(b"#" * 2_000_000)
    for name in ("latin.toml", "huge.toml", "missing.toml", "."):
        with pytest.raises(CawUsageError):
            load_chain(tmp_path / name)


# Texts near what is right: pieces of effects in any order, and any characters at all.
NAMES = [
    "Gain",
    "bwe",
    "denoise",
    "Delay",
    "Mix",
    "LadderFilter",
    "gain_db",
    "model",
    "strength",
    "mode",
    "delay_seconds",
]
VALUES = ["1", "-20", "1e999", "nan", "None", "True", "'x.pt'", "HPF24", "1_0", "0x", "0.5"]
SIGNS = [*"()=,-'\"[]{}* \n\\#\0é", "**", "lambda:", "f'", "__import__", "\ud800", ":="]
PIECES = st.sampled_from([*NAMES, *VALUES, *SIGNS])
EFFECTS = st.lists(PIECES, max_size=20).map("".join) | st.text(max_size=60)
KEYS = st.sampled_from(["chain", "effect", "branches", "gain_db", "model", "strength"])
LEAVES = (
    st.none().map(lambda _: "Mix")
    | st.sampled_from(["Gain", "denoise", "bwe", "Delay", "Mix", "é", "x.pt"])
    | st.integers()
    | st.floats(allow_subnormal=False)
    | st.booleans()
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


def as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {as_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return f"'{value}'" if isinstance(value, str) else str(value)


CHAINS = (
    TREES.map(lambda tree: f"chain = {as_toml(tree)}")
    | st.lists(st.dictionaries(KEYS, TREES, max_size=4), max_size=4).map(lambda tables: f"chain = {as_toml(tables)}")
    | st.lists(PIECES | st.sampled_from(["[[chain]]\n", "effect = ", "branches = ", "'Mix'"]), max_size=20).map("".join)
    | st.text(max_size=60)
)


def try_effect(text: str) -> None:
    with contextlib.suppress(CawUsageError):
        assert len(parse_effects([text])) == 1


def try_chain(text: str, folder: Path) -> None:
    path = folder / "fuzz.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(CawUsageError):
        assert isinstance(load_chain(path), Pedalboard)


@settings(max_examples=300, deadline=None)
@given(EFFECTS)
def test_no_text_does_more_than_fail_clearly(text: str) -> None:
    try_effect(text)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHAINS)
def test_no_chain_file_does_more_than_fail_clearly(tmp_path: Path, text: str) -> None:
    try_chain(text, tmp_path)


@pytest.mark.slow
def test_fuzzing_finds_nothing(tmp_path: Path) -> None:
    """A minute of both; CAW_FUZZ_SECONDS=600 for longer."""
    end = time.monotonic() + float(os.environ.get("CAW_FUZZ_SECONDS", "60"))
    tried = 0

    @settings(max_examples=500, deadline=None, database=None)
    @given(EFFECTS, CHAINS)
    def fuzz(effect: str, chain: str) -> None:
        nonlocal tried
        tried += 1
        try_effect(effect)
        try_chain(chain, tmp_path)

    while time.monotonic() < end:
        fuzz()
    print(f"{tried} effects and chain files")
