//! Reads an AT log of a Quectel module and says why the connection failed and what to type next.

#![forbid(unsafe_code)]

mod command;
mod host;
mod mask;
mod read;
mod rules;
mod session;
mod time;
