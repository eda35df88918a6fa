//! `cargo run --release --example rewrite IN.wasm OUT.wasm [--deadlines] [--rollback]`: rewrites a file, and says what
//! was done.

use std::{env, fs, process, time::Instant};
use unpanic_rewriter::{rewrite, Options};

fn main() {
    let (flags, files): (Vec<String>, Vec<String>) = env::args().skip(1).partition(|part| part.starts_with("--"));
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let options = Options { deadlines: has("--deadlines"), rollback: has("--rollback"), plain: false };
    let [input, output] = files.as_slice() else {
        eprintln!("usage: rewrite IN.wasm OUT.wasm [--deadlines] [--rollback]");
        process::exit(2);
    };
    let wasm = fs::read(input).expect("the input can be read");
    let began = Instant::now();
    match rewrite(&wasm, options) {
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
