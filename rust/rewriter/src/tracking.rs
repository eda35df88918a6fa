//! The module that tracks what it writes, so that a runtime can undo a call that failed.
//!
//! It has a table in which its code marks the parts of memory that it writes (`cards`), and it hands out what it
//! overwrites in its own tables (`tables`). What else is state is exported: globals, tables. The start function is
//! exported, too, and does not run by itself: a runtime that puts an old state into a new instance does not want it.

use crate::cards::{self, Added, Tracker, TABLE_BYTES};
use crate::growth::{self, with_room};
use crate::mark::Tracked;
use crate::polls::{self, POLL, WATCHING};
use crate::read::{Global, Module};
use crate::stack::find_candidate;
use crate::survey::Survey;
use crate::tables::{keep_signature, KEEP_EXTERNREF, KEEP_FUNCREF};
use crate::write::{first_function, write, Additions, NewGlobal, NewImport};
use crate::{Error, Statistics};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{EntityType, ExportKind, ValType};
use wasmparser::RefType;

/// What the names of all added exports begin with.
const PREFIX: &str = "__unpanic_";
const PAGE_BYTES: u64 = 65_536;

/// The module with marks, and what a runtime has to know of it.
pub(crate) fn add_tracking(
    wasm: &[u8],
    is_plain: bool,
    statistics: &mut Statistics,
) -> Result<(Vec<u8>, Tracked), Error> {
    let module = Module::read(wasm)?;
    let survey = Survey::of(&module)?;
    if is_plain && (survey.has_own || module.has_own || survey.writes_funcref) {
        return Err(Error::Refused("it has a state that two instances cannot share".to_owned()));
    }
    let memory = with_room(&module)?;
    let pages = u32::try_from(module.memories[0].initial).unwrap_or(u32::MAX);
    let table = u32::try_from(u64::from(pages) * PAGE_BYTES).unwrap_or(u32::MAX);

    let mut imports = Vec::new();
    let keeps = [
        (survey.writes_externref, KEEP_EXTERNREF, ValType::EXTERNREF),
        (survey.writes_funcref, KEEP_FUNCREF, ValType::FUNCREF),
    ];
    for (_, name, element) in keeps.into_iter().filter(|&(is_needed, _, _)| is_needed) {
        imports.push(NewImport { name, signature: keep_signature(element) });
    }
    let keeping = imports.len() as u32;
    // Plain code runs in no entry of the event loop, so it polls nothing.
    let polls = survey.polls.filter(|_| !is_plain);
    if polls.is_some() {
        imports.push(NewImport { name: POLL, signature: polls::signature() });
    }
    let mark = first_function(&module, imports.len() as u32);
    let poll = polls.map(|_| mark + 3);
    let writes = poll.map_or(mark + 3, |poll| poll + 1);
    let added = Added { imports: imports.len() as u32, mark, size: mark + 1, grow: mark + 2, poll, writes };

    let (tracker, bodies) = track(&module, &survey, table, added, is_plain)?;
    let mut functions = vec![cards::mark(table), growth::size(pages), growth::grow(added.size)];
    let mut globals = Vec::new();
    if !is_plain {
        globals.push(NewGlobal { name: "unpanic.cards", mutable: false, first: table.cast_signed() });
    }
    if let Some((kind, functions_table)) = polls {
        let watching = module.globals.len() as u32 + 1;
        functions.push(polls::call(kind, functions_table, watching, module.imported_functions + keeping));
        globals.push(NewGlobal { name: WATCHING, mutable: true, first: 0 });
    }
    for write in &tracker.writes {
        let is_externref = module.tables[write.table() as usize].kind.element_type == RefType::EXTERNREF;
        let (element, at) = match is_externref {
            true => (ValType::EXTERNREF, 0),
            false => (ValType::FUNCREF, u32::from(survey.writes_externref)),
        };
        functions.push(write.function(element, module.imported_functions + at));
    }
    let additions = Additions {
        imports,
        functions,
        globals,
        exports: if is_plain { Vec::new() } else { exports(&module, &added)? },
        shared: if is_plain { shared(&module)? } else { Vec::new() },
        imports_globals: is_plain,
        memory: Some(memory),
        without_start: true,
        bodies,
        unlikely: Vec::new(),
    };
    *statistics = Statistics {
        bytes_before: statistics.bytes_before,
        functions: module.functions.len() as u32,
        ..tracker.statistics
    };
    let tracked = Tracked { stack_pointer: tracker.stack_pointer, table_bytes: TABLE_BYTES, pages };
    Ok((write(&module, wasm, &additions)?, tracked))
}

