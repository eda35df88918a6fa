"""What crosses between Python and JavaScript, and the only way there.

Owns: the runtime's verbs and messages as types, the browser, the exceptions that stand for crashes.
May know the errors and what every package needs; knows no conversion, no policy and no export.
"""
