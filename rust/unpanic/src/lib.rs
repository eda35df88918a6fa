//! A panic hook for modules built with `wasm-bindgen`: every panic reaches JavaScript as one structured `Error`.
//!
//! It takes one line in the crate that is compiled to Wasm:
//!
//! ```ignore
//! use unpanic as _;
//! ```
//!
//! # Why
//!
//! On `wasm32-unknown-unknown` a panic's message has nowhere to go: the caller sees `RuntimeError: unreachable` and nothing
//! else. Only code inside the module knows the message and the place, and only while the panic is being raised. The
//! line above therefore links two things into the module:
//!
//! - a start function that sets the panic hook. The hook belongs to the instance, so an instance made by a reset has
//!   its own hook from the first moment. The function coexists with a start function of your own;
//! - the export `setPanicHook(fn)`, which registers the JavaScript function that gets the panics. The registration
//!   lives in the instance, so code that resets the module has to register again.
//!
//! The function gets one `Error` with own properties `message`, `payloadType`, `file`, `line`, `column`, and the `stack`
//! that the engine captures, including Rust frames. Without a function the hook writes the panic to `console.error`.
//!
//! # Recoverable panics
//!
//! With `panic=unwind` the hook runs, then destructors run, then the export throws a `PanicError`, and the instance
//! goes on. With `panic=abort`, the default, the hook runs, and then the instance traps. The hook only reports, and
//! recovers nothing: the instance holds the unfinished work of the panicking code, and should be replaced.
//!
//! # Hard aborts
//!
//! A trap (`unreachable`, a wild access, a division), `std::process::abort`, stack overflow, a failed allocation and a
//! JavaScript exception that flies through Rust frames are no panics, so no hook sees them, in any build. The hook also
//! does not see `throw_str` and `unwrap_throw`, which throw a JavaScript exception, or a panic in a start function that
//! happens to run before this crate's: call [`install`] there first.
//!
//! # Guarantees of the hook
//!
//! - It makes no copies: a message goes out as it is, and other text goes through a fixed buffer, which may cut it.
//! - It never panics itself, and it drops an exception of the JavaScript function.
//! - A panic during the hook (the function called Rust, which panicked) never enters the hook again. The standard
//!   library turns that panic into an abort, which becomes an exception of the function, and the first panic continues.

#![deny(missing_docs)]

use std::any::Any;
use std::cell::RefCell;
use std::fmt::Write;
use std::panic::{self, PanicHookInfo};

use wasm_bindgen::prelude::*;

mod text;

use text::Text;

// These few bindings replace js-sys, because a helper crate should have few dependencies.
#[wasm_bindgen]
extern "C" {
    /// A JavaScript function that is to hear of panics.
    #[wasm_bindgen(js_name = Function, typescript_type = "((panic: Panic) => void)")]
    #[derive(Clone)]
    pub type PanicHook;

    #[wasm_bindgen(method, catch, js_name = call)]
    fn call(this: &PanicHook, this_arg: &JsValue, panic: &Error) -> Result<JsValue, JsValue>;

    type Error;

    #[wasm_bindgen(constructor)]
    fn new(message: &str) -> Error;

    #[wasm_bindgen(static_method_of = Error, getter, js_name = stackTraceLimit)]
    fn stack_trace_limit() -> JsValue;

    #[wasm_bindgen(static_method_of = Error, setter, catch, js_name = stackTraceLimit)]
    fn set_stack_trace_limit(limit: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, setter, js_name = payloadType)]
    fn set_payload_type(this: &Error, name: &str);

    #[wasm_bindgen(method, setter)]
    fn set_file(this: &Error, file: &str);

    #[wasm_bindgen(method, setter)]
    fn set_line(this: &Error, line: u32);

    #[wasm_bindgen(method, setter)]
    fn set_column(this: &Error, column: u32);

    #[wasm_bindgen(catch, js_namespace = console, js_name = error)]
    fn console_error(text: &str) -> Result<(), JsValue>;
}

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What the function given to `setPanicHook` gets. */
export interface Panic extends Error {
    /** The Rust type of the panic's payload: `&str` and `String` for messages. */
    payloadType: string;
    file: string;
    line: number;
    column: number;
}
"#;

