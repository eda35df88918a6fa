//! What tracking marks, what it leaves out, and what it refuses.

use unpanic_rewriter::{find_mark, rewrite, Error, Options, Rewritten, Tracked};
use wasmparser::{Validator, WasmFeatures};

const ROLLBACK: Options = Options { deadlines: false, rollback: true, plain: false };
const BOTH: Options = Options { deadlines: true, rollback: true, plain: false };

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's text is right")
}

fn rewritten_with(text: &str, options: Options) -> Rewritten {
    let found = rewrite(&wasm(text), options).expect("it can be rewritten");
    let mut features = WasmFeatures::default();
    features.insert(WasmFeatures::LEGACY_EXCEPTIONS);
    if let Err(error) = Validator::new_with_features(features).validate_all(&found.wasm) {
        panic!("{error} in {}", wasmprinter::print_bytes(&found.wasm).unwrap());
    }
    found
}

/// What comes out is valid, also with deadlines.
fn rewritten(text: &str) -> Rewritten {
    rewritten_with(text, BOTH);
    rewritten_with(text, ROLLBACK)
}

fn printed(text: &str) -> String {
    wasmprinter::print_bytes(rewritten(text).wasm).unwrap()
}

/// How many marks a function with two parameters has.
fn marks(body: &str) -> u32 {
    let imports = "(import \"m\" \"f\" (func $f)) (import \"m\" \"number\" (func $number (result i32)))";
    rewritten(&format!(
        "(module {imports} (memory (export \"memory\") 1) (func (param $p i32) (param $q i32) (local $l i32) {body}))"
    ))
    .statistics
    .marks
}

