"""What `caw` says to whoever types, in words for whoever doesn't: files by their names, controls instead of options."""

from __future__ import annotations

import re
from collections.abc import Mapping

from caw_studio.library import SESSION, Library

#: Where a message ends with advice to type, what to do on the page.
ADVICE: Mapping[str, str] = {
    "choose a part with --start and --duration": "mark a shorter part on the picture, and tick “Only what is marked”",
    "mix it down first, for example with sox": "mix it down in an audio editor first",
    "give it more --minutes": "train again, for longer",
}
_PREFIX = re.compile(r"^(caw: )?(error|warning): ", re.IGNORECASE)


def in_words_of_the_page(message: str, library: Library) -> str:
    """A message as the page shows it.

    Args:
        message: that `caw` has for its terminal.
        library: whose files it may name.

    >>> from pathlib import Path
    >>> library = Library(Path("/music"))
    >>> in_words_of_the_page("caw: error: /music/.caw-studio/uploads/a.wav is empty (0 bytes)", library)
    'a.wav is empty (0 bytes)'
    """
    said = _PREFIX.sub("", message)
    folder, session = re.escape(f"{library.folder}/"), re.escape(f"{SESSION}/")
    said = re.sub(rf"({folder})?{session}(uploads|clips|jobs/\d+)/|{folder}", "", said)
    for advice, instead in ADVICE.items():
        said = said.replace(advice, instead)
    return said
