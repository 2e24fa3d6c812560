"""The catalogue of effects says of parameters what the effects themselves do with them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from caw_toolkit.processors.catalogue import DeclaredParameter, Effect, declared, effects
from caw_toolkit.processors.chains import make_effect
from caw_toolkit.processors.parameters import Parameter, ParameterError, flag, integer, number, one_of, optional, path

EFFECTS: Mapping[str, Effect] = {effect.name: effect for effect in effects()}


@pytest.mark.parametrize("name", EFFECTS)
def test_declared_defaults_make_the_effect(name: str) -> None:
    parameters = EFFECTS[name].parameters
    if not any(parameter.is_required for parameter in parameters):
        make_effect(name, {each.name: each.default for each in parameters if each.default is not None})


@pytest.mark.parametrize(("name", "bound"), [("Phaser", "rate_hz"), ("Resample", "target_sample_rate")])
def test_values_beyond_declared_bounds_are_refused(name: str, bound: str) -> None:
    parameter = next(each for each in EFFECTS[name].parameters if each.name == bound)
    assert parameter.low is not None and parameter.high is not None
    for value in (parameter.low - 1, parameter.high + 1):
        with pytest.raises(Exception, match=bound):
            make_effect(name, {bound: value})


def test_parameters_are_told_in_plain_types() -> None:
    class Owner:
        share: Parameter[float] = Parameter(default=0.5, check=number(0, 1), summary="Share, in dB.")
        count: Parameter[int | None] = Parameter(default=None, check=optional(integer(1, 9)), summary="Count.")
        mode: Parameter[str] = Parameter(default="a", check=one_of(["a", "b"]), summary="Mode.")
        on: Parameter[bool] = Parameter(default=True, check=flag, summary="On.")
        file: Parameter[str] = Parameter(check=path, summary="File.")
        own: Parameter[str] = Parameter(default="x", check=str, summary="A check of one's own.")

    shown = declared(vars(Owner)[name] for name in ("share", "count", "mode", "on", "file", "own"))
    assert shown[0] == DeclaredParameter("share", "number", 0.5, low=0, high=1, unit="dB", summary="Share, in dB.")
    assert shown[1] == DeclaredParameter("count", "integer", None, is_optional=True, low=1, high=9, summary="Count.")
    assert shown[2].choices == ("a", "b") and shown[2].kind == "choice"
    assert [each.kind for each in shown[3:]] == ["flag", "path", "text"]
    assert [each.is_required for each in shown] == [False, False, False, False, True, False]


def test_a_check_refuses_what_the_catalogue_excludes() -> None:
    strength = next(each for each in EFFECTS["denoise"].parameters if each.name == "strength")
    assert (strength.low, strength.high) == (0, 1)
    with pytest.raises(ParameterError, match="strength of Denoise must be a number from 0 to 1, not 1"):
        make_effect("denoise", {"strength": 1.5})
