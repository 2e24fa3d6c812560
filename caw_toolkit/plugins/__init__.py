"""The plugin host: finds plugins, loads them one by one, and keeps a broken one from harming anything else.

`get_host()` is the host of the process. What plugins may use is below; the other modules belong to the host.
"""

from caw_toolkit.plugins.host import PluginHost, get_host
from caw_toolkit.plugins.records import PluginError, PluginOrigin, PluginProblem, PluginRecord, Registration

__all__ = [
    "PluginError",
    "PluginHost",
    "PluginOrigin",
    "PluginProblem",
    "PluginRecord",
    "Registration",
    "get_host",
]
