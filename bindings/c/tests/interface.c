/* What C sees of the library, without a module: misuse, wrong settings, results, garbage. */

#include <quectel_azure.h>

#include <stdio.h>
#include <string.h>

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define STRING "HostName=contoso.azure-devices.net;DeviceId=dev-1;SharedAccessKey=" KEY

static int failures;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s is not so\n", __FILE__, __LINE__, #condition);                                  \
            failures++;                                                                                                \
        }                                                                                                              \
    } while (0)

static quectel_azure_client client;
static uint8_t rx[2048], tx[2048], scratch[2048];
static const quectel_azure_bytes none = {NULL, 0};

static quectel_azure_bytes text(const char *string) {
    quectel_azure_bytes bytes;
    bytes.data = (const uint8_t *)string;
    bytes.len = strlen(string);
    return bytes;
}

static int is(quectel_azure_bytes bytes, const char *string) {
    return bytes.len == strlen(string) && memcmp(bytes.data, string, bytes.len) == 0;
}

static quectel_azure_config settings(void) {
    quectel_azure_config config;
    CHECK(quectel_azure_config_init(&config, sizeof config) == QUECTEL_AZURE_OK);
    CHECK(quectel_azure_config_set_connection_string(&config, text(STRING)) == QUECTEL_AZURE_OK);
    return config;
}

static quectel_azure_buffers memory(void) {
    quectel_azure_buffers buffers;
    buffers.rx = rx;
    buffers.rx_size = sizeof rx;
    buffers.tx = tx;
    buffers.tx_size = sizeof tx;
    buffers.scratch = scratch;
    buffers.scratch_size = sizeof scratch;
    return buffers;
}

static quectel_azure_result init(const quectel_azure_config *config) {
    quectel_azure_buffers buffers = memory();
    return quectel_azure_client_init(&client, sizeof client, config, &buffers);
}

static void versions(void) {
    CHECK(QUECTEL_AZURE_VERSION ==
          QUECTEL_AZURE_VERSION_MAJOR * 65536 + QUECTEL_AZURE_VERSION_MINOR * 256 + QUECTEL_AZURE_VERSION_PATCH);
    CHECK(quectel_azure_version() == QUECTEL_AZURE_VERSION);
    CHECK(strlen(QUECTEL_AZURE_VERSION_TEXT) >= 5);
}

static void results(void) {
    CHECK(is(quectel_azure_result_name(QUECTEL_AZURE_OK), "ok"));
    CHECK(is(quectel_azure_result_name(QUECTEL_AZURE_ERROR_ABI_MISMATCH), "abi-mismatch"));
    CHECK(is(quectel_azure_result_name(QUECTEL_AZURE_REASON_OPEN_FAILED), "open-failed"));
    CHECK(quectel_azure_result_text(QUECTEL_AZURE_REASON_OPEN_FAILED).len > 10);
    CHECK(quectel_azure_result_remedy(QUECTEL_AZURE_REASON_OPEN_FAILED).len > 10);
    CHECK(quectel_azure_result_remedy(QUECTEL_AZURE_OK).len == 0);
    CHECK(is(quectel_azure_result_name(-1), "unknown"));
    CHECK(is(quectel_azure_result_name(INT32_MIN), "unknown"));
    CHECK(is(quectel_azure_result_name(QUECTEL_AZURE_REASON_OPEN_FAILED + 256), "unknown"));
    CHECK(quectel_azure_result_text(INT32_MAX).len > 0);
}