fn refusal(text: &str) -> String {
    match rewrite(&wasm(text), ROLLBACK) {
        Err(Error::Refused(reason)) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn every_kind_of_store_has_a_mark() {
    for (kind, name) in [
        ("i32", "i32.store"),
        ("i32", "i32.store8"),
        ("i32", "i32.store16"),
        ("i64", "i64.store"),
        ("i64", "i64.store8"),
        ("i64", "i64.store16"),
        ("i64", "i64.store32"),
        ("f32", "f32.store"),
        ("f64", "f64.store"),
        ("v128", "v128.store"),
        ("v128", "v128.store8_lane"),
        ("v128", "v128.store16_lane"),
        ("v128", "v128.store32_lane"),
        ("v128", "v128.store64_lane"),
    ] {
        let lane = if name.contains("lane") { "0" } else { "" };
        let value = if kind == "v128" { "v128.const i64x2 0 0".to_owned() } else { format!("{kind}.const 0") };
        // In a local; not in a local; a constant.
        for address in ["local.get $p", "call $number", "i32.const 4096"] {
            assert_eq!(marks(&format!("{address} {value} {name} {lane}")), 1, "{name} at {address}");
        }
    }
}

#[test]
fn a_mark_covers_what_follows_its_address() {
    assert_eq!(
        marks("(i32.store (local.get $p) (i32.const 1)) (i32.store offset=1016 (local.get $p) (i32.const 1))"),
        1
    );
    assert_eq!(
        marks("(i32.store (local.get $p) (i32.const 1)) (i32.store offset=1024 (local.get $p) (i32.const 1))"),
        2
    );
    // Not what is before it.
    assert_eq!(
        marks(
            "(i32.store offset=5000 (local.get $p) (i32.const 1)) (i32.store offset=4996 (local.get $p) (i32.const 1))"
        ),
        2
    );
    let next = "(local.set $l (i32.add (local.get $p) (i32.const 16)))";
    assert_eq!(
        marks(&format!("(i32.store (local.get $p) (i32.const 1)) {next} (i32.store (local.get $l) (i32.const 1))")),
        1
    );
    let back = "(local.set $l (i32.sub (local.get $p) (i32.const 16)))";
    assert_eq!(
        marks(&format!("(i32.store (local.get $p) (i32.const 1)) {back} (i32.store (local.get $l) (i32.const 1))")),
        2
    );
}

#[test]
fn a_mark_stays_over_calls_and_goes_with_its_local() {
    let store = "(i32.store (local.get $p) (i32.const 1))";
    assert_eq!(marks(&format!("{store} call $f {store}")), 1);
    assert_eq!(marks(&format!("{store} (local.set $p (call $number)) {store}")), 2);
    assert_eq!(marks(&format!("{store} (local.set $p (i32.load (local.get $p))) {store}")), 2);
}

#[test]
fn a_mark_holds_where_all_ways_have_made_it() {
    let store = "(i32.store (local.get $p) (i32.const 1))";
    let cases = [
        // Before a branch.
        (format!("{store} (if (local.get $q) (then {store}) (else {store})) {store}"), 1),
        // On one way of two.
        (format!("(if (local.get $q) (then {store})) {store}"), 2),
        (format!("(block (br_if 0 (local.get $q)) {store}) {store}"), 2),
        (format!("(block (br_table 0 0 (local.get $q)) {store}) {store}"), 1),
        // Before the way out.
        (format!("(block {store} (br_if 0 (local.get $q)) (call $f)) {store}"), 1),
        (
            format!(
                "(block (block (br_if 1 (local.get $q)) {store} (br_if 0 (local.get $q)) (call $f)) {store}) {store}"
            ),
            2,
        ),
        // The other way does not come here.
        (format!("(if (local.get $q) (then return) (else {store})) {store}"), 1),
        // What the first of two arms did is forgotten, even if only that one leads on.
        (format!("(block (if (local.get $q) (then {store}) (else (br 1))) {store}) {store}"), 3),
        (format!("(block (if (local.get $q) (then (br 1))) {store})"), 1),
        // Around a loop, and in a loop: what the loop sets is new in each turn.
        (format!("{store} (loop {store} (br_if 0 (local.get $q)))"), 1),
        (format!("(loop {store} {store} (local.set $p (call $number)) (br_if 0 (local.get $q))) {store}"), 2),
        (format!("{store} (loop {store} (local.set $p (i32.const 8)) (br_if 0 (local.get $q)))"), 2),
        // An exception may come from before the store.
        (format!("try call $f {store} catch_all end {store}"), 2),
        (format!("{store} try call $f {store} catch_all {store} end {store}"), 1),
        (format!("(block $l (try_table (catch_all $l) (call $f) {store})) {store}"), 2),
        // A local that is set on the way.
        (format!("{store} (if (local.get $q) (then (local.set $p (call $number)))) {store}"), 2),
        (format!("{store} (block (br_if 0 (local.get $q)) (local.set $p (call $number))) {store}"), 2),
        (format!("{store} (if (local.get $q) (then (local.set $p (call $number)) return)) {store}"), 1),
        (format!("{store} try (local.set $p (call $number)) catch_all end {store}"), 2),
        (
            format!(
                "{store} (block $l (try_table (catch_all $l) (local.set $p (call $number)) (call $f) return)) {store}"
            ),
            2,
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(marks(&body), expected, "{body}");
    }
}

#[test]
fn code_to_which_no_way_leads_stays_valid() {
    for body in [
        "return (i32.store (i32.const 1))",
        "unreachable i32.store (block (i32.store (local.get $p) (i32.const 1))) memory.size drop",
        "(block (br 0) (if (local.get $q) (then (loop (br 0))) (else (call $f)))) (i32.store (local.get $p) (i32.const 1))",
        "unreachable memory.copy memory.fill memory.grow drop",
    ] {
        marks(body);
    }
}

const STACK: &str = "(global $sp (mut i32) (i32.const 65536)) (data (i32.const 65536) \"x\")";

fn with_stack(module: &str) -> Rewritten {
    rewritten(&format!("(module (import \"m\" \"f\" (func $f)) (memory (export \"memory\") 2) {module})"))
}

fn stack_pointer(found: &Rewritten) -> Option<u32> {
    find_mark(&found.wasm).unwrap().unwrap().tracked.unwrap().stack_pointer
}

const PROLOGUE: &str = "(local $fp i32) (global.set $sp (local.tee $fp (i32.sub (global.get $sp) (i32.const 32))))";
const EPILOGUE: &str = "(global.set $sp (i32.add (local.get $fp) (i32.const 32)))";

#[test]
fn stores_into_the_frame_have_no_mark() {
    let store = "(i32.store offset=28 (local.get $fp) (i32.const 1))";
    let found = with_stack(&format!("{STACK} (func {PROLOGUE} {store} {EPILOGUE})"));
    assert_eq!((found.statistics.marks, found.statistics.frame_stores, stack_pointer(&found)), (0, 1, Some(0)));
    // Across the end of the frame: that is not the function's own.
    let beyond = "(i32.store offset=29 (local.get $fp) (i32.const 1))";
    let found = with_stack(&format!("{STACK} (func {PROLOGUE} {beyond} {EPILOGUE})"));
    assert_eq!((found.statistics.marks, found.statistics.frame_stores), (1, 0));
    // At a place in the frame that is not known.
    let index = "(i32.store (i32.add (local.get $fp) (local.get 0)) (i32.const 1))";
    let found = with_stack(&format!("{STACK} (func (param i32) {PROLOGUE} {index} {EPILOGUE})"));
    assert_eq!((found.statistics.marks, found.statistics.frame_stores), (1, 0));
    // A frame that begins at a multiple of 64.
    let aligned = "(local $fp i32) (global.set $sp
        (local.tee $fp (i32.and (i32.sub (global.get $sp) (i32.const 64)) (i32.const -64))))";
    let found = with_stack(&format!("{STACK} (func (local $old i32) {aligned} {store})"));
    assert_eq!(found.statistics.frame_stores, 1);
    // An exception leads to where the frame is still known.
    let found = with_stack(&format!(
        "{STACK}
        (func {PROLOGUE} try call $f catch_all (global.set $sp (local.get $fp)) {store} end {EPILOGUE})"
    ));
    assert_eq!(found.statistics.frame_stores, 1);
}

#[test]
fn a_frame_in_a_local_that_may_hold_something_else_is_none() {
    let store = "(i32.store (local.get $fp) (i32.const 1))";
    let found = with_stack(&format!(
        "{STACK} (func (param i32) {PROLOGUE}
        (if (local.get 0) (then (local.set $fp (i32.const 70000)))) {store})"
    ));
    assert_eq!((found.statistics.marks, found.statistics.frame_stores), (1, 0));
    // Two frames, of which the smaller one counts.
    let found = with_stack(&format!(
        "{STACK} (func (param i32) {PROLOGUE}
        (if (local.get 0) (then (local.set $fp (i32.sub (local.get $fp) (i32.const 32)))))
        (i32.store offset=28 (local.get $fp) (i32.const 1)) (i32.store offset=32 (local.get $fp) (i32.const 1)))"
    ));
    assert_eq!((found.statistics.marks, found.statistics.frame_stores), (1, 1));
}

