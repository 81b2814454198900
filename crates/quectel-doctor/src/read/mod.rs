//! From the bytes of a pasted log to the items of a dialogue, for every shape in which people paste it.

mod clean;
mod labels;
mod physical;
mod prefix;
mod stamp;
mod token;
