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

#ifndef QUECTEL_AZURE_H
#define QUECTEL_AZURE_H

#include <stddef.h>
#include <stdint.h>

/**
 * Version of this header; compare QUECTEL_AZURE_VERSION with quectel_azure_version().
 */
#define QUECTEL_AZURE_VERSION_MAJOR 0
#define QUECTEL_AZURE_VERSION_MINOR 1
#define QUECTEL_AZURE_VERSION_PATCH 0
#define QUECTEL_AZURE_VERSION 0x00000100
#define QUECTEL_AZURE_VERSION_TEXT "0.1.0"

/** Reason of failure: the module does not answer AT. */
#define QUECTEL_AZURE_REASON_MODULE_SILENT 10
/** Reason of failure: the module answers, but not with AT result codes. */
#define QUECTEL_AZURE_REASON_MODULE_GARBLED 11
/** Reason of failure: the module restarted in the middle of the flow. */
#define QUECTEL_AZURE_REASON_MODULE_RESET 12
/** Reason of failure: the module refused a command that the flow needs. */
#define QUECTEL_AZURE_REASON_COMMAND_REFUSED 13
/** Reason of failure: the module began a command and did not finish it in time. */
#define QUECTEL_AZURE_REASON_COMMAND_TIMEOUT 14
/** Reason of failure: an answer of the module could not be read. */
#define QUECTEL_AZURE_REASON_ANSWER_UNREADABLE 15
/** Reason of failure: there is no SIM in the module. */
#define QUECTEL_AZURE_REASON_SIM_MISSING 20
/** Reason of failure: the SIM asks for a PIN and none is set. */
#define QUECTEL_AZURE_REASON_SIM_PIN_REQUIRED 21
/** Reason of failure: the SIM refused the PIN. */
#define QUECTEL_AZURE_REASON_SIM_PIN_WRONG 22
/** Reason of failure: the SIM is locked and asks for its PUK or a personalisation code. */
#define QUECTEL_AZURE_REASON_SIM_LOCKED 23
/** Reason of failure: the SIM did not become ready in time. */
#define QUECTEL_AZURE_REASON_SIM_NOT_READY 24
/** Reason of failure: the module found no network that takes it in time. */
#define QUECTEL_AZURE_REASON_NOT_REGISTERED 30
/** Reason of failure: the network refused the SIM. */
#define QUECTEL_AZURE_REASON_REGISTRATION_DENIED 31
/** Reason of failure: the PDP context could not be activated. */
#define QUECTEL_AZURE_REASON_PDP_FAILED 32
/** Reason of failure: the network took the PDP context away. */
#define QUECTEL_AZURE_REASON_PDP_LOST 33
/** Reason of failure: neither the module nor the network knows the time, and a SAS token needs it. */
#define QUECTEL_AZURE_REASON_CLOCK_UNKNOWN 40
/** Reason of failure: the module's file storage is full. */
#define QUECTEL_AZURE_REASON_STORAGE_FULL 50
/** Reason of failure: the module has another file of the same name. */
#define QUECTEL_AZURE_REASON_FILE_CONFLICT 51
/** Reason of failure: the module could not store or read a file. */
#define QUECTEL_AZURE_REASON_FILE_FAILED 52
/** Reason of failure: the module received other bytes than were sent: size or checksum differ. */
#define QUECTEL_AZURE_REASON_UPLOAD_DAMAGED 53
/** Reason of failure: a certificate or key is not PEM text. */
#define QUECTEL_AZURE_REASON_CERTIFICATE_UNREADABLE 54
/** Reason of failure: the module says OK to a TLS setting but reads back another value. */
#define QUECTEL_AZURE_REASON_SETTING_NOT_STORED 60
/** Reason of failure: the module could not resolve the host name. */
#define QUECTEL_AZURE_REASON_DNS_FAILED 70
/** Reason of failure: the connection or its TLS handshake failed; the module does not say which. */
#define QUECTEL_AZURE_REASON_OPEN_FAILED 71
/** Reason of failure: the module refused to open the connection: wrong parameter, client occupied or no PDP context. */
#define QUECTEL_AZURE_REASON_OPEN_REFUSED 72
/** Reason of failure: the connection was not open in time. */
#define QUECTEL_AZURE_REASON_OPEN_TIMEOUT 73
/** Reason of failure: the hub refused the device's credentials. */
#define QUECTEL_AZURE_REASON_CONNECT_REFUSED 80
/** Reason of failure: the hub did not accept the MQTT connection. */
#define QUECTEL_AZURE_REASON_CONNECT_FAILED 81
/** Reason of failure: the hub refused the subscription. */
#define QUECTEL_AZURE_REASON_SUBSCRIBE_REFUSED 82
/** Reason of failure: a message was not acknowledged. */
#define QUECTEL_AZURE_REASON_PUBLISH_FAILED 83
/** Reason of failure: the hub closed the connection. */
#define QUECTEL_AZURE_REASON_CLOSED_BY_HUB 84
/** Reason of failure: the connection to the hub was lost. */
#define QUECTEL_AZURE_REASON_CONNECTION_LOST 85
/** Reason of failure: the SAS token has expired. */
#define QUECTEL_AZURE_REASON_TOKEN_EXPIRED 90
/** Reason of failure: a command does not fit the transmit buffer. */
#define QUECTEL_AZURE_REASON_COMMAND_TOO_LONG 91
/** Reason of failure: the flow was ended by the program. */
#define QUECTEL_AZURE_REASON_CANCELLED 92

