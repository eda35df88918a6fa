"""The bridge between Python and JavaScript, and the only way from one to the other.

Owns the messages and the driver's verbs as types, the browser, and the exceptions that stand for crashes.
It may know the errors and the modules that every package needs; it knows no conversion, no policy and no export.
"""
