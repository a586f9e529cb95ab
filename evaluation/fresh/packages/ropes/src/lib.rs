//! Cuts ropes to length. Lengths are whole millimetres.

pub mod coil;
pub mod plan;
pub mod span;
