//! What rewriting keeps, what it adds, and what it refuses.

use unpanic_rewriter::{find_mark, rewrite, Error, Options, Rewritten};
use wasmparser::{Validator, WasmFeatures};

const DEADLINES: Options = Options { deadlines: true, rollback: false, plain: false };

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's text is right")
}

/// What comes out is valid.
fn rewritten(text: &str) -> Rewritten {
    let found = rewrite(&wasm(text), DEADLINES).expect("it can be rewritten");
    let mut features = WasmFeatures::default();
    features.insert(WasmFeatures::LEGACY_EXCEPTIONS);
    if let Err(error) = Validator::new_with_features(features).validate_all(&found.wasm) {
        panic!("{error} in {}", wasmprinter::print_bytes(&found.wasm).unwrap());
    }
    found
}

fn refusal(text: &str) -> String {
    match rewrite(&wasm(text), DEADLINES) {
        Err(Error::Refused(reason)) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn loops_and_functions_in_cycles_count() {
    let found = rewritten(
        "(module
            (func $even (param i32) (result i32) local.get 0 call $odd)
            (func $odd (param i32) (result i32) local.get 0 call $even)
            (func $plain (param i32) (result i32) local.get 0)
            (func (export \"spin\") (loop (br 0))))",
    );
    assert_eq!(found.statistics.loops, 1);
    // One function of the two is enough.
    assert_eq!(found.statistics.entries, 1);
}

#[test]
fn a_call_through_a_table_may_be_of_the_caller() {
    let found = rewritten(
        "(module (type $f (func)) (table 2 funcref) (elem (i32.const 0) $one $two)
            (func $one i32.const 0 call_indirect (type $f))
            (func $two)
            (func (export \"f\") call $two))",
    );
    assert_eq!(found.statistics.entries, 1);
}

#[test]
fn javascript_may_call_any_export_from_an_import() {
    let found = rewritten(
        "(module (import \"m\" \"f\" (func $f))
            (func $inner call $f)
            (func (export \"outer\") call $inner call $inner)
            (func (export \"leaf\")))",
    );
    assert_eq!(found.statistics.entries, 1);
}

#[test]
fn a_long_tree_of_calls_counts_without_loops() {
    let tree = |depth: u32| {
        let calls: String = (1..depth).map(|n| format!("(func $f{n} call $f{} call $f{})", n - 1, n - 1)).collect();
        rewritten(&format!("(module (func $f0) {calls})")).statistics.entries
    };
    assert_eq!(tree(10), 0);
    assert!(tree(60) > 0);
}

#[test]
fn small_innermost_loops_are_unrolled() {
    let small = "(loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0)";
    let text = |body: &str| format!("(module (import \"m\" \"f\" (func $f)) (func (param i32) {body}))");
    assert_eq!(rewritten(&text(small)).statistics.unrolled, 1);
    // Not around another loop, nor around a call of which nobody knows what it costs.
    for body in [format!("(loop {small} br 0)"), "(loop call $f br 0)".to_owned()] {
        let found = rewritten(&text(&body)).statistics;
        assert_eq!(found.loops - found.unrolled, 1, "{body}");
    }
}

/// Branches out of a loop whose body is repeated, in every instruction that has a depth.
#[test]
fn depths_in_unrolled_loops_stay_right() {
    let bodies = [
        "(block (loop (br_table 0 1 2 (local.get 0))))",
        "(block (loop (block (br_table 0 1 2 3 (local.get 0))) (br_if 0 (local.get 0))))",
        "(if (local.get 0) (then (loop (br_if 1 (local.get 0)) (br_if 0 (local.get 0)))) (else (loop (br 1))))",
        "(drop (loop (result i32) (br_if 0 (local.get 0)) (i32.const 1)))",
        "(block (result i32 i64) (loop (result i32 i64) (br_if 0 (local.get 0))
            (br_if 1 (i32.const 1) (i64.const 2) (local.get 0)))) drop drop",
        "(loop (drop (select (result i32) (local.get 0) (i32.const 1) (local.get 0))) (br_if 0 (local.get 0)))",
        "try nop catch_all loop local.get 0 br_if 0 local.get 0 if rethrow 2 end rethrow 1 end end",
        "(loop (return))",
        "(loop (br 1))",
        "(loop (return_call $leaf))",
    ];
    for body in bodies {
        let found = rewritten(&format!("(module (func (param i32) {body}) (func $leaf))"));
        assert!(found.statistics.unrolled > 0, "{body}");
    }
}

#[test]
fn other_shapes_stay_valid() {
    let bodies = [
        "i32.const 5 loop (param i32) local.set 0 local.get 0 local.get 0 br_if 0 drop end",
        "loop try call 0 catch_all end local.get 0 br_if 0 end",
        "try loop try call 0 delegate 1 local.get 0 br_if 0 end catch_all end",
        "loop (block $landing (try_table (catch_all $landing) (call 0) (br 2))) (br_if 0 (local.get 0)) end",
        "loop $again (try_table (catch_all $again) (call 0) (throw 0)) end",
        "(loop (drop (block $l (result exnref) (try_table (catch_all_ref $l) (call 0)) (return))) (br 0))",
        "loop (block (try_table (catch_all 1) (catch 0 0) (call 0))) (br_if 0 (local.get 0)) end",
        "(loop (try_table (catch_all 1) (call 0)) (br_if 0 (local.get 0)))",
        "(if (local.get 0) (then (loop (call 0) (br_if 0 (local.get 0)))) (else (call 0))) (call 0)",
        "(block (loop (call 0) (br_table 0 1 2 (local.get 0))) unreachable) (call 0)",
        "(loop (call_indirect $t (type $f) (i64.const 0)) (br_if 0 (local.get 0)))",
        "(loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 9)) (br_if 0 (local.get 0)))",
        "(memory.copy (i32.const 0) (i32.const 1) (i32.const 9)) (call 0)",
        "(loop (memory.copy $m $wide (i32.const 0) (i64.const 1) (i32.const 9)) (br 0))",
        "(loop (memory.fill $wide (i64.const 0) (i32.const 1) (i64.const 9)) (br 0))",
        "(loop (table.fill $t (i64.const 0) (ref.null func) (i64.const 9)) (br 0))",
        "(loop (br 0) (memory.fill))",
    ];
    for body in bodies {
        let module = "(type $f (func)) (import \"m\" \"f\" (func)) (tag) (table $t i64 4 funcref) \
            (memory $m 1) (memory $wide i64 1)";
        rewritten(&format!("(module {module} (func (param i32) {body}))"));
    }
}

#[test]
fn a_function_with_as_many_locals_as_engines_allow_is_refused() {
    let text = |count: usize| format!("(module (func (local {}) (loop (br 0))))", "i32 ".repeat(count));
    assert_eq!(rewritten(&text(49_999)).statistics.loops, 1);
    assert!(refusal(&text(50_000)).contains("too many locals"));
    // No local is added where nothing counts.
    rewritten(&format!("(module (func (local {})))", "i32 ".repeat(50_000)));
}

#[test]
fn a_module_is_marked_and_not_rewritten_twice() {
    let original = wasm("(module (func (export \"spin\") (loop (br 0))))");
    let once = rewrite(&original, DEADLINES).unwrap().wasm;
    let mark = find_mark(&once).unwrap().expect("it is marked");
    assert!(mark.options.deadlines);
    assert_eq!(find_mark(&original).unwrap(), None);
    assert_eq!(rewrite(&once, DEADLINES).unwrap().wasm, once);
    let other = rewrite(&once, Options::default());
    assert!(matches!(other, Err(Error::Refused(reason)) if reason.contains("other options")));
}

#[test]
fn names_custom_sections_and_the_start_function_stay() {
    let text = "(module $bank
        (import \"m\" \"f\" (func $imported))
        (@custom \"producers.own\" \"kept\")
        (@custom \".debug_info\" \"places\") (@custom \"sourceMappingURL\" \"places\")
        (@custom \"external_debug_info\" \"places\")
        (func $main call $imported)
        (func $spin (export \"spin\") (loop (br 0)))
        (start $main))";
    let printed = wasmprinter::print_bytes(rewritten(text).wasm).unwrap();
    for part in ["(module $bank", "$main", "$spin", "(start $main)", "\"producers.own\"", "\"refuel\"", "$imported"] {
        assert!(printed.contains(part), "{part} is not in {printed}");
    }
    assert!(!printed.contains("places"), "what tells places in the code has moved: {printed}");
    assert!(printed.contains("(export \"unpanic.fuel\" (global"));
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let cases = [
        ("(module (memory 1 1 shared))", "threads (a shared memory)"),
        ("(module (memory 1) (func i32.const 0 i32.const 1 i32.const 0 memory.atomic.notify drop drop))", "threads"),
        ("(module (type (struct (field i32))))", "garbage collection"),
        ("(module (func (param i31ref)) (func i32.const 1 ref.i31 drop))", "gc (the instruction RefI31)"),
        ("(component)", "a component"),
    ];
    for (text, reason) in cases {
        let found = refusal(text);
        assert!(found.contains(reason), "{text}: {found}");
    }
}

#[test]
fn what_is_no_module_is_malformed() {
    let module = wasm("(module (func (export \"spin\") (loop (br 0))))");
    let cut = &module[..module.len() - 3];
    for bytes in [&b"<!doctype html>"[..], b"", cut] {
        assert!(matches!(rewrite(bytes, DEADLINES), Err(Error::Malformed(_))));
    }
}

#[test]
fn every_flipped_bit_ends_in_a_module_or_an_error() {
    let module = wasm(
        "(module (memory 1) (table 2 funcref) (elem (i32.const 0) $f $f)
            (func $f (param i32) (result i32)
                (block (loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 br_table 0 1 0))
                local.get 0 call $f))",
    );
    for bit in 0..module.len() * 8 {
        let mut bytes = module.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let _ = rewrite(&bytes, DEADLINES);
    }
}

#[test]
fn what_moves_much_memory_counts_by_its_length() {
    let text = |length: &str| {
        format!(
            "(module (import \"m\" \"f\" (func $f)) (memory 1)
                (func $move (param i32) i32.const 0 i32.const 0 {length} memory.copy)
                (func (export \"f\") (param i32)
                    (loop local.get 0 call $move i32.const 0 i32.const 1 local.get 0 memory.fill br 0)))"
        )
    };
    let printed = |length: &str| wasmprinter::print_bytes(rewritten(&text(length)).wasm).unwrap();
    assert_eq!(printed("local.get 0").matches("i32.shr_u").count(), 2);
    assert_eq!(printed("i32.const 40").matches("i32.shr_u").count(), 1, "a short constant length takes no time");
    assert_eq!(printed("i32.const -1").matches("i32.shr_u").count(), 2);
    let wide = "(module (memory i64 1) (func i64.const 0 i64.const 0 i64.const 99999 memory.copy))";
    assert!(!wasmprinter::print_bytes(rewritten(wide).wasm).unwrap().contains("i32.shr_u"));
}
