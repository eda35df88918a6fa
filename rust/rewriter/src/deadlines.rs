//! The module whose calls can be ended: the counter in its code, and what asks for more fuel.

use crate::cycles::Calls;
use crate::fuel::{Added, Writer};
use crate::instruction::{function, Instruction};
use crate::read::Module;
use crate::write::{first_function, write, Additions, NewFunction, NewGlobal, NewImport};
use crate::{Error, Statistics, REFUEL};
use wasm_encoder::{ExportKind, ValType};

/// The fuel of a new instance: well below a millisecond, whatever the code does.
const FIRST: i32 = 100_000;
/// The name of the global, and of its export: the runtime takes the fuel away when something else took long.
const FUEL: &str = "unpanic.fuel";

/// The module with a counter.
pub(crate) fn add_deadlines(wasm: &[u8], is_plain: bool, statistics: &mut Statistics) -> Result<Vec<u8>, Error> {
    let mut module = Module::read(wasm)?;
    module.read_bodies()?;
    if module.bodies.is_empty() {
        return Ok(wasm.to_vec());
    }
    let calls = Calls::of(&module);
    let added = Added {
        fuel: u32::try_from(module.globals.len()).map_err(|_| Error::Refused("it is too large".to_owned()))?,
        // It comes after all others, whose numbers grow by one for the import.
        refuel: first_function(&module, 1),
    };
    let mut additions = Additions {
        imports: vec![NewImport { name: REFUEL.1, signature: (vec![], vec![ValType::I32]) }],
        functions: vec![refuel(&module)],
        globals: vec![NewGlobal { name: FUEL, mutable: true, first: FIRST }],
        exports: vec![(FUEL.to_owned(), ExportKind::Global, added.fuel)],
        imports_globals: is_plain,
        ..Additions::default()
    };
    let writer = Writer { module: &module, calls: &calls, added };
    for function in 0..module.bodies.len() {
        let written = writer.body(function, statistics)?;
        additions.bodies.push(written.code);
        additions.unlikely.push(written.unlikely);
    }
    write(&module, wasm, &additions)
}

/// The function that asks for more fuel, and traps if there is none.
fn refuel(module: &Module<'_>) -> NewFunction {
    let instructions = [
        Instruction::Call(module.imported_functions),
        Instruction::LocalTee(0),
        Instruction::I32Const(0),
        Instruction::I32LeS,
        Instruction::If,
        Instruction::Unreachable,
        Instruction::End,
        Instruction::LocalGet(0),
    ];
    NewFunction {
        name: "unpanic.refuel".to_owned(),
        signature: (vec![], vec![ValType::I32]),
        code: function(&[(1, ValType::I32)], &instructions),
    }
}
