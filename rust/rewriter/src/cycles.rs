//! Which functions can call themselves, through others too, and which use no fuel at all.
//!
//! A cycle of calls is found if one of its functions looks at the counter when it begins. Which function it is does not
//! matter, so few are chosen: those at which a search along the calls arrives while it is still in them.

use crate::body::Kind;
use crate::read::Module;

/// What no turn of a loop is taken to cost more than.
pub(crate) const MOST: u32 = 10_000;

pub(crate) struct Calls {
    /// For each defined function: it looks at the counter when it begins.
    pub counts: Vec<bool>,
    /// For each defined function that uses no fuel: how many instructions it runs at most, those it calls included.
    pub quiet: Vec<Option<u32>>,
}

impl Calls {
    pub(crate) fn of(module: &Module<'_>) -> Self {
        let graph = Graph::of(module);
        let mut counts = vec![false; graph.callees.len()];
        graph.count_indirect(&mut counts);
        let finished = graph.count_cycles(&mut counts);
        let mut quiet: Vec<Option<u32>> = vec![None; graph.callees.len()];
        for function in finished {
            quiet[function] = graph.cost(module, function, &counts, &quiet);
        }
        Calls { counts, quiet }
    }
}

struct Graph {
    /// The defined functions that a defined function calls by number.
    callees: Vec<Vec<usize>>,
    /// It calls through a table.
    indirect: Vec<bool>,
    /// It calls an import, which may call anything.
    leaves: Vec<bool>,
    /// Functions that a call through a table may reach.
    taken: Vec<usize>,
}

impl Graph {
    fn of(module: &Module<'_>) -> Self {
        let count = module.bodies.len();
        let mut graph = Graph {
            callees: Vec::with_capacity(count),
            indirect: vec![false; count],
            leaves: vec![false; count],
            taken: module.taken.iter().filter_map(|&function| module.defined(function)).collect(),
        };
        graph.taken.sort_unstable();
        graph.taken.dedup();
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
            callees.sort_unstable();
            callees.dedup();
            graph.callees.push(callees);
        }
        graph
    }

    /// Functions in a table that can come to a call through a table count: that call may be of themselves.
    fn count_indirect(&self, counts: &mut [bool]) {
        let mut callers: Vec<Vec<usize>> = vec![Vec::new(); self.callees.len()];
        for (function, callees) in self.callees.iter().enumerate() {
            for &callee in callees {
                callers[callee].push(function);
            }
        }
        let mut reaches = self.indirect.clone();
        let mut open: Vec<usize> = (0..reaches.len()).filter(|&function| reaches[function]).collect();
        while let Some(function) = open.pop() {
            for &caller in &callers[function] {
                if !reaches[caller] {
                    reaches[caller] = true;
                    open.push(caller);
                }
            }
        }
        for &function in &self.taken {
            counts[function] |= reaches[function];
        }
    }

    /// Marks functions so that each cycle of calls has one; all functions, callees before callers.
    fn count_cycles(&self, counts: &mut [bool]) -> Vec<usize> {
        #[derive(Clone, Copy, PartialEq)]
        enum Visit {
            Not,
            Open,
            Done,
        }
        let mut visits = vec![Visit::Not; self.callees.len()];
        let mut finished = Vec::with_capacity(visits.len());
        for root in 0..visits.len() {
            if visits[root] != Visit::Not {
                continue;
            }
            visits[root] = Visit::Open;
            let mut path = vec![(root, 0)];
            while let Some((function, next)) = path.last_mut() {
                let function = *function;
                match self.callees[function].get(*next) {
                    Some(&callee) => {
                        *next += 1;
                        match visits[callee] {
                            Visit::Not => {
                                visits[callee] = Visit::Open;
                                path.push((callee, 0));
                            }
                            Visit::Open => counts[callee] = true,
                            Visit::Done => {}
                        }
                    }
                    None => {
                        visits[function] = Visit::Done;
                        finished.push(function);
                        path.pop();
                    }
                }
            }
        }
        finished
    }

    /// How many instructions a function runs, if it uses no fuel.
    fn cost(&self, module: &Module<'_>, function: usize, counts: &[bool], quiet: &[Option<u32>]) -> Option<u32> {
        let body = &module.bodies[function];
        if body.has_loops || counts[function] || self.indirect[function] || self.leaves[function] {
            return None;
        }
        let mut cost = body.size;
        for event in &body.events {
            if let Kind::Call { function: callee, .. } = event.kind {
                cost = cost.saturating_add(quiet[module.defined(callee)?]?);
            }
        }
        Some(cost.min(MOST))
    }
}