static void null_pointers(void) {
    quectel_azure_config config = settings();
    quectel_azure_buffers buffers = memory();
    quectel_azure_message message;
    quectel_azure_event event;
    const uint8_t *input = rx;
    size_t len = 1;
    const quectel_azure_result expected = QUECTEL_AZURE_ERROR_NULL_POINTER;

    memset(&message, 0, sizeof message);
    CHECK(quectel_azure_config_init(NULL, sizeof config) == expected);
    CHECK(quectel_azure_config_set_connection_string(NULL, text(STRING)) == expected);
    CHECK(quectel_azure_client_init(NULL, sizeof client, &config, &buffers) == expected);
    CHECK(quectel_azure_client_init(&client, sizeof client, NULL, &buffers) == expected);
    CHECK(quectel_azure_client_init(&client, sizeof client, &config, NULL) == expected);
    buffers.tx = NULL;
    CHECK(quectel_azure_client_init(&client, sizeof client, &config, &buffers) == expected);
    CHECK(quectel_azure_client_connect(NULL, 0) == expected);
    CHECK(quectel_azure_client_disconnect(NULL, 0) == expected);
    CHECK(quectel_azure_client_publish(NULL, 0, &message, NULL) == expected);
    CHECK(quectel_azure_client_set_unix_time(NULL, 0, 0) == expected);
    CHECK(quectel_azure_client_poll(NULL, 0, &input, &len, &event) == expected);
    quectel_azure_client_deinit(NULL);

    CHECK(init(&config) == QUECTEL_AZURE_OK);
    CHECK(quectel_azure_client_publish(&client, 0, NULL, NULL) == expected);
    CHECK(quectel_azure_client_provide_signature(&client, 0, NULL) == expected);
    CHECK(quectel_azure_client_poll_transmit(&client, NULL, 8, &len) == expected);
    CHECK(quectel_azure_client_poll_transmit(&client, rx, 0, NULL) == expected);
    CHECK(quectel_azure_client_poll_timeout(&client, NULL) == expected);
    CHECK(quectel_azure_client_poll(&client, 0, NULL, &len, &event) == expected);
    CHECK(quectel_azure_client_poll(&client, 0, &input, NULL, &event) == expected);
    CHECK(quectel_azure_client_poll(&client, 0, &input, &len, NULL) == expected);
    input = NULL;
    CHECK(quectel_azure_client_poll(&client, 0, &input, &len, &event) == expected);
    CHECK(len == 1);
    len = SIZE_MAX;
    input = tx;
    CHECK(quectel_azure_client_poll(&client, 0, &input, &len, &event) == QUECTEL_AZURE_ERROR_INVALID_VALUE);
    message.payload.len = 1;
    CHECK(quectel_azure_client_publish(&client, 0, &message, NULL) == expected);
    message.payload.len = 0;
    message.property_count = 1;
    CHECK(quectel_azure_client_publish(&client, 0, &message, NULL) == expected);
    quectel_azure_client_deinit(&client);
}

static void header_of_another_version(void) {
    quectel_azure_config config = settings();
    quectel_azure_buffers buffers = memory();
    const quectel_azure_result expected = QUECTEL_AZURE_ERROR_ABI_MISMATCH;
    CHECK(quectel_azure_config_init(&config, sizeof config + 8) == expected);
    CHECK(quectel_azure_client_init(&client, sizeof client - 8, &config, &buffers) == expected);
    CHECK(quectel_azure_client_init(&client, 0, &config, &buffers) == expected);
}

static void not_initialised(void) {
    const quectel_azure_result expected = QUECTEL_AZURE_ERROR_NOT_INITIALISED;
    quectel_azure_config config = settings();
    uint64_t at_ms = 7;

    memset(&client, 0, sizeof client);
    CHECK(quectel_azure_client_connect(&client, 0) == expected);
    CHECK(quectel_azure_client_poll_timeout(&client, &at_ms) == expected);
    CHECK(at_ms == 7);
    quectel_azure_client_deinit(&client);

    CHECK(init(&config) == QUECTEL_AZURE_OK);
    quectel_azure_client_deinit(&client);
    CHECK(quectel_azure_client_connect(&client, 0) == expected);
    quectel_azure_client_deinit(&client);

    /* A failed initialisation leaves nothing behind that looks initialised. */
    CHECK(init(&config) == QUECTEL_AZURE_OK);
    config.port = 0;
    CHECK(init(&config) == QUECTEL_AZURE_ERROR_PORT);
    CHECK(quectel_azure_client_connect(&client, 0) == expected);
}

