//! Which card a store has to mark, and which stores are covered by a mark that was made on every way to them.
//!
//! A mark stands for its card and for the first [`REACH`] bytes of the next one; the first card is the next one of the
//! last. So the mark of an address covers at least that many bytes from there, modulo 2^32. An address is computed modulo
//! 2^32, too, and the offset of a store is added without an overflow, or the store traps. So if a name stands for `n`, and
//! the card of `n + mark` is marked, a store of `size` bytes at `n + at` is covered if `at - mark`, modulo 2^32, is at most
//! `REACH - size`.
//!
//! A longer reach would need fewer marks, but all of it is copied for each mark: a call that writes in one place would
//! cost twice as much if a mark stood for two whole cards.

use crate::cards::{CARD_BYTES, SHIFT};
use crate::values::{Value, Values, FRAME, UNKNOWN, ZERO};

/// What has to be marked for a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The store writes into the frame of its function, below where the stack was empty.
    Frame,
    /// A mark covers it.
    Covered,
    /// A card that is known.
    Card(u32),
    /// The card of the sum of a local and a number.
    Local { local: u32, distance: i32 },
    /// The card of the sum of the address on the stack and a number.
    Operand { distance: i32 },
}

/// How far a store may be from a marked address that is used instead of its own, in bytes. The runtime knows this number
/// too (js/src/instance/shadow.js).
pub(crate) const REACH: u32 = 1024;

/// Decides for a store of some bytes at an address and an offset, and notes the mark.
pub(crate) fn decide(values: &mut Values, address: Value, offset: u64, size: u64) -> Mark {
    if address.name == FRAME {
        let end = i64::from(address.delta).saturating_add_unsigned(offset).saturating_add_unsigned(size);
        return if end <= 0 { Mark::Frame } else { Mark::Operand { distance: near(offset, size) } };
    }
    if address.name == UNKNOWN {
        return Mark::Operand { distance: near(offset, size) };
    }
    // The offset of an instruction has 32 bits.
    let at = address.delta.wrapping_add(offset as u32 as i32);
    if address.name == ZERO {
        return decide_constant(values, at.cast_unsigned(), size);
    }
    if values.marks(address.name).any(|mark| covers(mark, at, size, REACH)) {
        return Mark::Covered;
    }
    let local = values.local(address.local);
    if local.name == address.name {
        let mark = if covers(local.delta, at, size, REACH) { local.delta } else { at };
        values.note_mark(address.name, mark);
        return Mark::Local { local: address.local, distance: mark.wrapping_sub(local.delta) };
    }
    let distance = near(offset, size);
    values.note_mark(address.name, address.delta.wrapping_add(distance));
    Mark::Operand { distance }
}

/// A constant's place in its card is known: its mark covers the whole card, and the beginning of the next.
fn decide_constant(values: &mut Values, at: u32, size: u64) -> Mark {
    let begin = (at & !(CARD_BYTES - 1)).cast_signed();
    if values.marks(ZERO).any(|mark| covers(mark, at.cast_signed(), size, CARD_BYTES + REACH)) {
        return Mark::Covered;
    }
    values.note_mark(ZERO, begin);
    Mark::Card(at >> SHIFT)
}

fn covers(mark: i32, at: i32, size: u64, reach: u32) -> bool {
    u64::from(at.wrapping_sub(mark).cast_unsigned()) + size <= reach.into()
}

/// Marks the address itself if that covers the store, which takes an instruction less.
fn near(offset: u64, size: u64) -> i32 {
    if offset + size <= REACH.into() {
        0
    } else {
        offset as u32 as i32
    }
}
