//! What the benchmarks share: the bytes that every parser gets, this project's parser, and those beside it.

pub mod frames;
pub mod mix;
pub mod ours;
pub mod peers;
pub mod score;
