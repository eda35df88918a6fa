"""The plugin for pytest: tests whose bodies run in Pyodide, in a browser.

It knows nothing of crates but how to build the wheel of the project under test.
"""
