//! `cargo run --example assemble IN.wat OUT.wasm`: makes a Wasm file, without names, of its text.

use std::{env, fs};

fn main() {
    let files: Vec<String> = env::args().skip(1).collect();
    let [input, output] = files.as_slice() else { panic!("usage: assemble IN.wat OUT.wasm") };
    let wasm = wat::parse_file(input).unwrap_or_else(|error| panic!("{error}"));
    fs::write(output, without_names(&wasm)).expect("the output can be written");
}

/// A module without its custom sections.
fn without_names(wasm: &[u8]) -> Vec<u8> {
    let mut output = wasm[..8].to_vec();
    let mut end = 8;
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        let payload = payload.expect("wat writes modules");
        if let Some((id, range)) = payload.as_section() {
            let next = usize::try_from(range.end).expect("it is in memory");
            if id != 0 {
                output.extend_from_slice(&wasm[end..next]);
            }
            end = next;
        }
    }
    output
}
