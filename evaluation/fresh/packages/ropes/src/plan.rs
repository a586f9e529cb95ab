//! What is cut from where.

use crate::coil::Coil;
use crate::span::Span;

/// Finds the shortest sound piece that is long enough, and cuts from its beginning.
pub fn cut(coil: &Coil, length: u32) -> Option<Span> {
    coil.sound()
        .into_iter()
        .filter(|one| one.length() >= length)
        .min_by_key(|one| one.length())
        .and_then(|one| Span::new(one.from, one.from + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_that_is_long_enough() {
        let mut coil = Coil::new(1_000);
        coil.mark(Span { from: 200, to: 300 });
        assert_eq!(cut(&coil, 100), Some(Span { from: 0, to: 100 }));
        assert_eq!(cut(&coil, 300), Some(Span { from: 300, to: 600 }));
        assert_eq!(cut(&coil, 800), None);
    }
}
