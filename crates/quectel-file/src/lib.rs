//! Quectel +QF file commands: upload, list, read, delete, checksum; no_std, no heap.

#![no_std]
#![forbid(unsafe_code)]
