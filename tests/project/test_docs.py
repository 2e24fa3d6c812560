from __future__ import annotations

from pathlib import Path

import check_docs
import pytest


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
