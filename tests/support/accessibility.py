"""What axe-core finds wrong with a page for people who don't see it, hear it or use a mouse."""

from __future__ import annotations

from itertools import product
from typing import Any

#: Browsers that pages are looked at in: width and height in pixels, and colours.
LOOKS = tuple(product([(360, 740), (1280, 900)], ["light", "dark"]))
_GRAVE = ("serious", "critical")


def grave_faults(page: Any) -> list[str]:
    """Faults of a Playwright page that axe-core calls serious or critical: a line for each element.

    The script is evaluated from outside, which the page's own policy neither hinders nor has to allow.
    """
    from axe_playwright_python.sync_playwright import Axe

    violations = Axe().run(page).response["violations"]
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:200]}: {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in _GRAVE
        for node in violation["nodes"]
    ]