static void wrong_settings(void) {
    const struct {
        const char *string;
        quectel_azure_result expected;
    } strings[] = {
        {STRING, QUECTEL_AZURE_OK},
        {"HostName=contoso.azure-devices.net;DeviceId=dev-1;x509=true", QUECTEL_AZURE_OK},
        {"", QUECTEL_AZURE_ERROR_CONNECTION_STRING},
        {"HostName=contoso.azure-devices.net;SharedAccessKey=" KEY, QUECTEL_AZURE_ERROR_CONNECTION_STRING},
        {"HostName=https://x.example;DeviceId=dev-1;SharedAccessKey=" KEY, QUECTEL_AZURE_ERROR_IDENTITY},
        {"HostName=contoso.azure-devices.net;DeviceId=dev-1;SharedAccessKey=%%%%", QUECTEL_AZURE_ERROR_KEY},
        {"HostName=\xFF", QUECTEL_AZURE_ERROR_NOT_UTF8},
    };
    quectel_azure_config config;
    size_t n;

    for (n = 0; n < sizeof strings / sizeof strings[0]; n++) {
        quectel_azure_config before = settings();
        config = before;
        CHECK(quectel_azure_config_set_connection_string(&config, text(strings[n].string)) == strings[n].expected);
        /* Outputs are written only on success. */
        CHECK(strings[n].expected == QUECTEL_AZURE_OK || memcmp(&config.hub, &before.hub, sizeof config.hub) == 0);
    }
#define EXPECT(setting, expected)                                                                                      \
    config = settings();                                                                                               \
    setting;                                                                                                           \
    CHECK(init(&config) == (expected))
    EXPECT(config.hub = none, QUECTEL_AZURE_ERROR_IDENTITY);
    EXPECT(config.credential = text("?"), QUECTEL_AZURE_ERROR_KEY);
    EXPECT(config.credential_kind = QUECTEL_AZURE_CREDENTIAL_SAS_TOKEN, QUECTEL_AZURE_ERROR_TOKEN);
    EXPECT(config.credential_kind = QUECTEL_AZURE_CREDENTIAL_X509, QUECTEL_AZURE_ERROR_CERTIFICATE_NOT_PEM);
    EXPECT(config.credential_kind = 9, QUECTEL_AZURE_ERROR_INVALID_VALUE);
    EXPECT(config.apn_auth = 4, QUECTEL_AZURE_ERROR_INVALID_VALUE);
    EXPECT(config.urc_port = 5, QUECTEL_AZURE_ERROR_INVALID_VALUE);
    EXPECT(config.clean_session = 2, QUECTEL_AZURE_ERROR_INVALID_VALUE);
    EXPECT(config.receive = 2, QUECTEL_AZURE_ERROR_INVALID_VALUE);
    EXPECT(config.apn = text("a\"b"), QUECTEL_AZURE_ERROR_TEXT);
    EXPECT(config.apn = text("\xFF"), QUECTEL_AZURE_ERROR_NOT_UTF8);
    EXPECT(config.ca_pem = text("not PEM"), QUECTEL_AZURE_ERROR_CA_NOT_PEM);
    EXPECT(config.ssl_context = 6, QUECTEL_AZURE_ERROR_SLOTS);
    EXPECT(config.keep_alive_s = 1178, QUECTEL_AZURE_ERROR_KEEP_ALIVE);
    EXPECT(config.port = 0, QUECTEL_AZURE_ERROR_PORT);
    EXPECT(config.port = 443, QUECTEL_AZURE_OK);
#undef EXPECT
    quectel_azure_client_deinit(&client);
}