/**
 * `credential` is the device's symmetric key in base64; SAS tokens are made from it.
 */
#define QUECTEL_AZURE_CREDENTIAL_SHARED_ACCESS_KEY 0

/**
 * `credential` is a SAS token made elsewhere, beginning with `SharedAccessSignature sr=`.
 */
#define QUECTEL_AZURE_CREDENTIAL_SAS_TOKEN 1

/**
 * The key is held elsewhere, such as in a secure element: `QUECTEL_AZURE_EVENT_SIGNATURE_NEEDED` asks for signatures.
 */
#define QUECTEL_AZURE_CREDENTIAL_EXTERNAL_KEY 2

/**
 * `certificate` and `private_key` are PEM text; both are uploaded to the module.
 */
#define QUECTEL_AZURE_CREDENTIAL_X509 3

/**
 * The access point asks for no user name.
 */
#define QUECTEL_AZURE_APN_AUTH_NONE 0

/**
 * User name and password are sent with PAP.
 */
#define QUECTEL_AZURE_APN_AUTH_PAP 1

/**
 * User name and password are sent with CHAP.
 */
#define QUECTEL_AZURE_APN_AUTH_CHAP 2

/**
 * User name and password are sent with PAP or CHAP.
 */
#define QUECTEL_AZURE_APN_AUTH_PAP_OR_CHAP 3

/**
 * Leave the module's setting of the URC port as it is.
 */
#define QUECTEL_AZURE_URC_PORT_KEEP 0

/**
 * URCs come on the main UART.
 */
#define QUECTEL_AZURE_URC_PORT_UART1 1

/**
 * URCs come on the AT port on USB.
 */
#define QUECTEL_AZURE_URC_PORT_USB_AT 2

/**
 * URCs come on the modem port on USB.
 */
#define QUECTEL_AZURE_URC_PORT_USB_MODEM 3

/**
 * URCs come on all ports; not on BG9x.
 */
#define QUECTEL_AZURE_URC_PORT_ALL 4

/**
 * The hub acknowledges the message (QoS 1).
 */
#define QUECTEL_AZURE_DELIVERY_AT_LEAST_ONCE 0

/**
 * The message is sent and not acknowledged (QoS 0).
 */
#define QUECTEL_AZURE_DELIVERY_AT_MOST_ONCE 1

/**
 * The most application properties of one message.
 */
#define QUECTEL_AZURE_MAX_PROPERTIES 16

/**
 * Size of a client in words of 8 bytes. It changes with the layout of any struct of this header, so that a library
 * of another layout is detected.
 */
