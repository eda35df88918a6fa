"""Makes a kept crash again, in Pyodide under Node.

Owns: the program for Node (`node.mjs`), the Python that runs there (`inside.py`), and what they answer.
May know nothing of the command: it prints nothing, and raises `NotReplayed`.
"""

from .node import NotReplayed, Outcome, replay

__all__ = ["NotReplayed", "Outcome", "replay"]
