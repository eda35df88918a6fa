//! `cargo run --release --example rewrite IN.wasm OUT.wasm`: rewrites a file, and says what was done.

use std::{env, fs, process, time::Instant};
use unpanic_rewriter::{rewrite, Options};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        eprintln!("usage: rewrite IN.wasm OUT.wasm");
        process::exit(2);
    };
    let wasm = fs::read(input).expect("the input can be read");
    let began = Instant::now();
    match rewrite(&wasm, Options { deadlines: true }) {
        Ok(rewritten) => {
            let took = began.elapsed();
            println!("{input}: {:?} in {took:?}", rewritten.statistics);
            fs::write(output, rewritten.wasm).expect("the output can be written");
        }
        Err(error) => {
            eprintln!("{input}: {error}");
            process::exit(1);
        }
    }
}
