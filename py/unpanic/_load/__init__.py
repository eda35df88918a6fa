"""Loading: `unpanic.load` and `unpanic.load_sync`, from what the user passes to a module under supervision.

Owns: the options of a load and their checks, files and URLs, and the order in which a module is put together.
May know every package but `service`, and `_importing`, which gives a loaded module its place in Python's imports.
"""
