//! What the rewriter has to know of a module before it writes, and which modules it refuses.

use crate::body::{Body, Ranges};
use crate::Error;
use wasmparser::{ElementItems, ExternalKind, FuncType, MemoryType, Operator, Parser, Payload, TableType, TypeRef};

/// A module that was read. Functions have their numbers of the original.
#[derive(Default)]
pub(crate) struct Module<'a> {
    pub types: Vec<FuncType>,
    pub imported_functions: u32,
    pub globals: u32,
    /// For each memory and each table: whether it has addresses of 64 bits.
    pub wide_memories: Vec<bool>,
    pub wide_tables: Vec<bool>,
    /// The types of the functions that are not imported.
    pub functions: Vec<u32>,
    pub bodies: Vec<Body<'a>>,
    /// Functions that can be called without their number: they are in a table, or a reference to them is made.
    pub taken: Vec<u32>,
    pub exported: Vec<u32>,
}

impl<'a> Module<'a> {
    pub(crate) fn read(wasm: &'a [u8]) -> Result<Self, Error> {
        let mut module = Module::default();
        for payload in Parser::new(0).parse_all(wasm) {
            module.take(payload?)?;
        }
        if module.bodies.len() != module.functions.len() {
            return Err(Error::Malformed(format!(
                "it declares {} functions and has {} bodies",
                module.functions.len(),
                module.bodies.len()
            )));
        }
        Ok(module)
    }

    fn take(&mut self, payload: Payload<'a>) -> Result<(), Error> {
        match payload {
            Payload::Version { encoding, .. } if encoding != wasmparser::Encoding::Module => {
                return Err(Error::Refused("it is a component, not a module".to_owned()));
            }
            Payload::TypeSection(section) => {
                for group in section {
                    self.types.extend(plain_types(group?)?);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.import(&import?.ty)?;
                }
            }
            Payload::FunctionSection(section) => {
                for index in section {
                    self.functions.push(index?);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memory(memory?)?;
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    let table = table?;
                    self.table(table.ty)?;
                    if let wasmparser::TableInit::Expr(expression) = table.init {
                        self.references(&expression)?;
                    }
                }
            }
            Payload::GlobalSection(section) => {
                self.globals += section.count();
                for global in section {
                    self.references(&global?.init_expr)?;
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                        self.exported.push(export.index);
                    }
                }
            }
            Payload::ElementSection(section) => {
                for element in section {
                    self.elements(element?.items)?;
                }
            }
            Payload::CodeSectionEntry(body) => {
                let body = Body::read(&body)?;
                self.taken.extend(&body.taken);
                self.bodies.push(body);
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, kind: &TypeRef) -> Result<(), Error> {
        match kind {
            TypeRef::Func(_) | TypeRef::FuncExact(_) => self.imported_functions += 1,
            TypeRef::Global(_) => self.globals += 1,
            TypeRef::Memory(memory) => self.memory(*memory)?,
            TypeRef::Table(table) => self.table(*table)?,
            TypeRef::Tag(_) => {}
        }
        Ok(())
    }

    fn memory(&mut self, memory: MemoryType) -> Result<(), Error> {
        self.wide_memories.push(memory.memory64);
        refuse_shared(memory.shared)
    }

    fn table(&mut self, table: TableType) -> Result<(), Error> {
        self.wide_tables.push(table.table64);
        refuse_shared(table.shared)
    }

    fn elements(&mut self, items: ElementItems<'a>) -> Result<(), Error> {
        match items {
            ElementItems::Functions(functions) => {
                for function in functions {
                    self.taken.push(function?);
                }
            }
            ElementItems::Expressions(_, expressions) => {
                for expression in expressions {
                    self.references(&expression?)?;
                }
            }
        }
        Ok(())
    }

    /// Notes the functions to which a constant expression makes references.
    fn references(&mut self, expression: &wasmparser::ConstExpr<'a>) -> Result<(), Error> {
        for operator in expression.get_operators_reader() {
            if let Operator::RefFunc { function_index } = operator? {
                self.taken.push(function_index);
            }
        }
        Ok(())
    }

    /// The number of a function among those that are defined here; none for an import.
    pub(crate) fn defined(&self, function: u32) -> Option<usize> {
        let index = function.checked_sub(self.imported_functions)? as usize;
        (index < self.bodies.len()).then_some(index)
    }

    /// How many parameters a defined function has.
    pub(crate) fn parameters(&self, defined: usize) -> Result<u32, Error> {
        let index = self.functions[defined] as usize;
        let parameters = self.types.get(index).map(|found| found.params().len());
        parameters
            .and_then(|count| u32::try_from(count).ok())
            .ok_or_else(|| Error::Malformed(format!("there is no type {index}")))
    }

    /// Whether the length of a bulk instruction has 64 bits.
    pub(crate) fn has_wide_length(&self, ranges: Ranges) -> bool {
        let is_wide = |all: &[bool], number: u32| all.get(number as usize).copied().unwrap_or(false);
        match ranges {
            Ranges::Memories(to, from) => is_wide(&self.wide_memories, to) && is_wide(&self.wide_memories, from),
            Ranges::Tables(to, from) => is_wide(&self.wide_tables, to) && is_wide(&self.wide_tables, from),
            Ranges::Segment => false,
        }
    }

    /// Whether a block of a type takes values from the stack.
    pub(crate) fn takes_values(&self, block: wasmparser::BlockType) -> bool {
        match block {
            wasmparser::BlockType::FuncType(index) => {
                let found = self.types.get(index as usize);
                found.is_none_or(|found| !found.params().is_empty())
            }
            _ => false,
        }
    }
}

fn plain_types(group: wasmparser::RecGroup) -> Result<Vec<FuncType>, Error> {
    let refused = || Error::Refused("it uses garbage collection (types that are no functions)".to_owned());
    let types = group.into_types().map(|found| {
        let plain = found.is_final && found.supertype_idxs.is_empty();
        match found.composite_type.inner {
            wasmparser::CompositeInnerType::Func(function) if plain && !found.composite_type.shared => Ok(function),
            _ => Err(refused()),
        }
    });
    types.collect()
}

fn refuse_shared(shared: bool) -> Result<(), Error> {
    if shared {
        return Err(Error::Refused("it uses threads (a shared memory)".to_owned()));
    }
    Ok(())
}
