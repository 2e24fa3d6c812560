"""Hooks of MkDocs: what the site has that is not a page of docs/.

* Pages that stand elsewhere in the tree. Links between all pages are those that work in the tree.
* The reference of the public names: a page for each module that docs/api.md lists.
* The reference of the commands.
"""

from __future__ import annotations

import logging
import os
import posixpath
import re
from functools import partial
from pathlib import Path

import command_tree  # noqa: F401 -- mkdocs-click finds it among the loaded modules
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_log = logging.getLogger("mkdocs.plugins.site_hooks")

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
OUTSIDE = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    *(str(path.relative_to(ROOT)) for path in ROOT.glob("examples/*/README.md")),
)

COMMANDS = """# Commands

What `caw COMMAND --help` shows. The [guide](guide.md) says what to turn.

::: mkdocs-click
    :module: command_tree
    :command: caw
    :depth: 1
"""

_SECTION = re.compile(r"^## `(?P<module>[\w.]+)`$(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `(?P<name>\w+)` \|", re.MULTILINE)
_HREF = re.compile(r'href="(?P<target>[^":#]+\.(?:md|ipynb))"')
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> None:
    """Add the pages of modules to the section of the navigation that has the API."""
    assert config.nav is not None
    (reference,) = (section["Reference"] for section in config.nav if "Reference" in section)
    reference.append({"Modules": [{module: f"reference/{module}.md"} for module in _sections()]})


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages that are not in docs/."""
    for name in OUTSIDE:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    for module, text in _sections().items():
        files.append(File.generated(config, f"reference/{module}.md", content=_module_page(module, text)))
    files.append(File.generated(config, "reference/commands.md", content=COMMANDS))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make links that work in the tree work in the site, and link names of the API to their reference."""
    if page.file.src_uri == "api.md":
        markdown = _SECTION.sub(lambda section: _with_links(section[0], section["module"]), markdown)
    origin = Path(page.file.abs_src_path or DOCS / "api.md")  # what has no file is made of that page
    return _LINK.sub(partial(_link_within_site, origin=origin, page=page, files=files), markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make links of notebooks, which are converted without MkDocs, lead to pages of the site."""
    return _HREF.sub(partial(_link_of_notebook, page=page, files=files), html)


def _sections() -> dict[str, str]:
    """What docs/api.md says of each module: a line and a table of names."""
    page = (DOCS / "api.md").read_text(encoding="utf-8")
    return {match["module"]: match["text"] for match in _SECTION.finditer(page)}


def _module_page(module: str, text: str) -> str:
    """A module's section of docs/api.md, and the docstring of each of its names."""
    docstrings = [f"::: {module}.{name}" for name in _ROW.findall(text)]
    return "\n\n".join([f"# {module}", _with_links(text, module).strip(), *docstrings, ""])


def _with_links(text: str, module: str) -> str:
    """The table of a module's names, each a link to its docstring."""
    return _ROW.sub(rf"| [`\g<name>`](reference/{module}.md#{module}.\g<name>) |", text)


def _link_within_site(link: re.Match[str], *, origin: Path, page: Page, files: Files) -> str:
    """A link from one place in the tree to another as one of the site; the text alone if the target is not in it."""
    target = Path(os.path.normpath(origin.parent / link["target"]))
    uri = target.relative_to(DOCS if target.is_relative_to(DOCS) else ROOT).as_posix()
    if files.get_file_from_path(uri) is None:
        return link["text"] if target.exists() else link[0]
    return f"[{link['text']}]({posixpath.relpath(uri, posixpath.dirname(page.file.src_uri))}{link['anchor'] or ''})"


def _link_of_notebook(link: re.Match[str], *, page: Page, files: Files) -> str:
    uri = posixpath.normpath(posixpath.join(posixpath.dirname(page.file.src_uri), link["target"]))
    file = files.get_file_from_path(uri)
    if file is None:
        _log.warning("%s links to %s, which is not in the site", page.file.src_uri, link["target"])
        return link[0]
    return f'href="{file.url_relative_to(page.file)}"'
