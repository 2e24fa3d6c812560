"""Damaged presets, chain files and logs are read, or refused in a line."""

from __future__ import annotations

from pathlib import Path

import fuzzing
from caw_toolkit import Material
from caw_toolkit.cli.run_log import read_records
from caw_toolkit.processors.chains import load_chain
from caw_toolkit.training.presets import load_preset, preset_directory

CHAIN = b"""\
[[chain]]
effect = "Compressor"
threshold_db = -20
ratio = 3.5

[[chain]]
effect = "Mix"
branches = [[{effect = "Gain", gain_db = 3}], [{effect = "Delay", delay_seconds = 0.2}]]
"""
RECORD = b'{"time": "2026-01-01T00:00:00+00:00", "command": "x", "inputs": [], "output": {"path": "a.wav"}}\n'


def test_damaged_chains_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "chain.toml"
    for name, seed, content in fuzzing.cases({"chain": CHAIN}):
        path.write_bytes(content)
        fuzzing.assert_only_errors_of_ours(lambda: load_chain(path), f"{name}, seed {seed}")


def test_damaged_presets_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "preset.toml"
    for name, seed, content in fuzzing.cases(
        {each.stem: each.read_bytes() for each in preset_directory().glob("*.toml")}
    ):
        path.write_bytes(content)
        fuzzing.assert_only_errors_of_ours(lambda: load_preset(path, material=Material.SPEECH), f"{name}, seed {seed}")


def test_damaged_logs_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    for name, seed, content in fuzzing.cases({"log": RECORD * 3}):
        path.write_bytes(content)
        fuzzing.assert_only_errors_of_ours(lambda: list(read_records(path)), f"{name}, seed {seed}")
