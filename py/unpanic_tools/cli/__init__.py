"""The command `unpanic`: a file for each verb, and `app.py`, which puts them together.

Owns: arguments, what is printed, exit codes, and the messages of the command.
May know everything in `unpanic_tools`, which knows nothing of the command.
"""

from .app import main

__all__ = ["main"]
