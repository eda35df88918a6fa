"""A Rust module's exports as Python has them: functions, classes, enums, constants.

Owns: the user's module and what its attributes are made of.
May know `_bridge`, `_values`, `_declarations`, `_recovery` and `_views`; does not load and does not serve.
"""
