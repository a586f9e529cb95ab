//! How well a kiln has kept to its program.

use crate::log::Log;
use crate::program::{with_starts, Segment};

/// Returns the names of the segments in which the kiln was ever further from its degrees than a tolerance.
///
/// A segment that was not begun is none of them; of one that was not finished, what is there counts.
pub fn missed<'a>(program: &'a [Segment], log: &Log, tolerance: u32) -> Vec<&'a str> {
    with_starts(program)
        .filter(|(start, segment)| {
            log.between(*start, start + segment.minutes.get())
                .iter()
                .any(|degrees| degrees.abs_diff(segment.degrees) > tolerance)
        })
        .map(|(_, segment)| segment.name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    fn segment(name: &str, minutes: usize, degrees: i32) -> Segment {
        Segment {
            name: name.to_owned(),
            minutes: NonZeroUsize::new(minutes).unwrap(),
            degrees,
        }
    }

    #[test]
    fn a_segment_is_judged_by_its_own_minutes() {
        let program = [
            segment("dry", 2, 100),
            segment("soak", 1, 900),
            segment("hold", 2, 950),
        ];
        let log = Log::parse("95\n105\n900\n955\n").unwrap();
        assert_eq!(missed(&program, &log, 5), Vec::<&str>::new());
        assert_eq!(missed(&program, &log, 4), ["dry", "hold"]);
    }

    #[test]
    fn what_was_not_begun_is_not_missed() {
        let program = [segment("dry", 1, 100), segment("soak", 1, 900)];
        assert!(missed(&program, &Log::parse("100\n").unwrap(), 0).is_empty());
    }
}
