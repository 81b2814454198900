//! The command quectel-azure: demo, publish, simulators, doctor.

#![forbid(unsafe_code)]
