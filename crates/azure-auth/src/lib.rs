//! Azure IoT Hub and DPS credentials, SAS tokens, topics and known roots; no_std, no heap.

#![no_std]
#![forbid(unsafe_code)]
