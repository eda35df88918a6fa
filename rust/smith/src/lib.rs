//! Makes random Wasm modules (wasm-smith) from random bytes, behind a plain interface of numbers.
//!
//! Unless somebody asks for endless ones, the modules end: they count their own turns and trap when these are used up.
//! They export everything they have, so that whoever runs two of them can compare what they left behind.

use arbitrary::Unstructured;
use std::cell::RefCell;
use wasm_smith::{Config, Module};

/// Turns and calls that a module has before it traps.
const TURNS: u32 = 3_000;

thread_local! {
    static SEED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The functions that a module may import: what they do is told to whoever compares two runs.
fn imports() -> Vec<u8> {
    use wasm_encoder::{EntityType, ImportSection, Module, TypeSection, ValType::*};
    let mut types = TypeSection::new();
    let mut imports = ImportSection::new();
    for (number, (name, parameters, results)) in [
        ("note", vec![I32], vec![]),
        ("number", vec![], vec![I32]),
        ("long", vec![I64], vec![I64]),
        ("float", vec![F64, F32], vec![F64]),
    ]
    .into_iter()
    .enumerate()
    {
        types.ty().function(parameters, results);
        imports.import("world", name, EntityType::Function(number as u32));
    }
    let mut module = Module::new();
    module.section(&types).section(&imports);
    module.finish()
}

fn config(exceptions: bool) -> Config {
    Config {
        available_imports: Some(imports()),
        export_everything: true,
        canonicalize_nans: true,
        exceptions_enabled: exceptions,
        gc_enabled: false,
        threads_enabled: false,
        memory64_enabled: false,
        compact_imports_enabled: false,
        wide_arithmetic_enabled: false,
        // Its results may differ from engine tier to engine tier.
        relaxed_simd_enabled: false,
        max_imports: 6,
        min_funcs: 4,
        max_funcs: 14,
        max_instructions: 250,
        max_memory32_bytes: 2 * 65_536,
        memory_max_size_required: true,
        max_table_elements: 50,
        min_memories: 1,
        min_tables: 1,
        ..Config::default()
    }
}

/// Makes room for random bytes; returns its address.
#[no_mangle]
pub extern "C" fn allocate(length: usize) -> *mut u8 {
    SEED.with_borrow_mut(|seed| {
        *seed = vec![0; length];
        seed.as_mut_ptr()
    })
}

/// Flags of [`generate`].
const EXCEPTIONS: u32 = 1;
const ENDLESS: u32 = 2;

/// Makes a module of the bytes that were written; returns its length, or 0 where they were too few.
///
/// `flags` has 1 for exception handling, and 2 for a module whose loops need not end.
#[no_mangle]
pub extern "C" fn generate(flags: u32) -> usize {
    let seed = SEED.take();
    let mut bytes = Unstructured::new(&seed);
    let module = Module::new(config(flags & EXCEPTIONS != 0), &mut bytes).ok().and_then(|mut module| {
        if flags & ENDLESS == 0 {
            module.ensure_termination(TURNS).ok()?;
        }
        Some(module.to_bytes())
    });
    OUTPUT.with_borrow_mut(|output| {
        *output = module.unwrap_or_default();
        output.len()
    })
}

/// Where the module is.
#[no_mangle]
pub extern "C" fn result_address() -> *const u8 {
    OUTPUT.with_borrow(|output| output.as_ptr())
}

#[cfg(test)]
mod tests {
    #[test]
    fn bytes_become_a_module() {
        let seed: Vec<u8> = (0..6_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        super::SEED.set(seed);
        assert!(super::generate(super::EXCEPTIONS) > 8);
    }
}