/// The bodies with marks; if the stack pointer turns out to be none, once more.
fn track<'m>(
    module: &'m Module<'m>,
    survey: &'m Survey,
    table: u32,
    added: Added,
    is_plain: bool,
) -> Result<(Tracker<'m>, Vec<Vec<u8>>), Error> {
    let mut candidate = if is_plain { None } else { find_candidate(module, survey) };
    if candidate.is_some() {
        let mut tracker = Tracker::new(module, survey, candidate, table, added);
        for &function in &survey.odd {
            tracker.body(function)?;
        }
        candidate = candidate.filter(|_| !tracker.is_unsure);
    }
    for stack_pointer in [candidate, None] {
        let mut tracker = Tracker::new(module, survey, stack_pointer, table, added);
        tracker.marks = !is_plain;
        let mut bodies = Vec::with_capacity(module.code.len());
        while bodies.len() < module.code.len() && !tracker.is_unsure {
            bodies.push(tracker.body(bodies.len())?);
        }
        if !tracker.is_unsure {
            return Ok((tracker, bodies));
        }
    }
    Err(Error::Malformed("a module without a stack pointer has one".to_owned()))
}

fn exports(module: &Module<'_>, added: &Added) -> Result<Vec<(String, ExportKind, u32)>, Error> {
    let mut exports = vec![
        (format!("{PREFIX}cards"), ExportKind::Global, module.globals.len() as u32),
        (format!("{PREFIX}mark"), ExportKind::Func, added.mark),
    ];
    for (at, global) in (0u32..).zip(&module.globals).filter(|(_, global)| !global.is_imported) {
        exports.push((global_name(at, global), ExportKind::Global, at));
    }
    for at in 0..module.tables.len() as u32 {
        exports.push((format!("{PREFIX}table_{at}"), ExportKind::Table, at));
    }
    if let Some(poll) = added.poll {
        exports.push(("__unpanic_watching".to_owned(), ExportKind::Global, module.globals.len() as u32 + 1));
        exports.push(("__unpanic_poll".to_owned(), ExportKind::Func, poll));
    }
    if let Some(start) = module.start {
        let start = crate::write::renumber(module, added.imports, start);
        exports.push((format!("{PREFIX}start_function"), ExportKind::Func, start));
    }
    match exports.iter().find(|(name, _, _)| module.exports.iter().any(|export| export.name == name)) {
        Some((name, _, _)) => Err(Error::Refused(format!("it has an export of its own called {name}"))),
        None => Ok(exports),
    }
}

fn global_name(at: u32, global: &Global) -> String {
    format!("{PREFIX}{}_{at}", if global.kind.mutable { "global" } else { "constant" })
}

/// What a plain imports, so that it has the state of the tracked instance: by the names of that one's exports.
fn shared(module: &Module<'_>) -> Result<Vec<(String, EntityType)>, Error> {
    let mut kept = RoundtripReencoder;
    let malformed = |_| Error::Malformed("a type is unknown".to_owned());
    let memory = module.exports.iter().find(|export| export.kind == wasmparser::ExternalKind::Memory);
    let mut shared = Vec::new();
    if let Some(memory) = memory {
        shared.push((memory.name.to_owned(), EntityType::Memory(with_room(module)?)));
    }
    for (at, table) in (0u32..).zip(&module.tables) {
        let mut kind = kept.table_type(table.kind).map_err(malformed)?;
        // A plain function that tracked code calls would leave no marks.
        let is_own = table.kind.element_type == RefType::FUNCREF;
        if is_own {
            kind.maximum = None;
        }
        let own = if is_own { "own_" } else { "" };
        shared.push((format!("{PREFIX}{own}table_{at}"), EntityType::Table(kind)));
    }
    for (at, global) in (0u32..).zip(&module.globals).filter(|(_, global)| !global.is_imported) {
        let kind = kept.global_type(global.kind).map_err(malformed)?;
        shared.push((global_name(at, global), EntityType::Global(kind)));
    }
    Ok(shared)
}
