//! What the rewriter has to know of a module before it writes, and which modules it refuses.

use crate::body::{next_operator, Body, Ranges};
use crate::polls::schedules;
use crate::Error;
use wasmparser::{
    ConstExpr, Data, DataKind, ElementItems, ExternalKind, FuncType, FunctionBody, GlobalType, KnownCustom, MemoryType,
    Name, Operator, Parser, Payload, TableType, TypeRef,
};

/// The name that linkers give to the global that points to the end of the Rust stack.
const STACK_POINTER: &str = "__stack_pointer";

pub(crate) struct Global {
    pub kind: GlobalType,
    pub is_imported: bool,
    /// Its first value, if that is a plain number of 32 bits.
    pub first: Option<i32>,
}

pub(crate) struct Table {
    pub kind: TableType,
    pub is_imported: bool,
}

pub(crate) struct Export<'a> {
    pub name: &'a str,
    pub kind: ExternalKind,
}

/// A module that was read. Functions have their numbers of the original.
#[derive(Default)]
pub(crate) struct Module<'a> {
    pub types: Vec<FuncType>,
    pub imported_functions: u32,
    /// The types of all functions, the imported ones first.
    pub signatures: Vec<u32>,
    /// The types of the functions that are not imported.
    pub functions: Vec<u32>,
    pub code: Vec<FunctionBody<'a>>,
    /// What [`Module::read_bodies`] found in the code.
    pub bodies: Vec<Body<'a>>,
    /// Functions that can be called without their number: they are in a table, or a reference to them is made.
    pub taken: Vec<u32>,
    pub exported: Vec<u32>,
    pub exports: Vec<Export<'a>>,
    pub globals: Vec<Global>,
    pub tables: Vec<Table>,
    pub memories: Vec<MemoryType>,
    pub imported_memories: u32,
    pub start: Option<u32>,
    /// It has itself called later, so there may be futures.
    pub awaits: bool,
    /// Where in memory the first byte of data is placed; none if that is not known of all data, or there is none.
    pub first_data: Option<u32>,
    has_unplaced_data: bool,
    /// Each instance has something of its own, besides memory, tables and globals; or JavaScript values are put into a
    /// table when it begins.
    pub has_own: bool,
    /// The global that the name section calls the stack pointer.
    pub named_stack_pointer: Option<u32>,
}

impl<'a> Module<'a> {
    pub(crate) fn read(wasm: &'a [u8]) -> Result<Self, Error> {
        let mut module = Module::default();
        for payload in Parser::new(0).parse_all(wasm) {
            module.take(payload?)?;
        }
        if module.code.len() != module.functions.len() {
            return Err(Error::Malformed(format!(
                "it declares {} functions and has {} bodies",
                module.functions.len(),
                module.code.len()
            )));
        }
        if module.has_unplaced_data {
            module.first_data = None;
        }
        Ok(module)
    }

