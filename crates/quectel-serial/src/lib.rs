//! Blocking driver for quectel-azure over serial ports, TCP and PTYs, with a trace recorder.

#![forbid(unsafe_code)]
