//! Prints the lowest and highest degrees of some minutes of a firing.

use std::error::Error;
use std::{env, fs};

use kiln::log::Log;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, first, last] = arguments.as_slice() else {
        return Err("usage: kiln FILE FIRST LAST".into());
    };
    let log = Log::parse(&fs::read_to_string(file)?)?;
    let degrees = log.between(first.parse()?, last.parse::<usize>()?.saturating_add(1));
    match (degrees.iter().min(), degrees.iter().max()) {
        (Some(lowest), Some(highest)) => println!("{lowest} to {highest}"),
        _ => println!("nothing was measured"),
    }
    Ok(())
}
