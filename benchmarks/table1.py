"""Table 1 of the paper: bandwidth extension of speech, each sentence by every model of its speaker but its own.

    python benchmarks/table1.py SENTENCES --work DIR [--low-rate 4000] [--models N] [--tested N] [--minutes M]
                                [--prepare-only] [OPTIONS OF caw batch run]

SENTENCES has a folder for each speaker: in the paper, test speakers of VCTK. As in its appendix B.2, the sentences of a
speaker are divided into batches of 20 to 25 s, a model is trained on each, every sentence is extended by all models but
the one that was trained on it, and its mean and standard deviation over models are averaged over sentences.

The work is a table of jobs, DIR/jobs.csv, that `caw batch run` does; stopped, the same command goes on. On a cluster,
stop after --prepare-only, run the table there, and come back for the scores.
"""

from __future__ import annotations

import argparse
import csv
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, pstdev

from caw_toolkit import AudioClip, read_audio, write_audio
from caw_toolkit.dsp.resampling import resample
from caw_toolkit.metrics import log_spectral_distance, scoring_signal, signal_to_noise_ratio
from harness.task import find_audio

RATE = 16000
SHORTEST_SECONDS, LONGEST_SECONDS = 20.0, 25.0
#: Of a sentence by one model, in the order of the headings.
Scores = tuple[float, ...]
HEADINGS = ("SNR, dB", "LSD", "LSD, decimal")


@dataclass(frozen=True)
class Sentence:
    """A sentence, as it was recorded.

    Attributes:
        speaker: name of its folder.
        path: of the file.
        seconds: its length.
    """

    speaker: str
    path: Path
    seconds: float

    def full(self, work: Path) -> Path:
        """The file at 16 kHz."""
        return work / "full" / self.speaker / f"{self.path.stem}.wav"

    def low(self, work: Path) -> Path:
        """The file that is extended."""
        return work / "low" / self.speaker / f"{self.path.stem}.wav"

    def extended(self, work: Path, model: int) -> Path:
        """What a model makes of it."""
        return work / "extended" / self.speaker / f"{model:03}" / f"{self.path.stem}.wav"


def batches(sentences: Sequence[Sentence]) -> list[list[Sentence]]:
    """Successive sentences that make 20 to 25 s; what does not fit, and what is left over, is in no batch."""
    whole, batch = [], list[Sentence]()
    for sentence in sentences:
        if sum(each.seconds for each in [*batch, sentence]) <= LONGEST_SECONDS:
            batch.append(sentence)
        if sum(each.seconds for each in batch) >= SHORTEST_SECONDS:
            whole.append(batch)
            batch = []
    return whole


def read_speakers(folder: Path, work: Path, low_rate: int) -> dict[str, list[Sentence]]:
    """The sentences of each speaker, written to the working folder at both rates."""
    speakers = {}
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        sentences = []
        for path in find_audio(place, "*"):
            clip = read_audio(path)
            sentence = Sentence(place.name, path, clip.seconds)
            _write(sentence.full(work), clip, RATE)
            _write(sentence.low(work), clip, low_rate)
            sentences.append(sentence)
        speakers[place.name] = sentences
    return speakers


def _write(path: Path, clip: AudioClip, rate: int) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = resample(clip.samples.mean(0, keepdims=True), clip.sample_rate, rate)
        write_audio(path, samples, rate, bit_depth="16", clipping="clip")


def write_jobs(
    path: Path, work: Path, groups: dict[str, list[list[Sentence]]], tested: dict[str, list[Sentence]], minutes: float
) -> int:
    """Write the table of jobs; returns how many there are."""
    rows: list[tuple[str, str, str, str, str]] = []
    for speaker, models in groups.items():
        for number, batch in enumerate(models):
            model = os.path.abspath(work / "models" / speaker / f"{number:03}.pt")
            clips = ";".join(os.path.abspath(sentence.full(work)) for sentence in batch)
            rows.append(("train", clips, model, f"{minutes:g}", ""))
            for sentence in tested[speaker]:
                if sentence not in batch:
                    output = os.path.abspath(sentence.extended(work, number))
                    rows.append(("bwe", os.path.abspath(sentence.low(work)), output, "", model))
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([("command", "input", "output", "minutes", "model"), *rows])
    return len(rows)


