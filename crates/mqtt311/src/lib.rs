//! MQTT 3.1.1 packets in both directions, sans-IO.

#![forbid(unsafe_code)]
