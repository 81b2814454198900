//! Connects a Quectel module to Azure IoT Hub over the module's own TLS and MQTT: one sans-IO state machine; no_std, no heap.

#![no_std]
#![forbid(unsafe_code)]