#[test]
fn where_the_stack_pointer_is_unsure_frames_are_marked() {
    let function = format!("(func (param i32) {PROLOGUE} (i32.store (local.get $fp) (i32.const 1)) {EPILOGUE})");
    let unsure = [
        // It is set to a number of which nothing is known, or to one that is higher.
        format!("{STACK} {function} (func (param i32) (global.set $sp (local.get 0)))"),
        format!("{STACK} {function} (func (global.set $sp (i32.add (global.get $sp) (i32.const 16))))"),
        format!("{STACK} {function} (func (param i32) (global.set $sp (i32.sub (global.get $sp) (local.get 0))))"),
        // Data comes before the stack, or there is none to show what comes first.
        format!("(global $sp (mut i32) (i32.const 65536)) (data (i32.const 1024) \"x\") {function}"),
        format!("(global $sp (mut i32) (i32.const 65536)) {function}"),
        format!(
            "(global $sp (mut i32) (i32.const 65536)) (data \"passive\") (data (i32.const 65536) \"x\") {function}"
        ),
        // No function makes a frame.
        format!(
            "{STACK} (func (local $fp i32) (local.set $fp (global.get $sp)) (i32.store (local.get $fp) (i32.const 1)))"
        ),
    ];
    for module in unsure {
        let found = with_stack(&module);
        assert_eq!((found.statistics.frame_stores, stack_pointer(&found)), (0, None), "{module}");
        assert!(found.statistics.marks > 0, "{module}");
    }
    // The function that glue calls to make room is no reason, as long as nothing else calls it.
    let room = "(func $room (param i32) (result i32)
        (global.set $sp (i32.add (local.get 0) (global.get $sp))) (global.get $sp))";
    let found = with_stack(&format!("{STACK} {function} {room} (export \"room\" (func $room))"));
    assert_eq!(found.statistics.frame_stores, 1);
    let found = with_stack(&format!("{STACK} {function} {room} (func (drop (call $room (i32.const 16))))"));
    assert_eq!(found.statistics.frame_stores, 0);
}

