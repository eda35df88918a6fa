//! Writes a module again, with new bodies and with what these need: types, imports, globals, functions, exports.

use crate::read::Module;
use crate::Error;
use std::borrow::Cow;
use std::convert::Infallible;
use wasm_encoder::reencode::{self, utils, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, Encode, EntityType, ExportKind, ExportSection, FunctionSection,
    GlobalSection, GlobalType, ImportSection, MemorySection, NameMap, NameSection, SectionId, TableSection,
    TypeSection, ValType,
};

/// How the names of custom sections begin that tell places in the code, which have moved: the compiler's hints, and what
/// debuggers read (DWARF, and the addresses of files with DWARF or with a source map).
const TELLS_PLACES: [&str; 4] = ["metadata.code.", ".debug_", "external_debug_info", "sourceMappingURL"];

const HINTS: &str = "metadata.code.branch_hint";
const UNLIKELY: u8 = 0;

/// The parameters and the results of a function.
pub(crate) type Signature = (Vec<ValType>, Vec<ValType>);

/// A function that is imported from the module `unpanic`.
pub(crate) struct NewImport {
    pub name: &'static str,
    pub signature: Signature,
}

pub(crate) struct NewFunction {
    pub name: String,
    pub signature: Signature,
    /// The body as it is in the code section, without its size.
    pub code: Vec<u8>,
}

/// A global of 32 bits.
pub(crate) struct NewGlobal {
    pub name: &'static str,
    pub mutable: bool,
    pub first: i32,
}

/// What comes into a module. Numbers in it are those of the rewritten module.
#[derive(Default)]
pub(crate) struct Additions {
    pub imports: Vec<NewImport>,
    pub functions: Vec<NewFunction>,
    pub globals: Vec<NewGlobal>,
    pub exports: Vec<(String, ExportKind, u32)>,
    pub memory: Option<wasm_encoder::MemoryType>,
    pub without_start: bool,
    /// What is imported instead of being defined: memory, tables and globals. What data and elements fill is full.
    pub shared: Vec<(String, EntityType)>,
    /// The new globals are imported, too.
    pub imports_globals: bool,
    /// The bodies that take the place of the module's own, as they are in the code section, without their sizes.
    pub bodies: Vec<Vec<u8>>,
    /// For each body: where the instructions `if` are whose condition mostly fails.
    pub unlikely: Vec<Vec<u32>>,
}

/// The number of a function in the rewritten module: new imports come before those that are not imported.
pub(crate) fn renumber(module: &Module<'_>, new_imports: u32, function: u32) -> u32 {
    let is_defined = function >= module.imported_functions;
    function.saturating_add(if is_defined { new_imports } else { 0 })
}

/// The number of the first new function.
pub(crate) fn first_function(module: &Module<'_>, new_imports: u32) -> u32 {
    renumber(module, new_imports, module.imported_functions + count(&module.functions))
}

pub(crate) fn write(module: &Module<'_>, wasm: &[u8], additions: &Additions) -> Result<Vec<u8>, Error> {
    let mut output = wasm_encoder::Module::new();
    let wasm = if additions.without_start { without_start(wasm)? } else { Cow::Borrowed(wasm) };
    let mut writer = ModuleWriter { module, additions, has_imports: false, has_globals: false, has_hints: false };
    writer.parse_core_module(&mut output, wasmparser::Parser::new(0), &wasm)?;
    Ok(output.finish())
}

/// The module without its start section.
fn without_start(wasm: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    let mut end = 8;
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if let wasmparser::Payload::StartSection { range, .. } = &payload {
            let rest = usize::try_from(range.end).unwrap_or(wasm.len());
            return Ok(Cow::Owned([&wasm[..end], &wasm[rest..]].concat()));
        }
        if let Some((_, range)) = payload.as_section() {
            end = usize::try_from(range.end).unwrap_or(wasm.len());
        }
    }
    Ok(Cow::Borrowed(wasm))
}

fn count<T>(values: &[T]) -> u32 {
    u32::try_from(values.len()).unwrap_or(u32::MAX)
}

struct ModuleWriter<'m> {
    module: &'m Module<'m>,
    additions: &'m Additions,
    /// What was written already.
    has_imports: bool,
    has_globals: bool,
    has_hints: bool,
}

