//! The log of a firing.

use std::num::ParseIntError;

/// Degrees, one for each minute, from minute 0 on.
#[derive(Debug, Default)]
pub struct Log {
    degrees: Vec<i32>,
}

impl Log {
    /// Reads a log from text with a number on each line.
    pub fn parse(text: &str) -> Result<Self, ParseIntError> {
        let degrees = text.lines().map(|line| line.trim().parse());
        Ok(Self {
            degrees: degrees.collect::<Result<_, _>>()?,
        })
    }

    /// Adds what is measured in the next minute.
    pub fn push(&mut self, degrees: i32) {
        self.degrees.push(degrees);
    }

    /// Returns how many minutes were measured.
    pub fn minutes(&self) -> usize {
        self.degrees.len()
    }

    /// Returns the degrees from a minute on until before another one; those that are there, if the log
    /// is shorter.
    pub fn between(&self, from: usize, until: usize) -> &[i32] {
        let until = until.min(self.degrees.len());
        self.degrees.get(from..until).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_that_are_not_there_are_left_out() {
        let log = Log::parse("20\n80\n140\n").unwrap();
        assert_eq!(log.between(0, 2), [20, 80]);
        assert_eq!(log.between(1, 9), [80, 140]);
        assert_eq!(log.between(3, 9), []);
        assert_eq!(log.between(2, 1), []);
    }

    #[test]
    fn what_is_no_number_is_an_error() {
        assert!(Log::parse("20\nwarm\n").is_err());
    }
}
