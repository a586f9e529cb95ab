//! A rope on its coil, with the places that are worn.

use crate::span::Span;

pub struct Coil {
    pub length: u32,
    /// Sorted, and none meets another.
    worn: Vec<Span>,
}

impl Coil {
    pub fn new(length: u32) -> Coil {
        Coil { length, worn: Vec::new() }
    }

    /// Marks a place as worn; false where it meets one that is marked, or lies beyond the end.
    pub fn mark(&mut self, place: Span) -> bool {
        if place.to > self.length || self.worn.iter().any(|one| one.meets(&place)) {
            return false;
        }
        self.worn.push(place);
        self.worn.sort_by_key(|one| one.from);
        true
    }

    /// The sound pieces between the worn places, in order.
    pub fn sound(&self) -> Vec<Span> {
        let mut pieces = Vec::new();
        let mut from = 0;
        for worn in &self.worn {
            pieces.extend(Span::new(from, worn.from));
            from = worn.to;
        }
        pieces.extend(Span::new(from, self.length));
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_is_what_lies_between() {
        let mut coil = Coil::new(1_000);
        assert!(coil.mark(Span { from: 200, to: 300 }));
        assert!(!coil.mark(Span { from: 250, to: 260 }));
        let lengths: Vec<u32> = coil.sound().iter().map(Span::length).collect();
        assert_eq!(lengths, [200, 700]);
    }
}
