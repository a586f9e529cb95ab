//! A piece of a rope.

/// From a millimetre on, up to another one that is no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: u32,
    pub to: u32,
}

impl Span {
    /// Returns the span, or None where it would be empty.
    pub fn new(from: u32, to: u32) -> Option<Span> {
        (from < to).then_some(Span { from, to })
    }

    pub fn length(&self) -> u32 {
        self.to - self.from
    }

    /// Whether two spans have a millimetre in common.
    pub fn meets(&self, other: &Span) -> bool {
        self.from < other.to && other.from < self.to
    }
}