thread_local! {
    static HOOK: RefCell<Option<PanicHook>> = const { RefCell::new(None) };
}

/// Names the JavaScript function that is called at every panic of this instance; `undefined` brings back `console.error`.
#[wasm_bindgen(js_name = setPanicHook)]
pub fn set_panic_hook(hook: Option<PanicHook>) {
    HOOK.with(|slot| slot.replace(hook));
}

/// Sets the panic hook. It happens by itself at the start of every instance, in no promised order with other start
/// functions; call it in one of yours that may panic. Twice does no harm.
pub fn install() {
    panic::set_hook(Box::new(report));
}

// The name becomes a symbol of the module, so it must not be one that a user's crate may take. Glue has it among its
// exports, which does no harm; the attribute `private`, which keeps it out, came after the oldest wasm-bindgen here.
#[wasm_bindgen(start, skip_typescript)]
fn __unpanic_start() {
    install();
}

fn report(panic: &PanicHookInfo<'_>) {
    let mut buffer = Text::default();
    let (payload_type, message) = describe(panic.payload(), &mut buffer);
    let (file, line, column) =
        panic.location().map_or(("", 0, 0), |place| (place.file(), place.line(), place.column()));

    // The hook calls a clone, so that the function itself may call `setPanicHook`.
    let hook = HOOK.try_with(|slot| slot.try_borrow().ok().and_then(|hook| hook.clone()));
    // An exception below is dropped, because the caller has to see the panic itself.
    let Ok(Some(hook)) = hook else {
        let mut text = Text::default();
        let _ = write!(text, "panicked at {file}:{line}:{column}:\n{message}");
        let _ = console_error(text.as_str());
        return;
    };

    let error = error_with_stack(message);
    error.set_payload_type(payload_type);
    error.set_file(file);
    error.set_line(line);
    error.set_column(column);
    let _ = hook.call(&JsValue::UNDEFINED, &error);
}

/// V8 keeps ten frames, and panicking alone takes nine of them.
const STACK_FRAMES: f64 = 100.0;

fn error_with_stack(message: &str) -> Error {
    let limit = Error::stack_trace_limit();
    // Other engines have a larger limit, or none.
    if !limit.as_f64().is_some_and(|limit| limit < STACK_FRAMES) {
        return Error::new(message);
    }
    let _ = Error::set_stack_trace_limit(&STACK_FRAMES.into());
    let error = Error::new(message);
    let _ = Error::set_stack_trace_limit(&limit);
    error
}

/// The name of the payload's type, and its text.
fn describe<'a>(payload: &'a (dyn Any + Send), buffer: &'a mut Text) -> (&'static str, &'a str) {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        return ("&str", text);
    }
    if let Some(text) = payload.downcast_ref::<String>() {
        return ("String", text);
    }
    macro_rules! printed {
        ($($primitive:ident)*) => {$(
            if let Some(value) = payload.downcast_ref::<$primitive>() {
                let _ = write!(buffer, "{value}");
                return (stringify!($primitive), buffer.as_str());
            }
        )*};
    }
    // Printing these rare payloads would add 20 kB of formatting code to every module.
    macro_rules! named {
        ($($primitive:ident)*) => {$(
            if payload.is::<$primitive>() {
                return (stringify!($primitive), OPAQUE);
            }
        )*};
    }
    printed!(bool char i8 i16 i32 i64 isize u8 u16 u32 u64 usize);
    named!(f32 f64 i128 u128);
    (OPAQUE, OPAQUE)
}

/// Replaces a payload that cannot be shown.
const OPAQUE: &str = "Box<dyn Any>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_named_by_their_type() {
        let mut buffer = Text::default();
        assert_eq!(describe(&"text", &mut buffer), ("&str", "text"));
        assert_eq!(describe(&String::from("text"), &mut buffer), ("String", "text"));
        assert_eq!(describe(&(), &mut buffer), ("Box<dyn Any>", "Box<dyn Any>"));
        assert_eq!(describe(&1.5_f64, &mut buffer), ("f64", "Box<dyn Any>"));
        assert_eq!(describe(&-7_i32, &mut buffer), ("i32", "-7"));
    }
}
