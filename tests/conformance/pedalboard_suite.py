"""Runs pedalboard's own tests, from a checkout of its repository, against the boards of the toolkit.

    python tests/conformance/pedalboard_suite.py --suite ~/src/pedalboard

The names `Pedalboard`, `Mix` and `Chain` of the module `pedalboard` are replaced before the tests import them. Tests
of files, of plugins from files, of notes, of memory and of type stubs are left out: no board is in them. Printed are
the tests that passed, those that failed, and of these the ones that fail with pedalboard's own classes as well.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

LEFT_OUT = (
    *("audio_stream", "external_plugins", "io", "io_threading", "memory_leaks", "midi_utils", "resampled_io"),
    *("tensorflow", "type_hints"),
)

REPLACING = """\
import os
import pedalboard
import caw_toolkit

for name in filter(None, os.environ["CAW_REPLACED"].split(",")):
    setattr(pedalboard, name, getattr(caw_toolkit, name))
"""


def outcomes(suite: Path, replaced: Sequence[str]) -> tuple[int, set[str]]:
    """How many tests pass, and which fail, with these names replaced."""
    files = sorted(
        path for path in (suite / "tests").glob("test_*.py") if path.stem.removeprefix("test_") not in LEFT_OUT
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "caw_replacing.py").write_text(REPLACING, encoding="utf-8")
        report = Path(folder, "report.xml")
        paths = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
        command = (sys.executable, "-m", "pytest", "-q", "-p", "caw_replacing", "-p", "no:cacheprovider")
        options = ("--continue-on-collection-errors", "-c", os.devnull)
        subprocess.run(
            [*command, *options, f"--rootdir={suite}", f"--junitxml={report}", *files],
            cwd=suite,
            env={**os.environ, "PYTHONPATH": paths, "CAW_REPLACED": ",".join(replaced)},
            stdout=sys.stderr,
            check=False,
        )
        cases = list(ElementTree.parse(report).iter("testcase"))
    bad = {
        f"{case.get('classname')}::{case.get('name')}"
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    }
    skipped = sum(case.find("skipped") is not None for case in cases)
    return len(cases) - skipped - len(bad), bad


def main() -> int:
    """Print the table; 1 if something fails that does not fail natively as well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", type=Path, required=True, help="checkout of pedalboard's repository")
    suite = parser.parse_args().suite.resolve()
    passed, native = outcomes(suite, ())
    if not passed:
        sys.exit("no test of the suite passes with pedalboard itself: is this a checkout of its repository?")
    print(f"{'replaced':<24}  {'passed':>6}  {'failed':>6}  failed natively too")
    print(f"{'nothing':<24}  {passed:>6}  {len(native):>6}")
    new: set[str] = set()
    for replaced in (("Pedalboard",), ("Pedalboard", "Mix", "Chain")):
        passed, failed = outcomes(suite, replaced)
        print(f"{', '.join(replaced):<24}  {passed:>6}  {len(failed):>6}  {len(failed & native)}")
        new = failed - native
        for name in sorted(new):
            print(f"    {name}")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
