"""Docstrings as Markdown shows them: an extension of Griffe, which reads them for the site."""

from __future__ import annotations

import re
from typing import Any

import griffe

_DOCTEST = re.compile(r"^(?P<indent> *)>>> .*(?:\n(?P=indent)\S.*)*", re.MULTILINE)
_VERSION_ADDED = re.compile(r"^\.\. versionadded:: ([\d.]+)$", re.MULTILINE)


def as_markdown(docstring: str) -> str:
    r"""A docstring with fences around its doctests, and the version that it names in words.

    >>> as_markdown("Add.\n\n.. versionadded:: 0.1")
    'Add.\n\n*New in version 0.1.*'
    """
    fenced = _DOCTEST.sub(lambda match: f"{match['indent']}```pycon\n{match[0]}\n{match['indent']}```", docstring)
    return _VERSION_ADDED.sub(r"*New in version \1.*", fenced)


class MarkdownDocstrings(griffe.Extension):
    """Rewrites each docstring as soon as it is read."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)
