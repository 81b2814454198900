//! Quectel +QMT MQTT commands and URCs; no_std, no heap.

#![no_std]
#![forbid(unsafe_code)]
