/*
 * quectel-azure: connects a Quectel module to Azure IoT Hub over the module's own TLS and MQTT.
 *
 * This file is generated; bindings/c/tests/header.rs writes it.
 *
 * The loop. The library reads no clock and opens no port. The program around it does, again and again:
 *
 *   1. quectel_azure_client_poll_transmit until it gives 0 bytes, and write the bytes to the module's AT port;
 *   2. quectel_azure_client_poll_timeout, and read from the port until that time at the latest;
 *   3. quectel_azure_client_poll with the bytes that were read, or none, until it gives QUECTEL_AZURE_EVENT_NONE.
 *
 * bindings/c/examples/loop_posix.c and loop_superloop.c are this loop, to be copied. Calling too often or late is
 * harmless; lateness only delays timeouts. No call blocks. Times ending in _ms are milliseconds of a clock that never
 * goes backwards, from any origin; unix time is in seconds and used in one function only.
 *
 * Memory. All of it belongs to the caller: the client's storage, its three buffers, and what the settings point to
 * live as long as the client. There is no heap, no thread, no callback and no global variable. Messages are copied.
 *
 * Lifetimes. The pointers in an event are valid until the next call with the same client. The bytes that
 * quectel_azure_result_name and its siblings give live for ever. No text ends with NUL.
 *
 * Results. Every function that can fail gives a quectel_azure_result. Outputs are written only on success. Later
 * versions have more results and more kinds of events: treat an unknown result as a failure and ignore an unknown
 * kind.
 *
 * Threads. A client is used by one thread at a time; different clients are independent. Not from an interrupt.
 */