#define QUECTEL_AZURE_CLIENT_WORDS 320

/**
 * Nothing happened: the input is empty and no deadline has passed.
 */
#define QUECTEL_AZURE_EVENT_NONE 0

/**
 * The flow enters `step`.
 */
#define QUECTEL_AZURE_EVENT_STEP 1

/**
 * `model` and `revision` of the module are known.
 */
#define QUECTEL_AZURE_EVENT_IDENTIFIED 2

/**
 * Sign `payload` with HMAC-SHA256 and call `quectel_azure_client_provide_signature`.
 */
#define QUECTEL_AZURE_EVENT_SIGNATURE_NEEDED 3

/**
 * Something is weaker or slower than it should be: `line` says what.
 */
#define QUECTEL_AZURE_EVENT_WARNING 4

/**
 * The hub accepted the device; messages may be published.
 */
#define QUECTEL_AZURE_EVENT_CONNECTED 5

/**
 * The message `number` was acknowledged by the hub, or, delivered at most once, sent.
 */
#define QUECTEL_AZURE_EVENT_PUBLISHED 6

/**
 * The message `number` was not acknowledged because of `result`.
 */
#define QUECTEL_AZURE_EVENT_PUBLISH_FAILED 7

/**
 * A cloud-to-device message: `payload`, `properties`, `topic`.
 */
#define QUECTEL_AZURE_EVENT_MESSAGE 8

/**
 * The module said a `line` that the client does not use.
 */
#define QUECTEL_AZURE_EVENT_URC 9

/**
 * The connection ended as `quectel_azure_client_disconnect` asked for.
 */
#define QUECTEL_AZURE_EVENT_DISCONNECTED 10

/**
 * The flow or the connection ended in `step` because of `result`; `line` is what the module said, and may be empty.
 * `quectel_azure_client_connect` may try again.
 */
#define QUECTEL_AZURE_EVENT_FAILED 11

/**
 * Something that this interface has no kind for.
 */
#define QUECTEL_AZURE_EVENT_OTHER 65535

/**
 * Bytes that belong to somebody else. They are not NUL-terminated; `data` may be NULL if `len` is 0. A text is UTF-8.
 */
typedef struct {
    /**
     * First byte.
     */
    const uint8_t *data;
    /**
     * Number of bytes.
     */
    size_t len;
} quectel_azure_bytes;

/**
 * What became of a call, and why a flow failed: 0 is success. Values are frozen and new ones are added, so treat a
 * value that you do not know as a failure. `quectel_azure_result_name` gives its name.
 *
 * 1 to 9 are misuse of this interface, 10 to 99 reasons of failure (`QUECTEL_AZURE_REASON_*`, only in events), 100 to
 * 119 calls that the client cannot serve now, 120 to 149 wrong settings. A call that returns one of them has sent
 * nothing and has written to no output.
 */
typedef int32_t quectel_azure_result;

/**
 * Settings. Fill them with `quectel_azure_config_init`, then set hub, device id and credential, or all three with
 * `quectel_azure_config_set_connection_string`. All that the settings point to must live as long as the client.
 */
