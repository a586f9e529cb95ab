//! The program of a firing.

use std::num::NonZeroUsize;

/// Some minutes in which the kiln is to be at some degrees.
#[derive(Debug, Clone)]
pub struct Segment {
    pub name: String,
    pub minutes: NonZeroUsize,
    pub degrees: i32,
}

/// Returns each segment with the minute in which it begins.
pub fn with_starts(program: &[Segment]) -> impl Iterator<Item = (usize, &Segment)> {
    program.iter().scan(0, |next, segment| {
        let start = *next;
        *next += segment.minutes.get();
        Some((start, segment))
    })
}
