//! What rewriting keeps, what it adds, and what it refuses.

use unpanic_rewriter::{find_mark, rewrite, Error, Options, Rewritten};

const DEADLINES: Options = Options { deadlines: true };

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's text is right")
}

fn rewritten(text: &str) -> Rewritten {
    rewrite(&wasm(text), DEADLINES).expect("it can be rewritten")
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

#[test]
fn a_module_is_marked_and_not_rewritten_twice() {
    let original = wasm("(module (func (export \"spin\") (loop (br 0))))");
    let once = rewrite(&original, DEADLINES).unwrap().wasm;
    let mark = find_mark(&once).unwrap().expect("it is marked");
    assert!(mark.options.deadlines);
    assert_eq!(find_mark(&original).unwrap(), None);
    assert_eq!(rewrite(&once, DEADLINES).unwrap().wasm, once);
    let other = rewrite(&once, Options { deadlines: false });
    assert!(matches!(other, Err(Error::Refused(reason)) if reason.contains("other options")));
}

#[test]
fn names_custom_sections_and_the_start_function_stay() {
    let text = "(module $bank
        (import \"m\" \"f\" (func $imported))
        (@custom \"producers.own\" \"kept\")
        (func $main call $imported)
        (func $spin (export \"spin\") (loop (br 0)))
        (start $main))";
    let printed = wasmprinter::print_bytes(rewritten(text).wasm).unwrap();
    for part in ["(module $bank", "$main", "$spin", "(start $main)", "\"producers.own\"", "\"refuel\"", "$imported"] {
        assert!(printed.contains(part), "{part} is not in {printed}");
    }
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
