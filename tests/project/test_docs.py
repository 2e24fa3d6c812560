from __future__ import annotations

import re
from pathlib import Path

import check_docs
import pytest

from paths import ROOT

_POINTER = re.compile(r"(docs/[\w/-]+\.md)(?:#([\w-]+))?")


@pytest.mark.parametrize("path", check_docs.PAGES, ids=lambda path: str(path.relative_to(check_docs.ROOT)))
def test_help_texts_are_current_and_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert check_docs.with_current_help(text) == text, "run tests/project/check_docs.py --write"
    assert check_docs.dead_links(path) == []


def test_an_outdated_help_text_is_found() -> None:
    page = "<!-- help: caw plugins -->\n```text\nold\n```\nend\n"
    current = check_docs.with_current_help(page)
    assert "Usage: caw plugins" in current and "old" not in current and current.endswith("```\nend\n")
    assert check_docs.with_current_help(current) == current


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](page.md) [b](https://example.org) [c](missing.md#top)\n```\n[d](code.md)\n```\n")
    assert check_docs.dead_links(page) == ["missing.md"]


def test_a_link_to_a_heading_that_is_not_there_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# The `caw_x/`, it's [a](page.md#b)\n## B\n## B\n[c](#b-1) [d](#b-2) [e](page.md#b)\n")
    assert check_docs.anchors(page.read_text()) == {"the-caw_x-its-a", "b", "b-1"}
    assert check_docs.dead_links(page) == ["#b-2"]


@pytest.mark.parametrize("folder", ["caw_toolkit", "plugins", "presets", "benchmarks", "examples"])
def test_pointers_of_comments_lead_to_a_heading(folder: str) -> None:
    """`docs/decisions.md` is too long to be pointed to as a whole."""
    for path in (*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.toml")):
        for page, anchor in _POINTER.findall(path.read_text(encoding="utf-8")):
            assert (ROOT / page).is_file(), f"{path}: {page}"
            assert anchor or page != "docs/decisions.md", f"{path} points to docs/decisions.md without a heading"
            assert not anchor or anchor in check_docs.anchors((ROOT / page).read_text(encoding="utf-8")), path


def test_the_contents_of_the_decisions_have_all_sections() -> None:
    page = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    contents = page.partition("## Contents\n")[2].partition("\n## ")[0]
    assert check_docs.anchors(page) - set(re.findall(r"\(#([\w-]+)\)", contents)) == {"decisions", "contents"}
