//! What the benchmarks share: the bytes that every parser gets, and this project's parser.

pub mod mix;
pub mod ours;