#[test]
fn a_function_that_returns_its_parameter_keeps_the_frame() {
    let copy = "(func $copy (param i32 i32) (result i32)
        (if (local.get 1) (then (memory.fill (local.get 0) (i32.const 0) (local.get 1)))) (local.get 0))";
    let module = |copy: &str| {
        with_stack(&format!(
            "{STACK} {copy} (func {PROLOGUE}
            (local.set $fp (call $copy (local.get $fp) (i32.const 8)))
            (i32.store (local.get $fp) (i32.const 1)) {EPILOGUE})"
        ))
    };
    assert_eq!(module(copy).statistics.frame_stores, 1);
    let other = "(func $copy (param i32 i32) (result i32)
        (if (local.get 1) (then (return (local.get 1)))) (local.get 0))";
    assert_eq!(module(other).statistics.frame_stores, 0);
}

#[test]
fn the_section_tells_what_a_runtime_needs() {
    let text = format!(
        "(module (memory (export \"memory\") 2 10) (table 3 funcref) (global (mut i64) (i64.const 0))
        (global i32 (i32.const 1)) {STACK} (func $start {PROLOGUE}) (start $start))"
    );
    let found = rewritten(&text);
    let mark = find_mark(&found.wasm).unwrap().unwrap();
    assert_eq!(mark.options, ROLLBACK);
    assert_eq!(mark.tracked, Some(Tracked { stack_pointer: Some(2), table_bytes: 1 << 20, pages: 2 }));
    let printed = printed(&text);
    for part in [
        "(memory (;0;) 18 26)",
        "(global $unpanic.cards (;3;) i32 i32.const 131072)",
        "\"__unpanic_cards\" (global $unpanic.cards)",
        "\"__unpanic_mark\" (func $unpanic.mark)",
        "\"__unpanic_global_0\"",
        "\"__unpanic_global_2\" (global $sp)",
        "\"__unpanic_table_0\"",
        "\"__unpanic_start_function\" (func $start)",
    ] {
        assert!(printed.contains(part), "{part} is not in {printed}");
    }
    for part in ["(start ", "\"__unpanic_global_1\"", "(import"] {
        assert!(!printed.contains(part), "{part} is in {printed}");
    }
    assert_eq!(rewrite(&found.wasm, ROLLBACK).unwrap().wasm, found.wasm);
    for options in [BOTH, Options { deadlines: true, rollback: false, plain: false }] {
        let again = rewrite(&found.wasm, options);
        assert!(matches!(again, Err(Error::Refused(reason)) if reason.contains("other options")));
    }
}

/// The plain code of a module, and what of it is printed.
fn plain(text: &str, options: Options) -> Result<String, String> {
    let original = wat::parse_str(text).unwrap();
    let wasm = match rewrite(&original, Options { plain: true, ..options }) {
        Ok(found) => found.wasm,
        Err(error) => return Err(error.to_string()),
    };
    wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all()).validate_all(&wasm).unwrap();
    Ok(wasmprinter::print_bytes(&wasm).unwrap())
}

