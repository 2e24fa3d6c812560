"""The files that a page is made of, and filling them in: whatever is no HTML yet is escaped."""

from __future__ import annotations

import html
import importlib.resources
from collections.abc import Iterable, Mapping
from string import Template

from caw_toolkit.errors import printable


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(value: object) -> Html:
    r"""A value as HTML shows it: nothing in it is markup, and characters that cannot be shown are written as escapes.

    >>> escaped("<b>\x1b"), escaped(Html("<b>"))
    ('&lt;b&gt;\\x1b', '<b>')
    """
    return value if isinstance(value, Html) else Html(html.escape(printable(str(value))))


def asset(name: str) -> str:
    """The text of a file of this package."""
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def filled(template: str, **values: object) -> Html:
    """A template with its values, escaped unless they are HTML.

    >>> filled("<p>$text</p>", text="1 < 2")
    '<p>1 &lt; 2</p>'
    """
    return Html(Template(template).substitute({name: escaped(value) for name, value in values.items()}))


def joined(parts: Iterable[Html], separator: str = "\n") -> Html:
    """HTML put together."""
    return Html(separator.join(parts))


def description_list(facts: Mapping[str, object]) -> Html:
    """Names and values; nothing if there are none."""
    rows = joined(filled("<dt>$name</dt><dd>$value</dd>", name=name, value=value) for name, value in facts.items())
    return filled("<dl>$rows</dl>", rows=rows) if facts else Html()