    /// Reads the events of all bodies.
    pub(crate) fn read_bodies(&mut self) -> Result<(), Error> {
        self.bodies = self.code.iter().map(Body::read).collect::<Result<_, _>>()?;
        self.taken.extend(self.bodies.iter().flat_map(|body| &body.taken));
        Ok(())
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
                    let import = import?;
                    self.awaits |= schedules(import.name);
                    self.import(&import.ty)?;
                }
            }
            Payload::FunctionSection(section) => {
                for index in section {
                    let index = index?;
                    self.functions.push(index);
                    self.signatures.push(index);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory?;
                    refuse_shared(memory.shared)?;
                    self.memories.push(memory);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    let table = table?;
                    refuse_shared(table.ty.shared)?;
                    self.tables.push(Table { kind: table.ty, is_imported: false });
                    if let wasmparser::TableInit::Expr(expression) = table.init {
                        self.references(&expression)?;
                    }
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    self.references(&global.init_expr)?;
                    let first = plain_number(&global.init_expr)?;
                    self.globals.push(Global { kind: global.ty, is_imported: false, first });
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                        self.exported.push(export.index);
                    }
                    self.exports.push(Export { name: export.name, kind: export.kind });
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::DataSection(section) => {
                for data in section {
                    self.data(&data?)?;
                }
            }
            Payload::ElementSection(section) => {
                for element in section {
                    let element = element?;
                    let is_active = matches!(element.kind, wasmparser::ElementKind::Active { .. });
                    let is_value = |kind| kind != wasmparser::RefType::FUNCREF;
                    self.has_own |=
                        is_active && matches!(&element.items, ElementItems::Expressions(kind, _) if is_value(*kind));
                    self.elements(element.items)?;
                }
            }
            Payload::TagSection(_) => self.has_own = true,
            Payload::CodeSectionEntry(body) => self.code.push(body),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    self.named_stack_pointer = find_stack_pointer(names);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, kind: &TypeRef) -> Result<(), Error> {
        match *kind {
            TypeRef::Func(index) | TypeRef::FuncExact(index) => {
                self.imported_functions += 1;
                self.signatures.push(index);
            }
            TypeRef::Global(kind) => self.globals.push(Global { kind, is_imported: true, first: None }),
            TypeRef::Memory(memory) => {
                refuse_shared(memory.shared)?;
                self.memories.push(memory);
                self.imported_memories += 1;
            }
            TypeRef::Table(kind) => {
                refuse_shared(kind.shared)?;
                self.has_own = true;
                self.tables.push(Table { kind, is_imported: true });
            }
            TypeRef::Tag(_) => {}
        }
        Ok(())
    }

    fn data(&mut self, data: &Data<'a>) -> Result<(), Error> {
        let place = match &data.kind {
            DataKind::Active { offset_expr, .. } => plain_number(offset_expr)?,
            DataKind::Passive => None,
        };
        match place {
            Some(place) => {
                let place = place.cast_unsigned();
                self.first_data = Some(self.first_data.map_or(place, |first| first.min(place)));
            }
            None => self.has_unplaced_data = true,
        }
        Ok(())
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
        let mut operators = expression.get_operators_reader();
        while !operators.eof() {
            if let Operator::RefFunc { function_index } = next_operator(&mut operators)? {
                self.taken.push(function_index);
            }
        }
        Ok(())
    }

    /// The number of a function among those that are defined here; none for an import.
    pub(crate) fn defined(&self, function: u32) -> Option<usize> {
        let index = function.checked_sub(self.imported_functions)? as usize;
        (index < self.functions.len()).then_some(index)
    }

    /// The type of any function.
    pub(crate) fn signature(&self, function: u32) -> Result<&FuncType, Error> {
        let index = self.signatures.get(function as usize).copied();
        let index = index.ok_or_else(|| Error::Malformed(format!("there is no function {function}")))?;
        self.function_type(index)
    }

    pub(crate) fn function_type(&self, index: u32) -> Result<&FuncType, Error> {
        self.types.get(index as usize).ok_or_else(|| Error::Malformed(format!("there is no type {index}")))
    }

    /// How many values a block takes from the stack, and how many it leaves there.
    pub(crate) fn block_arity(&self, block: wasmparser::BlockType) -> Result<(usize, usize), Error> {
        Ok(match block {
            wasmparser::BlockType::Empty => (0, 0),
            wasmparser::BlockType::Type(_) => (0, 1),
            wasmparser::BlockType::FuncType(index) => {
                let found = self.function_type(index)?;
                (found.params().len(), found.results().len())
            }
        })
    }

    /// How many parameters a defined function has.
    pub(crate) fn parameters(&self, defined: usize) -> Result<u32, Error> {
        let parameters = self.function_type(self.functions[defined])?.params().len();
        Ok(u32::try_from(parameters).unwrap_or(u32::MAX))
    }

    /// Whether the length of a bulk instruction has 64 bits.
    pub(crate) fn has_wide_length(&self, ranges: Ranges) -> bool {
        let memory = |at: u32| self.memories.get(at as usize).is_some_and(|memory| memory.memory64);
        let table = |at: u32| self.tables.get(at as usize).is_some_and(|table| table.kind.table64);
        match ranges {
            Ranges::Memories(to, from) => memory(to) && memory(from),
            Ranges::Tables(to, from) => table(to) && table(from),
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

/// The value of a constant expression, if it is one plain number of 32 bits.
fn plain_number(expression: &ConstExpr<'_>) -> Result<Option<i32>, Error> {
    let mut operators = expression.get_operators_reader();
    let first = next_operator(&mut operators)?;
    let is_alone = matches!(next_operator(&mut operators)?, Operator::End);
    Ok(match first {
        Operator::I32Const { value } if is_alone => Some(value),
        _ => None,
    })
}

fn find_stack_pointer(names: wasmparser::NameSectionReader<'_>) -> Option<u32> {
    // A name section that cannot be read is no reason to refuse the module.
    names
        .into_iter()
        .filter_map(Result::ok)
        .find_map(|names| match names {
            Name::Global(names) => names.into_iter().filter_map(Result::ok).find(|name| name.name == STACK_POINTER),
            _ => None,
        })
        .map(|name| name.index)
}

fn refuse_shared(shared: bool) -> Result<(), Error> {
    if shared {
        return Err(Error::Refused("it uses threads (a shared memory)".to_owned()));
    }
    Ok(())
}