typedef struct {
    /**
     * Host name of the hub, such as `contoso.azure-devices.net`. Required.
     */
    quectel_azure_bytes hub;
    /**
     * Device id. Required.
     */
    quectel_azure_bytes device_id;
    /**
     * Module id for a module identity, or empty.
     */
    quectel_azure_bytes module_id;
    /**
     * Key or token, see `credential_kind`.
     */
    quectel_azure_bytes credential;
    /**
     * Client certificate, PEM; intermediates may follow. Only for X.509.
     */
    quectel_azure_bytes certificate;
    /**
     * Its private key, PEM. Only for X.509.
     */
    quectel_azure_bytes private_key;
    /**
     * Host to connect to if it is not the hub (`GatewayHostName`), or empty.
     */
    quectel_azure_bytes gateway;
    /**
     * Access point name; empty keeps what the module has stored.
     */
    quectel_azure_bytes apn;
    /**
     * User name at the access point, or empty.
     */
    quectel_azure_bytes apn_user;
    /**
     * Password at the access point, or empty.
     */
    quectel_azure_bytes apn_password;
    /**
     * PIN of the SIM, or empty.
     */
    quectel_azure_bytes sim_pin;
    /**
     * Root certificate that the module trusts, PEM; empty is DigiCert Global Root G2.
     */
    quectel_azure_bytes ca_pem;
    /**
     * Server that is asked for the time if nobody else knows it; empty asks nobody.
     */
    quectel_azure_bytes ntp_server;
    /**
     * Life of a SAS token in seconds, 86,400 by default.
     */
    uint32_t token_lifetime_s;
    /**
     * TCP port, 8883 by default.
     */
    uint16_t port;
    /**
     * Keep alive in seconds, 1 to 1177, 240 by default.
     */
    uint16_t keep_alive_s;
    /**
     * One of `QUECTEL_AZURE_CREDENTIAL_*`.
     */
    uint8_t credential_kind;
    /**
     * One of `QUECTEL_AZURE_APN_AUTH_*`.
     */
    uint8_t apn_auth;
    /**
     * One of `QUECTEL_AZURE_URC_PORT_*`: the port that the client drives, or nothing asynchronous ever arrives.
     */
    uint8_t urc_port;
    /**
     * PDP context, 1 to 16 (EC200 class: 1 to 15).
     */
    uint8_t pdp_context;
    /**
     * SSL context, 0 to 5.
     */
    uint8_t ssl_context;
    /**
     * MQTT client, 0 to 5.
     */
    uint8_t mqtt_client;
    /**
     * 1: the hub forgets subscriptions and waiting messages while the device is away (CleanSession). 0: it keeps them.
     */
    uint8_t clean_session;
    /**
     * 1: subscribe to cloud-to-device messages. 0: do not.
     */
    uint8_t receive;
} quectel_azure_config;

/**
 * Storage of one client. It belongs to the caller, its content to the library; it must not be moved or copied between
 * init and deinit. Storage that has not been through `quectel_azure_client_init` must be zero before any other call.
 * One thread at a time may use a client.
 */
typedef struct {
    /**
     * Not for the caller.
     */
    uint64_t opaque[QUECTEL_AZURE_CLIENT_WORDS];
} quectel_azure_client;

/**
 * Memory that a client works in. It must live as long as the client and must not be used by the caller meanwhile.
 */
typedef struct {
    /**
     * Receive buffer: at least 512 bytes, and room for the longest cloud-to-device message with its topic.
     */
    uint8_t *rx;
    /**
     * Its size in bytes.
     */
    size_t rx_size;
    /**
     * Transmit buffer: at least 1,024 bytes, and room for the longest payload with 512 bytes more.
     */
    uint8_t *tx;
    /**
     * Its size in bytes.
     */
    size_t tx_size;
    /**
     * For user names, tokens and topics: at least 1,024 bytes.
     */
    uint8_t *scratch;
    /**
     * Its size in bytes.
     */
    size_t scratch_size;
} quectel_azure_buffers;

/**
 * An application property of a message.
 */
typedef struct {
    /**
     * Name, any text but an empty one.
     */
    quectel_azure_bytes name;
    /**
     * Value, any text.
     */
    quectel_azure_bytes value;
} quectel_azure_property;

/**
 * A device-to-cloud message. All zero is one without body and properties, delivered at least once.
 */
typedef struct {
    /**
     * Body, any bytes.
     */
    quectel_azure_bytes payload;
    /**
     * Application properties; may be NULL if there are none.
     */
    const quectel_azure_property *properties;
    /**
     * How many, at most `QUECTEL_AZURE_MAX_PROPERTIES`.
     */
    size_t property_count;
    /**
     * Content type such as `application/json`, or empty.
     */
    quectel_azure_bytes content_type;
    /**
     * Content encoding such as `utf-8`, or empty; the hub needs it to route by body.
     */
    quectel_azure_bytes content_encoding;
    /**
     * Message id for the receiver in the cloud, or empty.
     */
    quectel_azure_bytes message_id;
    /**
     * Correlation id for the receiver in the cloud, or empty.
     */
    quectel_azure_bytes correlation_id;
    /**
     * One of `QUECTEL_AZURE_DELIVERY_*`.
     */
    uint8_t delivery;
} quectel_azure_message;

