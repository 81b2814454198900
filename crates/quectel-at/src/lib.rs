//! AT command codec for Quectel modules: writer, framer, parameters, result codes and a sans-IO link; no_std, no heap.

#![no_std]
#![forbid(unsafe_code)]
