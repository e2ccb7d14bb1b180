//! The three formulas of the story, each alone.
fn main() {}
