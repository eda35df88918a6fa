//! Text without an allocation.

use std::fmt::{self, Write};

const CAPACITY: usize = 512;
const ELLIPSIS: &str = "…";

/// Text in a fixed buffer. A longer text is cut off at a character boundary and ends in an ellipsis.
pub(crate) struct Text {
    bytes: [u8; CAPACITY],
    length: usize,
    full: bool,
}

impl Default for Text {
    fn default() -> Self {
        Text { bytes: [0; CAPACITY], length: 0, full: false }
    }
}

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }

    fn append(&mut self, text: &str) {
        self.bytes[self.length..self.length + text.len()].copy_from_slice(text.as_bytes());
        self.length += text.len();
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.full {
            return Ok(());
        }
        // There is always room for the ellipsis.
        let room = CAPACITY - ELLIPSIS.len() - self.length;
        if text.len() <= room {
            self.append(text);
            return Ok(());
        }
        let end = (0..=room).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        self.append(&text[..end]);
        self.append(ELLIPSIS);
        self.full = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_kept() {
        let mut text = Text::default();
        let _ = write!(text, "é {}", 1);
        assert_eq!(text.as_str(), "é 1");
    }

    #[test]
    fn what_does_not_fit_ends_at_a_character_with_an_ellipsis() {
        let mut text = Text::default();
        let _ = write!(text, "x{}", "é".repeat(CAPACITY));
        let _ = text.write_str("more");
        assert_eq!(text.as_str(), format!("x{}…", "é".repeat((CAPACITY - ELLIPSIS.len() - 1) / 2)));
    }
}