impl ModuleWriter<'_> {
    /// The type of a new import, and of a new function: each gets its own, after all others.
    fn import_type(&self, at: usize) -> u32 {
        count(&self.module.types) + at as u32
    }

    fn function_type(&self, at: usize) -> u32 {
        self.import_type(self.additions.imports.len() + at)
    }

    /// Whether the state is another instance's.
    fn is_plain(&self) -> bool {
        !self.additions.shared.is_empty()
    }

    fn new_imports(&self) -> u32 {
        count(&self.additions.imports)
    }

    fn add_imports(&mut self, imports: &mut ImportSection) {
        for (at, import) in self.additions.imports.iter().enumerate() {
            imports.import(crate::IMPORTS, import.name, EntityType::Function(self.import_type(at)));
        }
        for (name, kind) in &self.additions.shared {
            imports.import(crate::IMPORTS, name, *kind);
        }
        if self.additions.imports_globals {
            for global in &self.additions.globals {
                let kind = GlobalType { val_type: ValType::I32, mutable: global.mutable, shared: false };
                imports.import(crate::IMPORTS, global.name, kind);
            }
        }
        self.has_imports = true;
    }

    fn add_globals(&mut self, globals: &mut GlobalSection) {
        for global in self.additions.globals.iter().filter(|_| !self.additions.imports_globals) {
            let kind = GlobalType { val_type: ValType::I32, mutable: global.mutable, shared: false };
            globals.global(kind, &ConstExpr::i32_const(global.first));
        }
        self.has_globals = true;
    }

    /// The section that says which branches are unlikely. An engine then keeps the values of a loop in registers, and
    /// saves them only on the way to `refuel`. Without this, a loop of few instructions takes several times as long in
    /// V8.
    /// <https://webassembly.github.io/branch-hinting/core/appendix/custom.html>
    fn hints(&self) -> CustomSection<'static> {
        let hinted = || self.additions.unlikely.iter().enumerate().filter(|(_, places)| !places.is_empty());
        let mut data = Vec::new();
        hinted().count().encode(&mut data);
        for (function, places) in hinted() {
            renumber(self.module, self.new_imports(), self.module.imported_functions + function as u32)
                .encode(&mut data);
            places.len().encode(&mut data);
            for place in places {
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
        Ok(renumber(self.module, self.new_imports(), function))
    }

    fn const_expr(&mut self, expression: wasmparser::ConstExpr<'_>) -> Result<ConstExpr, Failure> {
        let mut operators = expression.get_operators_reader();
        let first = crate::body::next_operator(&mut operators)?;
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
        if !self.has_imports && place(before) > place(Some(SectionId::Import)) {
            let mut imports = ImportSection::new();
            self.add_imports(&mut imports);
            if !imports.is_empty() {
                output.section(&imports);
            }
        }
        if !self.has_globals && place(before) > place(Some(SectionId::Global)) {
            let mut globals = GlobalSection::new();
            self.add_globals(&mut globals);
            if !globals.is_empty() {
                output.section(&globals);
            }
        }
        if !self.has_hints && before == Some(SectionId::Code) {
            if !self.additions.unlikely.is_empty() {
                output.section(&self.hints());
            }
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
        let additions = self.additions;
        let signatures = additions.imports.iter().map(|import| &import.signature);
        for (parameters, results) in signatures.chain(additions.functions.iter().map(|function| &function.signature)) {
            types.ty().function(parameters.iter().copied(), results.iter().copied());
        }
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Failure> {
        utils::parse_import_section(self, imports, section)?;
        self.add_imports(imports);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Failure> {
        utils::parse_function_section(self, functions, section)?;
        for at in 0..self.additions.functions.len() {
            functions.function(self.function_type(at));
        }
        Ok(())
    }

    fn parse_memory_section(
        &mut self,
        memories: &mut MemorySection,
        section: wasmparser::MemorySectionReader<'_>,
    ) -> Result<(), Failure> {
        match self.additions.memory {
            _ if self.is_plain() => Ok(()),
            Some(memory) => {
                memories.memory(memory);
                Ok(())
            }
            None => utils::parse_memory_section(self, memories, section),
        }
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Failure> {
        if !self.is_plain() {
            utils::parse_global_section(self, globals, section)?;
        }
        self.add_globals(globals);
        Ok(())
    }

    fn parse_table_section(
        &mut self,
        tables: &mut TableSection,
        section: wasmparser::TableSectionReader<'_>,
    ) -> Result<(), Failure> {
        if self.is_plain() {
            return Ok(());
        }
        utils::parse_table_section(self, tables, section)
    }

    fn data_count(&mut self, count: u32) -> Result<u32, Failure> {
        Ok(if self.is_plain() { 0 } else { count })
    }

    fn parse_data_section(
        &mut self,
        data: &mut DataSection,
        section: wasmparser::DataSectionReader<'_>,
    ) -> Result<(), Failure> {
        if self.is_plain() {
            return Ok(());
        }
        utils::parse_data_section(self, data, section)
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Failure> {
        for export in section {
            let export = export?;
            let is_function =
                matches!(export.kind, wasmparser::ExternalKind::Func | wasmparser::ExternalKind::FuncExact);
            if is_function || !self.is_plain() {
                utils::parse_export(self, exports, export)?;
            }
        }
        for (name, kind, index) in &self.additions.exports {
            exports.export(name, *kind, *index);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        _section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Failure> {
        let additions = self.additions;
        for body in additions.bodies.iter().chain(additions.functions.iter().map(|function| &function.code)) {
            code.raw(body);
        }
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
                let first = first_function(self.module, self.new_imports());
                for (at, function) in (first..).zip(&self.additions.functions) {
                    functions.append(at, &function.name);
                }
                names.functions(&functions);
            }
            wasmparser::Name::Global(map) => {
                let mut globals: NameMap = utils::name_map(map, |global| self.global_index(global))?;
                for (at, global) in (count(&self.module.globals)..).zip(&self.additions.globals) {
                    globals.append(at, global.name);
                }
                names.globals(&globals);
            }
            // Unrolled loops have more labels, so the numbers of labels change; no one needs their names.
            wasmparser::Name::Label(_) => {}
            other => utils::parse_custom_name_subsection(self, names, other)?,
        }
        Ok(())
    }
}
