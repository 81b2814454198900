/*
 * loop_superloop.c on a computer: a main loop that publishes one message, not acknowledged, with a key held elsewhere.
 * "Elsewhere" is whoever started this program: it reads the text to sign from our standard output and writes the
 * signature to our standard input, both in hexadecimal.
 *
 *   superloop PORT HUB DEVICE CA-FILE
 */
#define _POSIX_C_SOURCE 200809L

#include "../examples/loop_posix.h"
#define loop turns /* both examples call their struct loop */
#include "../examples/loop_superloop.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int uart;
static quectel_azure_client client;
static uint8_t rx[4096], tx[2048], scratch[2048];
static char ca[8192];

/* A UART with a shift register of three bytes. */
size_t port_write(const uint8_t *data, size_t len) {
    ssize_t sent = write(uart, data, len < 3 ? len : 3);
    return sent < 0 ? 0 : (size_t)sent;
}

size_t port_read(uint8_t *data, size_t size, uint64_t until_ms) {
    struct timespec pause = {0, 200000};
    ssize_t got = read(uart, data, size);
    if (got <= 0 && until_ms > clock_ms())
        nanosleep(&pause, NULL);
    return got < 0 ? 0 : (size_t)got;
}

static quectel_azure_bytes text(const char *string) {
    quectel_azure_bytes bytes;
    bytes.data = (const uint8_t *)string;
    bytes.len = strlen(string);
    return bytes;
}

static int init(char **argv) {
    quectel_azure_config config;
    quectel_azure_buffers buffers;
    FILE *file = fopen(argv[4], "r");

    if (file == NULL)
        return -1;
    (void)!fread(ca, 1, sizeof ca - 1, file);
    fclose(file);
    if (quectel_azure_config_init(&config, sizeof config) != QUECTEL_AZURE_OK)
        return -1;
    config.hub = text(argv[2]);
    config.device_id = text(argv[3]);
    config.ca_pem = text(ca);
    config.credential_kind = QUECTEL_AZURE_CREDENTIAL_EXTERNAL_KEY;
    config.receive = 0;
    buffers.rx = rx;
    buffers.rx_size = sizeof rx;
    buffers.tx = tx;
    buffers.tx_size = sizeof tx;
    buffers.scratch = scratch;
    buffers.scratch_size = sizeof scratch;
    return quectel_azure_client_init(&client, sizeof client, &config, &buffers) == QUECTEL_AZURE_OK ? 0 : -1;
}

static int sign(quectel_azure_bytes what) {
    uint8_t signature[32];
    size_t n;

    fputs("sign ", stdout);
    for (n = 0; n < what.len; n++)
        printf("%02x", what.data[n]);
    putchar('\n');
    fflush(stdout);
    for (n = 0; n < sizeof signature; n++) {
        unsigned int byte;
        if (scanf("%2x", &byte) != 1)
            return -1;
        signature[n] = (uint8_t)byte;
    }
    return quectel_azure_client_provide_signature(&client, clock_ms(), signature) == QUECTEL_AZURE_OK ? 0 : -1;
}

static int publish(void) {
    quectel_azure_message message;
    memset(&message, 0, sizeof message);
    message.payload = text("\"from a main loop\"\r\nOK");
    message.delivery = QUECTEL_AZURE_DELIVERY_AT_MOST_ONCE;
    return quectel_azure_client_publish(&client, clock_ms(), &message, NULL) == QUECTEL_AZURE_OK ? 0 : -1;
}

/* What the firmware does about an event: 0 go on, 1 done, -1 failed. */
static int handle(const quectel_azure_event *event) {
    switch (event->kind) {
    case QUECTEL_AZURE_EVENT_SIGNATURE_NEEDED:
        return sign(event->payload);
    case QUECTEL_AZURE_EVENT_CONNECTED:
        return publish();
    case QUECTEL_AZURE_EVENT_PUBLISHED:
        return quectel_azure_client_disconnect(&client, clock_ms()) == QUECTEL_AZURE_OK ? 0 : -1;
    case QUECTEL_AZURE_EVENT_DISCONNECTED:
        return 1;
    case QUECTEL_AZURE_EVENT_FAILED:
        printf("failed in %.*s: %.*s\n", (int)event->step.len, (const char *)event->step.data, (int)event->line.len,
               (const char *)event->line.data);
        return -1;
    default:
        return 0;
    }
}

int main(int argc, char **argv) {
    struct turns turns;
    uint64_t end_ms = clock_ms() + 60000;
    int result = 0;

    if (argc != 5 || init(argv) != 0 || (uart = port_open(argv[1])) < 0)
        return 2;
    memset(&turns, 0, sizeof turns);
    turns.client = &client;
    if (quectel_azure_client_connect(&client, clock_ms()) != QUECTEL_AZURE_OK)
        return 2;
    while (result == 0 && clock_ms() < end_ms) {
        quectel_azure_event event;
        if (loop_turn(&turns, clock_ms(), &event) != QUECTEL_AZURE_OK)
            return 2;
        result = handle(&event);
    }
    quectel_azure_client_deinit(&client);
    puts(result == 1 ? "done" : "failed");
    return result == 1 ? 0 : 1;
}
