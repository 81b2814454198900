//! A simulated Quectel cellular module: AT commands in, real TLS and MQTT out.

#![forbid(unsafe_code)]
