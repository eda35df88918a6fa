//! Writes the module, with the import, the global and the function that the rewritten code needs.

use crate::cycles::Calls;
use crate::fuel::{renumber, Added, Writer, Written};
use crate::instruction::Instruction;
use crate::mark::{Mark, SECTION};
use crate::read::Module;
use crate::{Error, Options, Statistics, REFUEL};
use std::convert::Infallible;
use wasm_encoder::reencode::{self, utils, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, Encode, EntityType, ExportKind, ExportSection, FunctionSection,
    GlobalSection, GlobalType, ImportSection, NameMap, NameSection, SectionId, TypeSection, ValType,
};

/// The fuel of a new instance: well below a millisecond, whatever the code does.
const FIRST: i32 = 100_000;
/// The name of the global, and of its export: the runtime takes the fuel away when something else took long.
const FUEL_NAME: &str = "unpanic.fuel";

/// How the names of custom sections begin that tell places in the code, which have moved: the compiler's hints, and what
/// debuggers read (DWARF, and the addresses of files with DWARF or with a source map).
const TELLS_PLACES: [&str; 4] = ["metadata.code.", ".debug_", "external_debug_info", "sourceMappingURL"];

const HINTS: &str = "metadata.code.branch_hint";
const UNLIKELY: u8 = 0;

pub(crate) fn write(
    module: &Module<'_>,
    wasm: &[u8],
    options: Options,
    statistics: &mut Statistics,
) -> Result<Vec<u8>, Error> {
    if !options.deadlines || module.bodies.is_empty() {
        return Ok(marked(wasm.to_vec(), wasm, options));
    }
    let mut output = wasm_encoder::Module::new();
    let calls = Calls::of(module);
    let mut writer = ModuleWriter::new(module, &calls, statistics)?;
    writer.parse_core_module(&mut output, wasmparser::Parser::new(0), wasm)?;
    Ok(marked(output.finish(), wasm, options))
}

/// Adds the section that says what was done to the module.
fn marked(mut output: Vec<u8>, original: &[u8], options: Options) -> Vec<u8> {
    let section = CustomSection { name: SECTION.into(), data: Mark::of(original, options).to_bytes().into() };
    output.push(SectionId::Custom.into());
    section.encode(&mut output);
    output
}

struct ModuleWriter<'m> {
    module: &'m Module<'m>,
    added: Added,
    /// The type `() -> i32`.
    signature: u32,
    bodies: Vec<Written>,
    /// What was added already.
    has_import: bool,
    has_global: bool,
    has_hints: bool,
}

impl<'m> ModuleWriter<'m> {
    fn new(module: &'m Module<'m>, calls: &'m Calls, statistics: &'m mut Statistics) -> Result<Self, Error> {
        let small = |count: usize| u32::try_from(count).map_err(|_| Error::Refused("it is too large".to_owned()));
        let added = Added {
            fuel: module.globals,
            // It comes after all others, whose numbers grow by one for the import.
            refuel: module.imported_functions + 1 + small(module.bodies.len())?,
        };
        let writer = Writer { module, calls, added };
        Ok(ModuleWriter {
            module,
            added,
            signature: small(module.types.len())?,
            has_import: false,
            has_global: false,
            bodies: (0..module.bodies.len())
                .map(|function| writer.body(function, statistics))
                .collect::<Result<_, _>>()?,
            has_hints: false,
        })
    }

    fn add_import(&mut self, imports: &mut ImportSection) {
        imports.import(REFUEL.0, REFUEL.1, EntityType::Function(self.signature));
        self.has_import = true;
    }

    fn add_global(&mut self, globals: &mut GlobalSection) {
        let kind = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(kind, &ConstExpr::i32_const(FIRST));
        self.has_global = true;
    }

    /// The function that asks for more fuel, and traps if there is none.
    fn refuel(&self) -> Vec<u8> {
        let mut body = Vec::new();
        // One group of locals: one i32.
        1u32.encode(&mut body);
        1u32.encode(&mut body);
        ValType::I32.encode(&mut body);
        for instruction in [
            Instruction::Call(self.module.imported_functions),
            Instruction::LocalTee(0),
            Instruction::I32Const(0),
            Instruction::I32LeS,
            Instruction::If,
            Instruction::Unreachable,
            Instruction::End,
            Instruction::LocalGet(0),
            Instruction::End,
        ] {
            instruction.encode(&mut body);
        }
        body
    }

