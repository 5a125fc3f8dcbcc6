//! Prints generated test vectors, one JSON case a line: random inputs and what this implementation makes of them.
//!
//! `cargo run -p tidegate-edge-node --example vectors -- SEED CASES`. Other languages replay them and must agree bit by bit; the
//! hand-checked ones in `contracts/vectors` come from an exact model, these are many and wild.

mod bucket;
mod dice;
mod node;
mod two_level;

use std::io::{self, BufWriter, Write};

use dice::Dice;
use serde::Serialize;

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Case {
    Bucket(bucket::Case),
    TwoLevel(two_level::Case),
    Node(node::Case),
}

fn main() -> io::Result<()> {
    let mut numbers = std::env::args().skip(1).map_while(|arg| arg.parse().ok());
    let (Some(seed), Some(cases)) = (numbers.next(), numbers.next()) else {
        return Err(io::Error::other("usage: vectors SEED CASES"));
    };
    let mut out = BufWriter::new(io::stdout().lock());
    for i in 0..cases {
        let dice = &mut Dice::new(seed, i);
        let case = match i % 3 {
            0 => Case::Bucket(bucket::case(dice)),
            1 => Case::TwoLevel(two_level::case(dice)),
            _ => Case::Node(node::case(dice)),
        };
        serde_json::to_writer(&mut out, &case)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
