//! Quectel +QSSLCFG and SSL socket commands with a safe default configuration; no_std, no heap.

#![no_std]
#![forbid(unsafe_code)]
