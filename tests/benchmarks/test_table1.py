"""How the paper's protocol cuts sentences into clips, and how it sums scores up."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from table1 import Sentence, batches, table, write_jobs


def sentences(*seconds: float) -> list[Sentence]:
    return [Sentence("ann", Path(f"{number}.wav"), length) for number, length in enumerate(seconds)]


@pytest.mark.parametrize(
    ("seconds", "numbers"),
    [
        ((5, 5, 5, 5, 5), [[0, 1, 2, 3]]),
        ((8, 8, 10, 4, 21), [[0, 1, 3], [4]]),
        ((30, 9, 9), []),
    ],
)
def test_batches_have_20_to_25_seconds(seconds: tuple[float, ...], numbers: list[list[int]]) -> None:
    cut = [[int(sentence.path.stem) for sentence in batch] for batch in batches(sentences(*seconds))]
    assert cut == numbers


def test_every_sentence_is_extended_by_every_model_but_its_own(tmp_path: Path) -> None:
    spoken = sentences(12, 12, 12, 12, 3)
    count = write_jobs(tmp_path / "jobs.csv", tmp_path, {"ann": batches(spoken)}, {"ann": spoken}, minutes=2)
    rows = list(csv.DictReader((tmp_path / "jobs.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == count == 2 + 3 + 3
    made = [(Path(row["model"]).stem, Path(row["input"]).stem) for row in rows if row["command"] == "bwe"]
    assert made == [("000", "2"), ("000", "3"), ("000", "4"), ("001", "0"), ("001", "1"), ("001", "4")]


def test_deviations_are_over_models_and_averaged_over_sentences() -> None:
    scores = {"ann": [[(1.0, 2.0, 3.0), (3.0, 2.0, 3.0)]], "bob": [[(4.0, 2.0, 3.0), (4.0, 2.0, 3.0)]]}
    assert list(table(scores))[2:] == [
        "| ann | 1 | 2.0 | 2.00 ± 1.00 | 2.00 ± 0.00 | 3.00 ± 0.00 |",
        "| bob | 1 | 2.0 | 4.00 ± 0.00 | 2.00 ± 0.00 | 3.00 ± 0.00 |",
        "| all | 2 | 2.0 | 3.00 ± 0.50 | 2.00 ± 0.00 | 3.00 ± 0.00 |",
    ]
