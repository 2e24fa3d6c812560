"""Checks that help texts quoted in the documentation are current and that links between its pages lead somewhere.

A fenced block that follows `<!-- help: caw train -->` holds the output of `caw train --help`. Run as a script, this
reports what is wrong; with `--write` it brings the help texts up to date.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from click.testing import CliRunner

from caw_toolkit.cli import main as caw

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").rglob("*.md")]))

_HELP = re.compile(r"(<!-- help: caw(?P<command>[^\n]*?) *-->\n```text\n)(?P<text>.*?)(```)", re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")
_HEADING = re.compile(r"^#{1,6} (?P<title>.+)$", re.MULTILINE)
_LINK_TEXT = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def help_text(command: str) -> str:
    """Output of `caw COMMAND --help`, 80 columns wide."""
    result = CliRunner().invoke(caw, [*command.split(), "--help"], terminal_width=80)
    if result.exit_code:
        raise RuntimeError(f"caw{command} --help failed: {result.output}")
    return result.stdout


def with_current_help(page: str) -> str:
    """The text of a page, its help texts brought up to date."""
    return _HELP.sub(lambda match: match[1] + help_text(match["command"]) + match[4], page)


def anchors(page: str) -> set[str]:
    """Anchors of a page's headings, as GitHub and the site make them of their titles."""
    slugs = [
        re.sub(r"[^\w\- ]", "", _LINK_TEXT.sub(r"\1", match["title"]).lower()).replace(" ", "-")
        for match in _HEADING.finditer(_FENCE.sub("", page))
    ]
    return {f"{slug}-{before}" if (before := slugs[:place].count(slug)) else slug for place, slug in enumerate(slugs)}


def dead_links(path: Path) -> list[str]:
    """Relative links of a page that lead nowhere, or to a heading that isn't there."""
    dead = []
    for match in _LINK.finditer(_FENCE.sub("", path.read_text(encoding="utf-8"))):
        target, anchor = path.parent / match["target"] if match["target"] else path, match["anchor"]
        if "://" in match["target"]:
            continue
        is_missing = not target.exists()
        if is_missing or (anchor and target.suffix == ".md" and anchor not in anchors(target.read_text("utf-8"))):
            dead.append(match["target"] + (f"#{anchor}" if anchor and not is_missing else ""))
    return dead


def run(write: bool) -> int:
    """Check all pages, or bring them up to date; returns the exit code."""
    complaints = []
    for path in PAGES:
        old = path.read_text(encoding="utf-8")
        new = with_current_help(old)
        name = path.relative_to(ROOT)
        if old != new and write:
            path.write_text(new, encoding="utf-8")
        elif old != new:
            complaints.append(f"{name}: help texts are out of date; run tests/project/check_docs.py --write")
        complaints += [f"{name}: dead link {target}" for target in dead_links(path)]
    print("\n".join(complaints) or f"{len(PAGES)} pages are current")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(run("--write" in sys.argv[1:]))