def score(sentence: Sentence, *, work: Path, models: int) -> list[Scores]:
    """SNR and LSD, by two conventions, of a sentence by each model that extended it."""
    reference, rate = scoring_signal(sentence.full(work))
    scores = []
    for output in (sentence.extended(work, number) for number in range(models)):
        if output.exists():
            made, _ = scoring_signal(output, rate)
            distances = [log_spectral_distance(reference, made, convention=name) for name in ("paper", "decimal")]
            scores.append((signal_to_noise_ratio(reference, made), *distances))
    return scores


def table(scores: Mapping[str, Sequence[Sequence[Scores]]]) -> Iterator[str]:
    """A row for each speaker, and one for all sentences."""
    yield f"| speaker | sentences | models | {' | '.join(HEADINGS)} |"
    yield "|---" * (3 + len(HEADINGS)) + "|"
    everything = [sentence for sentences in scores.values() for sentence in sentences]
    for speaker, sentences in [*scores.items(), ("all", everything)]:
        cells = []
        for column in range(len(HEADINGS)):
            values = [[model[column] for model in sentence] for sentence in sentences]
            cells.append(f"{mean(map(mean, values)):.2f} ± {mean(map(pstdev, values)):.2f}")
        models = f"{mean(map(len, sentences)):.1f}"
        yield f"| {speaker} | {len(sentences)} | {models} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path, metavar="SENTENCES")
    parser.add_argument("--work", type=Path, required=True, help="folder for everything that is made")
    parser.add_argument("--low-rate", type=int, default=4000, help="of what is extended, Hz")
    parser.add_argument("--models", type=int, default=1000, help="of a speaker, at the most")
    parser.add_argument("--tested", type=int, default=100_000, help="sentences of a speaker, at the most")
    parser.add_argument("--minutes", type=float, default=10.0, help="of each training, at the most")
    parser.add_argument("--prepare-only", action="store_true", help="write jobs.csv and stop")
    arguments, batch_options = parser.parse_known_args()
    work = arguments.work
    speakers = read_speakers(arguments.sentences, work, arguments.low_rate)
    groups = {speaker: batches(sentences)[: arguments.models] for speaker, sentences in speakers.items()}
    tested = {speaker: sentences[-arguments.tested :] for speaker, sentences in speakers.items()}
    for speaker, models in groups.items():
        print(f"{speaker}: {len(speakers[speaker])} sentences, {len(models)} models", file=sys.stderr)
    count = write_jobs(work / "jobs.csv", work, groups, tested, arguments.minutes)
    if arguments.prepare_only:
        print(f"wrote {work / 'jobs.csv'} with {count} jobs; now: caw batch run {work / 'jobs.csv'}", file=sys.stderr)
        return
    command = [sys.executable, "-m", "caw_toolkit", "batch", "run", str(work / "jobs.csv"), *batch_options]
    batch = subprocess.Popen(command, stdout=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: batch.terminate())  # Ctrl-C reaches both
    try:
        batch.wait()
    except KeyboardInterrupt:  # which caw batch has had, too: it says what to do
        batch.wait()
    if batch.returncode:
        sys.exit(batch.returncode)
    measure = partial(score, work=work, models=len(max(groups.values(), key=len)))
    with ProcessPoolExecutor() as pool:
        scores = {speaker: list(pool.map(measure, sentences)) for speaker, sentences in tested.items()}
    print(*table({speaker: [each for each in rows if each] for speaker, rows in scores.items()}), sep="\n")


if __name__ == "__main__":
    main()
