"""Values on their way into Rust and out of it.

Owns: the conversion of every kind of value, drafts of arguments, and what Rust wrote into them.
May know `_bridge`; knows neither exports nor recovery: what it needs of a module comes as a context.
"""