static void small_buffers(void) {
    quectel_azure_config config = settings();
    quectel_azure_buffers buffers = memory();
    buffers.rx_size = 511;
    CHECK(quectel_azure_client_init(&client, sizeof client, &config, &buffers) == QUECTEL_AZURE_ERROR_RX_BUFFER);
    buffers = memory();
    buffers.tx = NULL;
    buffers.tx_size = 0;
    CHECK(quectel_azure_client_init(&client, sizeof client, &config, &buffers) == QUECTEL_AZURE_ERROR_TX_BUFFER);
    buffers = memory();
    buffers.scratch_size = 8;
    CHECK(quectel_azure_client_init(&client, sizeof client, &config, &buffers) == QUECTEL_AZURE_ERROR_SCRATCH_BUFFER);
}

static void misuse(void) {
    quectel_azure_config config = settings();
    quectel_azure_message message;
    const uint8_t signature[32] = {0};
    uint32_t number = 7;

    memset(&message, 0, sizeof message);
    CHECK(init(&config) == QUECTEL_AZURE_OK);
    CHECK(quectel_azure_client_publish(&client, 0, &message, &number) == QUECTEL_AZURE_ERROR_NOT_CONNECTED);
    CHECK(number == 7);
    CHECK(quectel_azure_client_disconnect(&client, 0) == QUECTEL_AZURE_ERROR_NOT_CONNECTED);
    CHECK(quectel_azure_client_provide_signature(&client, 0, signature) ==
          QUECTEL_AZURE_ERROR_NO_SIGNATURE_NEEDED);
    message.delivery = 2;
    CHECK(quectel_azure_client_publish(&client, 0, &message, NULL) == QUECTEL_AZURE_ERROR_INVALID_VALUE);
    CHECK(quectel_azure_client_connect(&client, 0) == QUECTEL_AZURE_OK);
    CHECK(quectel_azure_client_connect(&client, 0) == QUECTEL_AZURE_ERROR_ALREADY_RUNNING);
    quectel_azure_client_deinit(&client);
}

/* A module that answers with noise is given up, in bounded time and with a reason. */
static void garbage(void) {
    quectel_azure_config config = settings();
    uint32_t noise = 12345;
    uint64_t now_ms = 0;
    int failed = 0;

    CHECK(init(&config) == QUECTEL_AZURE_OK);
    CHECK(quectel_azure_client_connect(&client, now_ms) == QUECTEL_AZURE_OK);
    for (; now_ms < 600000 && !failed; now_ms += 100) {
        uint8_t bytes[64], out[16];
        const uint8_t *input = bytes;
        size_t len = sizeof bytes, n;
        quectel_azure_event event;

        do {
            CHECK(quectel_azure_client_poll_transmit(&client, out, sizeof out, &n) == QUECTEL_AZURE_OK);
            CHECK(n <= sizeof out);
        } while (n > 0);
        for (n = 0; n < sizeof bytes; n++) {
            noise = noise * 1664525 + 1013904223;
            bytes[n] = (uint8_t)(noise >> 24);
        }
        do {
            CHECK(quectel_azure_client_poll(&client, now_ms, &input, &len, &event) == QUECTEL_AZURE_OK);
            CHECK(len <= sizeof bytes && input == bytes + sizeof bytes - len);
            if (event.kind == QUECTEL_AZURE_EVENT_FAILED) {
                failed = 1;
                CHECK(is(event.step, "identify"));
                CHECK(event.result == QUECTEL_AZURE_REASON_MODULE_GARBLED ||
                      event.result == QUECTEL_AZURE_REASON_MODULE_SILENT);
            }
        } while (event.kind != QUECTEL_AZURE_EVENT_NONE);
        CHECK(len == 0);
    }
    CHECK(failed);
    quectel_azure_client_deinit(&client);
}

int main(void) {
    versions();
    results();
    null_pointers();
    header_of_another_version();
    not_initialised();
    wrong_settings();
    small_buffers();
    misuse();
    garbage();
    printf("interface: %s\n", failures == 0 ? "ok" : "FAILED");
    return failures == 0 ? 0 : 1;
}