/**
 * What happened. Kinds that you do not know must be ignored: later versions have more. Fields that the kind does not
 * name are zero. The pointers are valid until the next call with the same client, and only as long as the input that
 * was given to `quectel_azure_client_poll` is unchanged.
 */
typedef struct {
    /**
     * One of `QUECTEL_AZURE_EVENT_*`.
     */
    uint32_t kind;
    /**
     * Reason of a failure.
     */
    quectel_azure_result result;
    /**
     * Number of a message, as `quectel_azure_client_publish` gave it.
     */
    uint32_t number;
    /**
     * Name of the step in kebab-case, such as `register`.
     */
    quectel_azure_bytes step;
    /**
     * The module's line, any bytes, or the text of a warning.
     */
    quectel_azure_bytes line;
    /**
     * Body of a message, any bytes, or the text to sign.
     */
    quectel_azure_bytes payload;
    /**
     * Properties of a message as they came: `name=value` joined by `&`, percent-encoded.
     */
    quectel_azure_bytes properties;
    /**
     * Topic name of a message.
     */
    quectel_azure_bytes topic;
    /**
     * Model as `ATI` gives it, such as `BG96`.
     */
    quectel_azure_bytes model;
    /**
     * Firmware revision.
     */
    quectel_azure_bytes revision;
} quectel_azure_event;

/**
 * Success.
 */
#define QUECTEL_AZURE_OK 0

/**
 * A pointer that must not be NULL is NULL.
 */
#define QUECTEL_AZURE_ERROR_NULL_POINTER 1

/**
 * The size given is not the size that the library was built with: header and library do not belong together.
 */
#define QUECTEL_AZURE_ERROR_ABI_MISMATCH 2

/**
 * The library has a fault and the client cannot be used until it is initialised again. Please report it.
 */
#define QUECTEL_AZURE_ERROR_PANIC 3

/**
 * The client was not initialised, its initialisation failed, or it was deinitialised.
 */
#define QUECTEL_AZURE_ERROR_NOT_INITIALISED 4

/**
 * A text is not UTF-8.
 */
#define QUECTEL_AZURE_ERROR_NOT_UTF8 5

/**
 * A number is not one of its constants, or a length is longer than any memory.
 */
#define QUECTEL_AZURE_ERROR_INVALID_VALUE 6

/**
 * `quectel_azure_client_connect` while the flow is running.
 */
#define QUECTEL_AZURE_ERROR_ALREADY_RUNNING 100

/**
 * `quectel_azure_client_publish` or `quectel_azure_client_disconnect` without a connection.
 */
#define QUECTEL_AZURE_ERROR_NOT_CONNECTED 101

/**
 * The module is busy with an earlier command or five messages are in flight: poll and try again.
 */
#define QUECTEL_AZURE_ERROR_BUSY 102

/**
 * The payload is longer than the module takes in one message.
 */
#define QUECTEL_AZURE_ERROR_PAYLOAD_TOO_LONG 103

/**
 * The payload holds Ctrl-Z or ESC, which this firmware cannot send.
 */
#define QUECTEL_AZURE_ERROR_PAYLOAD_BYTE 104

/**
 * Message or properties do not fit the client's buffers.
 */
#define QUECTEL_AZURE_ERROR_DOES_NOT_FIT 105

/**
 * A property name is empty.
 */
#define QUECTEL_AZURE_ERROR_PROPERTY 106

/**
 * No signature was asked for.
 */
#define QUECTEL_AZURE_ERROR_NO_SIGNATURE_NEEDED 107

/**
 * The client cannot do this now, for a reason that has no number of its own.
 */
#define QUECTEL_AZURE_ERROR_MISUSE 119

/**
 * Hub name, device id or module id is not valid.
 */
#define QUECTEL_AZURE_ERROR_IDENTITY 120

