"""Planning, records and shards of `caw batch`, without Dask."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batch_jobs import EchoJobs
from caw_batch.agenda import require_order, shard_of
from caw_batch.jobs import Job, check_jobs, make_job, plan_jobs
from caw_batch.signature import signature
from caw_batch.table import read_jobs
from caw_process import run_caw
from caw_toolkit import CawUsageError

TABLE = """\
command,input,output,text,loud,fail-if,speaker
echo,in/000.txt,out/{speaker}-{stem}.txt,b,true,stop,ann
echo,out/ann-000.txt,out/second.txt,c,,,
"""


@pytest.fixture
def jobs(tmp_path: Path) -> EchoJobs:
    return EchoJobs(tmp_path)


def batch(jobs: EchoJobs, *arguments: str) -> tuple[int, str, str]:
    done = run_caw("batch", *arguments, environment=jobs.environment, cwd=jobs.folder)
    return done.returncode, done.stdout, done.stderr


def job(name: str, *reads: str) -> Job:
    return Job("train", (), Path(name), tuple(map(Path, reads)))


def test_a_job_for_each_input_but_not_for_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ann").mkdir()
    for name in ("a.wav", "b.flac", "notes.txt"):
        (tmp_path / "ann" / name).touch()
    made = plan_jobs("denoise", [tmp_path], f"{tmp_path}/out/", {}, quiet=False)
    assert [planned.output for planned in made] == [tmp_path / "out/ann/a.wav", tmp_path / "out/ann/b.flac"]
    for path in (tmp_path / "out/ann/a.wav", tmp_path / "ann/b.denoised.flac", tmp_path / "ann/clean_a.wav"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    again = plan_jobs("denoise", [tmp_path], f"{tmp_path}/out/", {}, quiet=False)
    assert [planned.output.name for planned in again] == ["a.wav", "b.flac", "clean_a.wav"]
    renamed = plan_jobs("denoise", [tmp_path / "ann"], "{parent}/clean_{stem}{ext}", {}, quiet=False)
    assert [planned.output.name for planned in renamed] == ["clean_a.wav", "clean_b.flac"]
    assert "left out 2 results of caw" in capsys.readouterr().err
    named = make_job("train", [tmp_path / "ann/a.wav"], f"{tmp_path}/{{folder}}-{{stem}}{{ext}}", {"minutes": "2"})
    assert named.output == tmp_path / "ann-a.pt"
    assert named.arguments[:2] == ("--minutes", "2")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"minutes": "soon"}, "--minutes: 'soon' is not a valid number"),
        ({"material": "noise"}, "--material: 'noise' is not one of"),
        ({"minutes": ["1", "2"]}, "--minutes takes one value, not 2"),
        (
            {"preset": "{speaker}.toml"},
            "there is no field {speaker}; fields: {ext}, {folder}, {parent}, {stem}, {task}",
        ),
    ],
)
def test_what_no_job_could_do_is_refused_at_once(options: dict[str, str], complaint: str) -> None:
    with pytest.raises(CawUsageError) as raised:
        make_job("train", [Path("a.wav")], "{stem}.pt", options)
    assert complaint in str(raised.value)


@pytest.mark.parametrize("command", ["train", "bwe", "denoise", "generate", "inpaint", "process", "vary"])
def test_every_command_that_makes_a_file_of_files_takes_jobs(command: str) -> None:
    wanted = {option.opts[-1].lstrip("-"): "x.pt" for option in signature(command).options if option.required}
    planned = make_job(command, [Path("a.wav")], "out/{task}{ext}", wanted)
    assert planned.output.name == f"{command}.pt" if command == "train" else f"{command}.wav"
    assert str(Path("a.wav").absolute()) in planned.arguments


def test_a_command_that_makes_no_file_is_refused() -> None:
    with pytest.raises(CawUsageError, match="caw plugins does not make a file of files"):
        make_job("plugins", [Path("a.wav")], "{stem}.pt", {})
    with pytest.raises(CawUsageError, match="caw bwe needs --model"):
        make_job("bwe", [Path("a.wav")], "{stem}.wav", {})


def test_jobs_that_cannot_be_done_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CawUsageError, match="two jobs write"):
        check_jobs([job("a.pt"), job("a.pt")])
    with pytest.raises(CawUsageError, match="written over what it is made of"):
        check_jobs([job("a.pt", "a.pt")])
    with pytest.raises(CawUsageError, match="does not exist, and no job makes it"):
        check_jobs([job("a.pt", "missing.wav")])
    with pytest.raises(CawUsageError, match="in a circle"):
        require_order([job("a.pt", "b.pt"), job("b.pt", "a.pt")])


def test_shards_share_all_jobs_and_keep_together_what_belongs_together() -> None:
    jobs = [job("a.pt"), job("b.pt"), job("c.pt"), job("a1", "a.pt"), job("b1", "b.pt"), job("a2", "a.pt")]
    shards = [[str(one.output) for one in shard_of(jobs, index, 2)] for index in (1, 2)]
    assert shards == [["a.pt", "c.pt", "a1", "a2"], ["b.pt", "b1"]]
    assert shard_of(jobs, 4, 4) == []


def test_rows_say_what_is_wrong_with_them(tmp_path: Path) -> None:
    table = tmp_path / "jobs.csv"
    for text, complaint in [
        ("command,input\ntrain,a.wav\n", "line 2: it lacks 'output'"),
        ("command,input,output,minuts\ntrain,a.wav,a.pt,2\n", "'minuts' is neither an option of caw train"),
        ("command,input,output\ntrain,a.wav,a.pt,2\n", "line 2: more cells than columns"),
        ("command,input,output\ntrian,a.wav,a.pt\n", "no command 'trian'; did you mean 'train'?"),
        ("command,input,output,resume\ntrain,a.wav,a.pt,true\n", "'resume' is neither an option"),
        ("command,input,output,metadata,model\nbwe,a.wav,b.wav,perhaps,m.pt\n", "'perhaps' is neither true nor false"),
        ("command,input,output\ngenerate,a.pt;b.pt,a.wav\n", "caw generate takes one input, not 2"),
        ("command,input,output\n", "has no jobs"),
    ]:
        table.write_text(text)
        with pytest.raises(CawUsageError) as raised:
            read_jobs(table)
        assert complaint in str(raised.value)


def test_csv_and_toml_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text("command,input,output,minutes,who\ntrain,a.wav;b.wav,{who}.pt,2,ann\n")
    (tmp_path / "jobs.toml").write_text(
        '[[job]]\ncommand = "train"\nclips = ["a.wav", "b.wav"]\noutput = "{who}.pt"\nminutes = 2\nwho = "ann"\n'
    )
    planned = read_jobs(tmp_path / "jobs.csv")
    assert planned == read_jobs(tmp_path / "jobs.toml")
    assert [path.name for path in planned[0].reads] == ["a.wav", "b.wav"]


def test_a_run_skips_what_is_finished_and_does_again_what_has_changed(jobs: EchoJobs) -> None:
    jobs.write(2)
    arguments = ("echo", "in/000.txt", "in/001.txt", "-o", "out/{stem}.txt", "--shard", "1/1", "--also", "model")
    (jobs.folder / "model").write_text("m")
    assert batch(jobs, *arguments)[:2] == (0, "done    2\n")
    assert batch(jobs, *arguments)[:2] == (0, "skipped 2  finished earlier\n")
    assert jobs.outputs() == {"000.txt": "0m", "001.txt": "1m"}
    (jobs.folder / "in" / "001.txt").write_text("new")
    assert batch(jobs, *arguments)[:2] == (0, "done    1\nskipped 1  finished earlier\n")
    (jobs.folder / "model").write_text("n")
    assert batch(jobs, *arguments)[1] == "done    2\n"
    assert batch(jobs, *arguments, "--loud")[1] == "done    2\n"
    assert jobs.outputs() == {"000.txt": "0N", "001.txt": "NEWN"}
    (jobs.folder / "out" / "000.txt").write_text("my own edit")
    code, shown, _ = batch(jobs, *arguments, "--loud")
    assert (code, shown.splitlines()[:2]) == (1, ["skipped 1  finished earlier", "failed  1"])
    assert "not as caw batch made it; --force replaces it" in shown
    assert batch(jobs, *arguments, "--loud", "--force")[0] == 0


def test_rows_need_each_other_and_failures_are_kept(jobs: EchoJobs) -> None:
    jobs.write(1)
    (jobs.folder / "jobs.csv").write_text(TABLE)
    arguments = ("run", "jobs.csv", "--shard", "1/1", "--json")
    (jobs.folder / "stop").touch()
    code, shown, said = batch(jobs, *arguments)
    first, second = json.loads(shown)["failed"]
    assert (code, said.splitlines()[-1]) == (1, "caw: error: 2 of 2 jobs failed")
    assert "stop is in the way" in first["error"]
    assert second["error"].startswith("needs ") and second["error"].endswith("ann-000.txt, which failed")
    (jobs.folder / "stop").unlink()
    assert "--retry-failed tries again" in batch(jobs, *arguments)[1]
    assert jobs.executions() == ["ann-000.txt"]
    assert batch(jobs, *arguments, "--retry-failed")[0] == 0
    assert jobs.outputs() == {"ann-000.txt": "0B", "second.txt": "0Bc"}


def test_without_dask_it_says_how_to_install_it(jobs: EchoJobs) -> None:
    jobs.write(1)
    hidden = jobs.folder / "packages" / "sitecustomize.py"
    hidden.write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'distributed' else find(name, *more)\n"
    )
    code, _, said = batch(jobs, "echo", "in/000.txt", "-o", "out/")
    assert code == 1
    assert said == "caw: error: caw batch needs Dask: pip install 'caw-toolkit[batch]'; --shard I/N works without\n"