#[test]
fn plain_code_has_no_state_of_its_own() {
    let text = "(module (import \"m\" \"f\" (func $f)) (import \"m\" \"g\" (global $g i32))
        (memory (export \"memory\") 2 10) (table $t (export \"t\") 3 3 funcref) (table $e 4 externref)
        (global $a (mut i64) (i64.const 0)) (global $b i32 (i32.const 1)) (elem (i32.const 1) $x $f) (data (i32.const 8) \"x\")
        (func $start) (start $start)
        (func $x (export \"x\") (param i32)
            (i32.store (local.get 0) (global.get $b)) (memory.fill (local.get 0) (i32.const 0) (i32.const 5000))
            (table.set $e (i32.const 0) (ref.null extern)) (drop (memory.size)) (global.set $a (i64.const 1))
            (call_indirect $t (i32.const 1)) (loop (br_if 0 (local.get 0)))))";
    for options in [ROLLBACK, BOTH] {
        let tracked = rewrite(&wat::parse_str(text).unwrap(), options).unwrap();
        let exports = wasmprinter::print_bytes(&tracked.wasm).unwrap();
        let found = plain(text, options).unwrap();
        for (name, kind) in [
            ("memory", "memory (;0;) 18 26"),
            ("__unpanic_own_table_0", "table $t (;0;) 3 funcref"),
            ("__unpanic_table_1", "table $e (;1;) 4 externref"),
            ("__unpanic_global_1", "global $a (;1;) (mut i64)"),
            ("__unpanic_constant_2", "global $b (;2;) i32"),
        ] {
            let import = format!("(import \"unpanic\" \"{name}\" ({kind}))");
            assert!(found.contains(&import), "{import} is not in {found}");
            let export = format!("(export \"{}\"", name.replace("own_", ""));
            assert!(exports.contains(&export), "{export} is not in {exports}");
        }
        for part in ["(elem ", "(export \"x\" (func $x))", "call $unpanic.table_set_1", "call $unpanic.size"] {
            assert!(found.contains(part), "{part} is not in {found}");
        }
        for part in ["i32.store8", "call $unpanic.mark", "(data", "(start", "(export \"t\"", "(export \"memory\""] {
            assert!(!found.contains(part), "{part} is in {found}");
        }
        let fuel = "(import \"unpanic\" \"unpanic.fuel\" (global $unpanic.fuel";
        assert_eq!(found.contains(fuel), options.deadlines, "{found}");
    }
}

#[test]
fn there_is_no_plain_code_for_what_instances_cannot_share() {
    let module = |rest: &str| {
        format!("(module (memory (export \"memory\") 1) (table $f 4 funcref) (table $e 4 externref) {rest})")
    };
    for rest in [
        "(elem declare func $x) (func $x (drop (ref.func $x)))",
        "(func (table.set $f (i32.const 0) (ref.null func)))",
        "(func (drop (table.grow $f (ref.null func) (i32.const 1))))",
        "(data \"x\") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1)))",
        "(elem (table $e) (i32.const 0) externref (ref.null extern)) (func)",
        "(tag) (func)",
    ] {
        let text = module(rest);
        rewrite(&wat::parse_str(&text).unwrap(), ROLLBACK).unwrap();
        let refusal = plain(&text, ROLLBACK).unwrap_err();
        assert!(refusal.contains("cannot share"), "{rest}: {refusal}");
    }
    let imported = "(module (import \"m\" \"t\" (table 1 funcref)) (memory (export \"memory\") 1) (func))";
    assert!(plain(imported, ROLLBACK).unwrap_err().contains("cannot share"));
    assert!(plain(&module("(func)"), ROLLBACK).is_ok());
}

#[test]
fn a_memory_has_room_for_the_table() {
    let module = |limits: &str| format!("(module (memory (export \"memory\") {limits}) (func))");
    for (limits, expected) in [("0", "16 65520"), ("1 1", "17 17"), ("3 65530", "19 65520"), ("65504", "65520 65520")] {
        assert!(printed(&module(limits)).contains(&format!("(memory (;0;) {expected})")), "{limits}");
    }
    assert!(refusal(&module("65505")).contains("leaves no room"));
}

#[test]
fn tables_hand_out_what_they_lose() {
    let found = printed(
        "(module (memory (export \"memory\") 1) (table $e 4 externref) (table $f 4 funcref) (elem $s func $x)
            (func $x (table.set $e (i32.const 0) (ref.null extern)) (table.set $e (i32.const 1) (ref.null extern))
                (table.init $f $s (i32.const 0) (i32.const 0) (i32.const 1)) call $x))",
    );
    for part in ["\"keep_externref\"", "\"keep_funcref\"", "$unpanic.table_set_0", "$unpanic.table_init_1", "call $x"] {
        assert!(found.contains(part), "{part} is not in {found}");
    }
    // Growth is real, and reading needs nothing.
    let found = printed(
        "(module (memory (export \"memory\") 1) (table $e 4 externref)
            (func (drop (table.grow $e (table.get $e (i32.const 0)) (i32.const 1)))))",
    );
    assert!(!found.contains("keep"), "{found}");
}

#[test]
fn what_cannot_be_tracked_is_refused_by_name() {
    let memory = "(memory (export \"memory\") 1)";
    let cases = [
        ("(module (memory (export \"memory\") 1 1 shared) (func))".to_owned(), "threads (a shared memory)"),
        (format!("(module {memory} (func (drop (i32.atomic.load (i32.const 0)))))"), "threads"),
        ("(module (memory (export \"memory\") i64 1) (func))".to_owned(), "memory64"),
        (format!("(module {memory} (memory 1) (func))"), "several memories"),
        ("(module (import \"m\" \"memory\" (memory 1)) (export \"memory\" (memory 0)) (func))".to_owned(), "imports its memory"),
        ("(module (memory 1) (func))".to_owned(), "does not export its memory"),
        ("(module (func))".to_owned(), "no memory"),
        (format!("(module {memory})"), "no functions"),
        (format!("(module (import \"m\" \"g\" (global (mut i32))) {memory} (func))"), "imports a global that it can change"),
        (format!("(module {memory} (global (mut v128) (v128.const i64x2 0 0)) (func))"), "a global of v128"),
        (
            format!("(module (import \"m\" \"t\" (table 1 externref)) {memory} (func (table.set (i32.const 0) (ref.null extern))))"),
            "a table that it imports",
        ),
        (format!("(module {memory} (table 1 exnref) (func (table.set (i32.const 0) (ref.null exn))))"), "a table of exnref"),
        (format!("(module {memory} (data \"x\") (func (data.drop 0)))"), "data.drop"),
        (format!("(module {memory} (elem func) (func (elem.drop 0)))"), "elem.drop"),
        (format!("(module {memory} (func (export \"__unpanic_cards\")))"), "an export of its own called __unpanic_cards"),
        (format!("(module {memory} (type (struct)) (func))"), "garbage collection"),
    ];
    for (text, reason) in cases {
        let found = refusal(&text);
        assert!(found.contains(reason), "{text}: {found}");
    }
}

#[test]
fn allocators_that_do_not_look_where_memory_grows_are_refused() {
    let module = |body: &str| {
        format!("(module (memory (export \"memory\") 1) (func (param i32) (result i32) (local $l i32) {body}))")
    };
    let careless = [
        "(drop (memory.grow (i32.const 1))) (local.get 0)",
        "(if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (return (i32.const 0)))) (local.get 0)",
        "(local.set $l (memory.grow (i32.const 1))) (i32.ne (local.get $l) (i32.const -1))",
    ];
    for body in careless {
        assert!(refusal(&module(body)).contains("does not look where the new memory begins"), "{body}");
    }
    let careful = [
        "(memory.grow (local.get 0))",
        "(i32.shl (memory.grow (local.get 0)) (i32.const 16))",
        "(if (i32.eq (local.tee $l (memory.grow (i32.const 1))) (i32.const -1)) (then (return (i32.const 0))))
            (i32.mul (local.get $l) (i32.const 65536))",
        "(block $done (br_if $done (i32.eq (local.tee $l (memory.grow (i32.const 1))) (i32.const -1)))
            (return (local.get $l))) (i32.const 0)",
    ];
    for body in careful {
        rewritten(&module(body));
    }
}

