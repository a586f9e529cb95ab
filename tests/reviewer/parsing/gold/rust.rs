use std::collections::{self, HashMap, hash_map::Entry as E};
use crate::util::*;
pub use self::inner::Thing;
use serde as sd;
mod inner;
extern crate alloc;

pub const LIMIT: usize = compute(1);
static mut COUNT: u32 = 0;
type Map<T> = HashMap<String, T>;

#[derive(Debug, Clone)]
pub struct Point<T: Bound> {
    pub x: T,
    y: fmt::Weight,
}
struct Pair(u8, Item);
pub enum Color { Red, Rgb(u8, Level), Named { name: Text } }

pub trait Shape: Base {
    const SIDES: u32;
    type Out;
    fn area(&self, scale: f64) -> Self::Out;
    fn name() -> String { default_name() }
}

impl<T> Shape for Point<T> where T: Bound {
    const SIDES: u32 = 4;
    type Out = f64;
    fn area(&self, scale: f64) -> f64 {
        let Pair(a, ref b) = self.pair;
        let mut sum = scale;
        sum += self.x.get(a) + b;
        for i in 0..LIMIT { sum = sum + i; }
        match color { Color::Red => sum, Color::Rgb(r, _) if r > 1 => r, other => other }
    }
}

impl Point<u8> {
    pub fn new(x: u8, (p, q): (u8, u8)) -> Self {
        let f = |z: u8| z + p;
        println!("{}", x);
        Point { x, y: Weight::from_u8::<u8>(f(q)) }
    }
}

macro_rules! square { ($e:expr) => { $e * $e }; }

mod tests {
    use super::*;
    #[test]
    fn works() { Self::check(&LIMIT); obj.field.deep = 1; }
}
