//! A local Azure IoT Hub and Device Provisioning Service for tests.

#![forbid(unsafe_code)]
