"""A crash for packages that no input crashes: an import throws once."""

THROW_ONCE = """
(() => {
  const { decode } = TextDecoder.prototype;
  TextDecoder.prototype.decode = function (...input) {
    // This is how the glue of wasm-bindgen makes its decoder, and nobody else does.
    if (!this.fatal || !this.ignoreBOM) return decode.apply(this, input);
    TextDecoder.prototype.decode = decode;
    throw new Error("injected");
  };
  return () => { TextDecoder.prototype.decode = decode; };
})()
"""


def decoding_throws(function, *arguments):
    """Calls a function of a module while the glue cannot read text, once.

    The function must have JavaScript make a string from Rust's text before it returns: for an error, or for a value in
    an object. The exception passes through Rust, which cannot clean up.
    """
    from pyodide.code import run_js

    restore = run_js(THROW_ONCE)
    try:
        function(*arguments)
    finally:
        restore()
