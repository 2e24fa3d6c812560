"""Code that the guide for plugin authors quotes is that of the examples."""

from __future__ import annotations

import re

from paths import ROOT

GUIDE = (ROOT / "docs" / "plugin-author-guide.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "caw-plugin-linear" / "caw_linear"


def test_the_chapter_on_the_engine_quotes_its_example() -> None:
    chapter = GUIDE.split("## An objective and a generator", 1)[1].split("\n## ", 1)[0]
    sources = [path.read_text(encoding="utf-8") for path in EXAMPLE.iterdir() if path.suffix in (".py", ".toml")]
    quoted = re.findall(r"^```(?:python|toml)\n(.*?)^```", chapter, re.MULTILINE | re.DOTALL)
    assert len(quoted) >= 4
    for code in quoted:
        assert any(code in source for source in sources), code
