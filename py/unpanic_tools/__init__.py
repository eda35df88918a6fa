"""What unpanic offers on a desktop: the command line, stubs, and what reads Wasm files for them.

May know `unpanic`; nothing in `unpanic` but `python -m unpanic` knows it, because Pyodide installs without it.
"""
