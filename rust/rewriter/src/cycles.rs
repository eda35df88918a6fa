//! Which functions look at the counter when they begin, and which use no fuel at all.
//!
//! Three kinds of functions look at it:
//!
//! - One function of each cycle of calls. Any one will do, so few are chosen: those at which a depth-first search along
//!   the calls arrives while it is still below them. A call through a table may reach any function that is in a table
//!   or to which a reference is made. JavaScript, which imports lead to, may call any export.
//! - Functions of long call trees. Without a loop and without a cycle, forty functions that call each other in turn,
//!   each one twice, run for days.

use crate::body::Kind;
use crate::read::Module;

/// The most that is charged at once, in instructions.
pub(crate) const MOST: u32 = 10_000;
/// How many instructions a function and its callees may run without a look at the counter.
const LONGEST_UNCHARGED: u32 = 100_000;

pub(crate) struct Calls {
    /// For each defined function that looks at the counter when it begins: what it charges there.
    pub entries: Vec<Option<u32>>,
    /// For each defined function that uses no fuel: how many instructions it runs at most, its callees included.
    pub quiet: Vec<Option<u32>>,
}

impl Calls {
    pub(crate) fn of(module: &Module<'_>) -> Self {
        let graph = Graph::of(module);
        let mut entries = vec![None; graph.callees.len()];
        graph.charge(graph.reentered(module), &mut entries);
        let (heads, finished) = graph.search();
        graph.charge(heads, &mut entries);
        graph.charge_long(&finished, &mut entries);
        let mut quiet: Vec<Option<u32>> = vec![None; graph.callees.len()];
        for function in finished {
            quiet[function] = graph.quiet_cost(module, function, &entries, &quiet);
        }
        Calls { entries, quiet }
    }
}

struct Graph {
    /// For each defined function: the defined functions that it calls by number, once for each such call.
    callees: Vec<Vec<usize>>,
    /// For each: how many instructions it has.
    sizes: Vec<u32>,
    /// It calls through a table.
    indirect: Vec<bool>,
    /// It calls an import.
    leaves: Vec<bool>,
}

impl Graph {
    fn of(module: &Module<'_>) -> Self {
        let count = module.bodies.len();
        let mut graph = Graph {
            callees: Vec::with_capacity(count),
            sizes: module.bodies.iter().map(|body| body.size).collect(),
            indirect: vec![false; count],
            leaves: vec![false; count],
        };
        for (function, body) in module.bodies.iter().enumerate() {
            let mut callees = Vec::new();
            for event in &body.events {
                match event.kind {
                    Kind::Call { function: callee, .. } => match module.defined(callee) {
                        Some(callee) => callees.push(callee),
                        None => graph.leaves[function] = true,
                    },
                    Kind::CallIndirect { .. } => graph.indirect[function] = true,
                    _ => {}
                }
            }
            graph.callees.push(callees);
        }
        graph
    }

    fn charge(&self, functions: impl IntoIterator<Item = usize>, entries: &mut [Option<u32>]) {
        for function in functions {
            entries[function] = Some(self.sizes[function].min(MOST));
        }
    }

    /// The functions through which a cycle of calls goes that the numbers in calls do not show.
    fn reentered(&self, module: &Module<'_>) -> Vec<usize> {
        let defined = |functions: &[u32]| -> Vec<usize> {
            functions.iter().filter_map(|&function| module.defined(function)).collect()
        };
        let callers = self.callers();
        let reach_table = reaching(&self.indirect, &callers);
        let reach_import = reaching(&self.leaves, &callers);
        let mut found = defined(&module.taken);
        found.retain(|&function| reach_table[function]);
        found.extend(defined(&module.exported).into_iter().filter(|&function| reach_import[function]));
        found
    }

    fn callers(&self) -> Vec<Vec<usize>> {
        let mut callers: Vec<Vec<usize>> = vec![Vec::new(); self.callees.len()];
        for (function, callees) in self.callees.iter().enumerate() {
            for &callee in callees {
                callers[callee].push(function);
            }
        }
        callers
    }

    /// A depth-first search along the calls: the functions at which it arrives while it is below them, and all
    /// functions, callees before callers.
    fn search(&self) -> (Vec<usize>, Vec<usize>) {
        #[derive(Clone, Copy, PartialEq)]
        enum Visit {
            Not,
            Open,
            Done,
        }
        let mut visits = vec![Visit::Not; self.callees.len()];
        let mut heads = Vec::new();
        let mut finished = Vec::with_capacity(visits.len());
        for root in 0..visits.len() {
            if visits[root] != Visit::Not {
                continue;
            }
            visits[root] = Visit::Open;
            let mut path = vec![(root, self.callees[root].iter())];
            while let Some((function, rest)) = path.last_mut() {
                match rest.next() {
                    Some(&callee) => match visits[callee] {
                        Visit::Not => {
                            visits[callee] = Visit::Open;
                            path.push((callee, self.callees[callee].iter()));
                        }
                        Visit::Open => heads.push(callee),
                        Visit::Done => {}
                    },
                    None => {
                        visits[*function] = Visit::Done;
                        finished.push(*function);
                        path.pop();
                    }
                }
            }
        }
        (heads, finished)
    }

    /// Adds functions that would run too many instructions without a look at the counter, their callees included.
    fn charge_long(&self, finished: &[usize], entries: &mut [Option<u32>]) {
        let mut uncharged = vec![0u32; self.callees.len()];
        for &function in finished {
            let callees = self.callees[function].iter().map(|&callee| uncharged[callee]);
            let cost = callees.fold(self.sizes[function], u32::saturating_add);
            if entries[function].is_some() {
                continue;
            }
            if cost > LONGEST_UNCHARGED {
                entries[function] = Some(MOST);
            } else {
                uncharged[function] = cost;
            }
        }
    }

    /// How many instructions a function runs at most, if it uses no fuel and throws nothing.
    ///
    /// The caller does not write its count to the global before it calls such a function. So the function must not
    /// throw: a handler reads the global again.
    fn quiet_cost(
        &self,
        module: &Module<'_>,
        function: usize,
        entries: &[Option<u32>],
        quiet: &[Option<u32>],
    ) -> Option<u32> {
        let body = &module.bodies[function];
        let is_loud =
            body.has_loops || body.has_bulk || body.throws || self.indirect[function] || self.leaves[function];
        if is_loud || entries[function].is_some() {
            return None;
        }
        let mut cost = body.size;
        for &callee in &self.callees[function] {
            cost = cost.saturating_add(quiet[callee]?);
        }
        Some(cost.min(MOST))
    }
}

/// Which functions can come to one of those that are marked, or are marked themselves.
fn reaching(marked: &[bool], callers: &[Vec<usize>]) -> Vec<bool> {
    let mut reaches = marked.to_vec();
    let mut open: Vec<usize> = (0..reaches.len()).filter(|&function| reaches[function]).collect();
    while let Some(function) = open.pop() {
        for &caller in &callers[function] {
            if !reaches[caller] {
                reaches[caller] = true;
                open.push(caller);
            }
        }
    }
    reaches
}
