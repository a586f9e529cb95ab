//! Whether a kiln heats up faster than its walls can bear.

use crate::log::Log;

/// Minutes that are looked at, the last one among them.
const WINDOW: usize = 10;

/// Tells whether the last minute is hotter by more than some degrees than the coldest one of the ten minutes
/// up to it.
pub fn is_too_fast(log: &Log, most: u32) -> bool {
    let now = log.minutes();
    let recent = log.between(now.saturating_sub(WINDOW), now);
    match (recent.last(), recent.iter().min()) {
        (Some(last), Some(coldest)) => last.abs_diff(*coldest) > most,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_ten_minutes_count() {
        let mut log = Log::default();
        assert!(!is_too_fast(&log, 0));
        log.push(20);
        assert!(!is_too_fast(&log, 0));
        for _ in 0..9 {
            log.push(80);
        }
        assert!(is_too_fast(&log, 59));
        assert!(!is_too_fast(&log, 60));
        log.push(80);
        assert!(!is_too_fast(&log, 0));
    }
}