#[test]
fn every_flipped_bit_ends_in_a_module_or_an_error() {
    let module = wasm(
        "(module (memory (export \"memory\") 1) (table 2 externref) (global (mut i32) (i32.const 0))
            (func $f (param i32) (result i32)
                (block (loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 br_table 0 1 0))
                (i32.store (local.get 0) (memory.grow (local.get 0)))
                (table.set (i32.const 0) (ref.null extern))
                (memory.copy (local.get 0) (i32.const 1) (i32.const 2))
                local.get 0 call $f))",
    );
    for bit in 0..module.len() * 8 {
        let mut bytes = module.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let _ = rewrite(&bytes, BOTH);
    }
}

#[test]
fn calls_that_may_poll_go_through_one_function() {
    let module = |import: &str| {
        let kind = "(type $poll (func (param i32 i32) (result i32))) (type $other (func (param i32) (result i32)))";
        let calls = "(call_indirect (type $poll) (i32.const 1) (i32.const 2) (i32.const 0))
            (call_indirect (type $other) (i32.const 3) (i32.const 0)) (drop) (drop)";
        let text = format!(
            "(module {kind} (import \"m\" \"{import}\" (func)) (memory (export \"memory\") 1) (table 1 funcref)
            (func (export \"run\") {calls}))"
        );
        printed(&text)
    };
    let polls = module("__wbg_then_0123456789abcdef");
    assert_eq!(polls.matches("call_indirect").count(), 2, "{polls}");
    assert!(
        polls.contains("(import \"unpanic\" \"poll\" (func") && polls.contains("\"__unpanic_watching\""),
        "{polls}"
    );
    assert!(module("__wbg_queueMicrotask_0123456789abcdef").contains("__unpanic_poll\""));
    let others = module("__wbg_log_0123456789abcdef");
    assert_eq!(others.matches("call_indirect").count(), 2, "{others}");
    assert!(!others.contains("unpanic\" \"poll") && !others.contains("__unpanic_watching"), "{others}");
}