/**
 * The shared access key is not valid.
 */
#define QUECTEL_AZURE_ERROR_KEY 121

/**
 * The SAS token cannot be read.
 */
#define QUECTEL_AZURE_ERROR_TOKEN 122

/**
 * The root certificate is not PEM text.
 */
#define QUECTEL_AZURE_ERROR_CA_NOT_PEM 123

/**
 * The client certificate is not PEM text.
 */
#define QUECTEL_AZURE_ERROR_CERTIFICATE_NOT_PEM 124

/**
 * The client key is not PEM text.
 */
#define QUECTEL_AZURE_ERROR_KEY_NOT_PEM 125

/**
 * A slot is out of range.
 */
#define QUECTEL_AZURE_ERROR_SLOTS 126

/**
 * The keep alive is out of range.
 */
#define QUECTEL_AZURE_ERROR_KEEP_ALIVE 127

/**
 * The TCP port is 0.
 */
#define QUECTEL_AZURE_ERROR_PORT 128

/**
 * A setting cannot be sent in an AT command.
 */
#define QUECTEL_AZURE_ERROR_TEXT 129

/**
 * The receive buffer is too small.
 */
#define QUECTEL_AZURE_ERROR_RX_BUFFER 130

/**
 * The transmit buffer is too small.
 */
#define QUECTEL_AZURE_ERROR_TX_BUFFER 131

/**
 * The scratch buffer is too small.
 */
#define QUECTEL_AZURE_ERROR_SCRATCH_BUFFER 132

/**
 * The connection string is not one of a device, or a field is missing, unknown or malformed.
 */
#define QUECTEL_AZURE_ERROR_CONNECTION_STRING 133

/**
 * A setting is wrong, for a reason that has no number of its own.
 */
#define QUECTEL_AZURE_ERROR_CONFIG 149

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The result's name in kebab-case, such as `open-failed`; `unknown` for a number that is no result.
 *
 * Never empty; it lives for ever.
 */
quectel_azure_bytes quectel_azure_result_name(quectel_azure_result result);

/**
 * What happened, in one line for a person.
 *
 * Never empty; it lives for ever.
 */
quectel_azure_bytes quectel_azure_result_text(quectel_azure_result result);

/**
 * What to do about a reason of failure, in one line for a person; empty for other results, whose text says it.
 *
 * It lives for ever.
 */
quectel_azure_bytes quectel_azure_result_remedy(quectel_azure_result result);

/**
 * Version of the library: major * 65536 + minor * 256 + patch. `QUECTEL_AZURE_VERSION` is the same of the header.
 */
uint32_t quectel_azure_version(void);

/**
 * Fills settings with their defaults; hub, device id and credential remain to be set.
 *
 * `size` is `sizeof *config`.
 *
 * Requires: `config` points to writable settings.
 */
quectel_azure_result quectel_azure_config_init(quectel_azure_config *config, size_t size);

/**
 * Sets hub, device id, module id, gateway and credential from the connection string that the portal shows for a
 * device. With `x509=true` in it, certificate and key remain to be set.
 *
 * The settings point into `text`, which must live as long as the client.
 *
 * Requires: `config` points to initialised settings, `text` to readable bytes.
 */
quectel_azure_result quectel_azure_config_set_connection_string(quectel_azure_config *config,
                                                                quectel_azure_bytes connection_string);

/**
 * Initialises a client in storage of the caller. Nothing is sent. If it fails, the client is not initialised.
 *
 * `size` is `sizeof *client`. The settings and the struct of the buffers may be forgotten afterwards, but not what
 * they point to. A client that is initialised already must be deinitialised before.
 *
 * Requires: `client` points to writable storage; settings and buffers are as their structs say.
 */
quectel_azure_result quectel_azure_client_init(quectel_azure_client *client,
                                               size_t size,
                                               const quectel_azure_config *config,
                                               const quectel_azure_buffers *buffers);

/**
 * Ends the use of a client and clears its storage, which may hold secrets. The module is told nothing: disconnect
 * before. NULL and clients that are not initialised are left alone.
 *
 * Requires: `client` as its struct says, or NULL.
 */
