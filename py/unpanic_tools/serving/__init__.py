"""Serves a site on this machine, and tells its open pages what has changed.

Owns: the web server of `unpanic serve` and `unpanic dev`, and the script that it adds to pages.
May know nothing of the command: it prints nothing, and raises what the operating system says.
"""

from .changes import Changes
from .server import listen, make_server, run
from .site import Mount, make_site

__all__ = ["Changes", "Mount", "listen", "make_server", "make_site", "run"]
