//! What a kiln has measured, against the program that it was to follow.

pub mod alarm;
pub mod log;
pub mod program;
pub mod soak;