void quectel_azure_client_deinit(quectel_azure_client *client);

/**
 * Begins the flow, from whatever state the module is in. `QUECTEL_AZURE_EVENT_CONNECTED` or
 * `QUECTEL_AZURE_EVENT_FAILED` ends it.
 *
 * Requires: `client` as its struct says.
 */
quectel_azure_result quectel_azure_client_connect(quectel_azure_client *client, uint64_t now_ms);

/**
 * Ends the connection or the running flow and frees the module's MQTT client; `QUECTEL_AZURE_EVENT_DISCONNECTED`
 * follows.
 *
 * Requires: `client` as its struct says.
 */
quectel_azure_result quectel_azure_client_disconnect(quectel_azure_client *client, uint64_t now_ms);

/**
 * Sends a message to the hub. `QUECTEL_AZURE_EVENT_PUBLISHED` or `QUECTEL_AZURE_EVENT_PUBLISH_FAILED` follows.
 *
 * The message and what it points to is copied. `number` is set to the number that the events name it by; it may be
 * NULL.
 *
 * Requires: `client` as its struct says; `message` and what it points to is readable; `number` is NULL or writable.
 */
quectel_azure_result quectel_azure_client_publish(quectel_azure_client *client,
                                                  uint64_t now_ms,
                                                  const quectel_azure_message *message,
                                                  uint32_t *number);

/**
 * Tells the time in seconds since 1970-01-01 UTC, so that neither module nor network need know it.
 *
 * Requires: `client` as its struct says.
 */
quectel_azure_result quectel_azure_client_set_unix_time(quectel_azure_client *client, uint64_t now_ms, uint64_t unix_s);

/**
 * Answers `QUECTEL_AZURE_EVENT_SIGNATURE_NEEDED` with the 32 bytes of the HMAC-SHA256 of its payload.
 *
 * Requires: `client` as its struct says; `signature` points to 32 readable bytes.
 */
quectel_azure_result quectel_azure_client_provide_signature(quectel_azure_client *client,
                                                            uint64_t now_ms,
                                                            const uint8_t *signature);

/**
 * Copies the bytes to send next into `out` and sets `len` to how many; 0 when there is nothing to send.
 *
 * Requires: `client` as its struct says; `out` points to `out_size` writable bytes, `len` is writable.
 */
quectel_azure_result quectel_azure_client_poll_transmit(quectel_azure_client *client,
                                                        uint8_t *out,
                                                        size_t out_size,
                                                        size_t *len);

/**
 * Sets `at_ms` to when `quectel_azure_client_poll` must be called at the latest; UINT64_MAX while nothing is awaited.
 *
 * Requires: `client` as its struct says; `at_ms` is writable.
 */
quectel_azure_result quectel_azure_client_poll_timeout(quectel_azure_client *client, uint64_t *at_ms);

/**
 * Takes bytes from the front of the input and sets `event` to what happened; its kind is
 * `QUECTEL_AZURE_EVENT_NONE` when the input is empty and no deadline has passed.
 *
 * `input` and `input_len` are the only parameters of this interface that are read and written: they are moved past
 * the bytes that were taken. Call again with the same two until the kind is `QUECTEL_AZURE_EVENT_NONE`, also without
 * input when a deadline has passed.
 *
 * Requires: `client` as its struct says; `*input` points to `*input_len` readable bytes; `event` is writable.
 */
quectel_azure_result quectel_azure_client_poll(quectel_azure_client *client,
                                               uint64_t now_ms,
                                               const uint8_t **input,
                                               size_t *input_len,
                                               quectel_azure_event *event);

/**
 * Defined by the firmware, not by the library: on bare metal the static library can bring Rust's panic handler (its
 * feature panic-handler), which calls this function. It must not return: the library has a fault, and file and line
 * say where. The file name does not end with NUL.
 */
void quectel_azure_on_panic(const uint8_t *file, size_t file_len, uint32_t line);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* QUECTEL_AZURE_H */