    /// The section that says which branches are unlikely. An engine then keeps the values of a loop in registers, and
    /// saves them only on the way to `refuel`. Without this, a loop of few instructions takes several times as long in
    /// V8.
    /// <https://webassembly.github.io/branch-hinting/core/appendix/custom.html>
    fn hints(&self) -> CustomSection<'static> {
        let hinted = || self.bodies.iter().enumerate().filter(|(_, body)| !body.unlikely.is_empty());
        let mut data = Vec::new();
        hinted().count().encode(&mut data);
        for (function, body) in hinted() {
            (self.module.imported_functions + 1 + function as u32).encode(&mut data);
            body.unlikely.len().encode(&mut data);
            for place in &body.unlikely {
                place.encode(&mut data);
                data.extend([1, UNLIKELY]);
            }
        }
        CustomSection { name: HINTS.into(), data: data.into() }
    }
}

/// The place of a section among the others. The ids of sections are in another order.
fn place(section: Option<SectionId>) -> u8 {
    match section {
        Some(SectionId::Custom) => 0,
        Some(SectionId::Type) => 1,
        Some(SectionId::Import) => 2,
        Some(SectionId::Function) => 3,
        Some(SectionId::Table) => 4,
        Some(SectionId::Memory) => 5,
        Some(SectionId::Tag) => 6,
        Some(SectionId::Global) => 7,
        _ => 8,
    }
}

type Failure = reencode::Error<Infallible>;

impl Reencode for ModuleWriter<'_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Failure> {
        Ok(renumber(self.module, function))
    }

    fn const_expr(&mut self, expression: wasmparser::ConstExpr<'_>) -> Result<ConstExpr, Failure> {
        let first = expression.get_operators_reader().read()?;
        if let wasmparser::Operator::RefFunc { function_index } = first {
            return Ok(ConstExpr::ref_func(self.function_index(function_index)?));
        }
        // No other instruction of a constant expression has a number that changes. The last byte is `end`, which the
        // encoder adds.
        let mut reader = expression.get_binary_reader();
        let bytes = reader.read_bytes(reader.bytes_remaining())?;
        Ok(ConstExpr::raw(bytes[..bytes.len().saturating_sub(1)].iter().copied()))
    }

    fn intersperse_section_hook(
        &mut self,
        output: &mut wasm_encoder::Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Failure> {
        if !self.has_import && place(before) > place(Some(SectionId::Import)) {
            let mut imports = ImportSection::new();
            self.add_import(&mut imports);
            output.section(&imports);
        }
        if !self.has_global && place(before) > place(Some(SectionId::Global)) {
            let mut globals = GlobalSection::new();
            self.add_global(&mut globals);
            output.section(&globals);
        }
        if !self.has_hints && before == Some(SectionId::Code) {
            output.section(&self.hints());
            self.has_hints = true;
        }
        Ok(())
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), Failure> {
        utils::parse_type_section(self, types, section)?;
        types.ty().function([], [ValType::I32]);
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Failure> {
        utils::parse_import_section(self, imports, section)?;
        self.add_import(imports);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Failure> {
        utils::parse_function_section(self, functions, section)?;
        functions.function(self.signature);
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Failure> {
        utils::parse_global_section(self, globals, section)?;
        self.add_global(globals);
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Failure> {
        utils::parse_export_section(self, exports, section)?;
        exports.export(FUEL_NAME, ExportKind::Global, self.added.fuel);
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        _section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Failure> {
        for body in &self.bodies {
            code.raw(&body.code);
        }
        code.raw(&self.refuel());
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        output: &mut wasm_encoder::Module,
        section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Failure> {
        if TELLS_PLACES.iter().any(|prefix| section.name().starts_with(prefix)) {
            return Ok(());
        }
        // A name section that cannot be read is copied: engines ignore it, so it is no reason to refuse the module.
        if let wasmparser::KnownCustom::Name(names) = section.as_known() {
            if let Ok(names) = self.custom_name_section(names) {
                output.section(&names);
                return Ok(());
            }
        }
        output.section(&self.custom_section(section)?);
        Ok(())
    }

    fn parse_custom_name_subsection(
        &mut self,
        names: &mut NameSection,
        section: wasmparser::Name<'_>,
    ) -> Result<(), Failure> {
        match section {
            wasmparser::Name::Function(map) => {
                let mut functions = utils::name_map(map, |function| self.function_index(function))?;
                functions.append(self.added.refuel, "unpanic.refuel");
                names.functions(&functions);
            }
            wasmparser::Name::Global(map) => {
                let mut globals: NameMap = utils::name_map(map, |global| self.global_index(global))?;
                globals.append(self.added.fuel, FUEL_NAME);
                names.globals(&globals);
            }
            // Unrolled loops have more labels, so the numbers of labels change; no one needs their names.
            wasmparser::Name::Label(_) => {}
            other => utils::parse_custom_name_subsection(self, names, other)?,
        }
        Ok(())
    }
}
