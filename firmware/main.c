/*
 * A firmware that connects, publishes one message, waits for its acknowledgement and disconnects.
 *
 * Its texts go to the computer by semihosting; the exit status is that of the emulator: 0 acknowledged, 1 not, 97 a
 * fault in the library, 98 a fault of the processor.
 */
#include "board.h"
#include "settings.h" /* CONNECTION_STRING, CA_PEM, APN, MESSAGE: written by ci.sh */

#include "../bindings/c/examples/loop_superloop.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TIME_LIMIT_MS = 300000 };

static quectel_azure_client client;
static uint8_t rx[1024], tx[2048], scratch[1024];

static quectel_azure_bytes text(const char *string) {
    quectel_azure_bytes bytes = {(const uint8_t *)string, strlen(string)};
    return bytes;
}

static void say(quectel_azure_bytes bytes) {
    while (bytes.len > 0) {
        int written = write(STDOUT_FILENO, bytes.data, bytes.len);
        if (written <= 0)
            return;
        bytes.data += written;
        bytes.len -= (size_t)written;
    }
}

static void say_line(const char *what, quectel_azure_bytes bytes) {
    say(text(what));
    say(bytes);
    say(text("\n"));
}

static void say_number(const char *what, size_t number) {
    char digits[12];
    char *at = digits + sizeof digits - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    say_line(what, text(at));
}

void quectel_azure_on_panic(const uint8_t *file, size_t file_len, uint32_t line) {
    quectel_azure_bytes bytes = {file, file_len};
    say_line("the library has a fault in ", bytes);
    say_number("line ", line);
    _exit(97);
}

static quectel_azure_result init(void) {
    const quectel_azure_buffers buffers = {rx, sizeof rx, tx, sizeof tx, scratch, sizeof scratch};
    quectel_azure_config config;
    quectel_azure_result result = quectel_azure_config_init(&config, sizeof config);

    if (result == QUECTEL_AZURE_OK)
        result = quectel_azure_config_set_connection_string(&config, text(CONNECTION_STRING));
    if (result != QUECTEL_AZURE_OK)
        return result;
    config.ca_pem = text(CA_PEM);
    config.apn = text(APN);
    return quectel_azure_client_init(&client, sizeof client, &config, &buffers);
}

static quectel_azure_result publish(void) {
    quectel_azure_message message = {.payload = {0}};
    message.payload = text(MESSAGE);
    return quectel_azure_client_publish(&client, board_ms(), &message, NULL);
}

/* Whether the message was acknowledged. */
static int acknowledged;

/* What the firmware does about an event. */
static quectel_azure_result handle(const quectel_azure_event *event) {
    switch (event->kind) {
    case QUECTEL_AZURE_EVENT_STEP:
        say_line("step ", event->step);
        return QUECTEL_AZURE_OK;
    case QUECTEL_AZURE_EVENT_CONNECTED:
        return publish();
    case QUECTEL_AZURE_EVENT_PUBLISHED:
        say(text("acknowledged\n"));
        acknowledged = 1;
        return quectel_azure_client_disconnect(&client, board_ms());
    case QUECTEL_AZURE_EVENT_MESSAGE:
        say_line("message received: ", event->payload);
        return QUECTEL_AZURE_OK;
    case QUECTEL_AZURE_EVENT_PUBLISH_FAILED:
        return event->result;
    case QUECTEL_AZURE_EVENT_FAILED:
        say_line("failed in ", event->step);
        say_line("the module said ", event->line);
        return event->result;
    default:
        return QUECTEL_AZURE_OK;
    }
}

static quectel_azure_result run(void) {
    struct loop loop = {.client = &client};
    quectel_azure_result result = quectel_azure_client_connect(&client, board_ms());

    while (result == QUECTEL_AZURE_OK && board_ms() < TIME_LIMIT_MS) {
        quectel_azure_event event;
        result = loop_turn(&loop, board_ms(), &event);
        if (result == QUECTEL_AZURE_OK)
            result = handle(&event);
        if (event.kind == QUECTEL_AZURE_EVENT_DISCONNECTED)
            break;
    }
    return result;
}

int main(void) {
    quectel_azure_result result;

    board_init();
    result = init();
    if (result == QUECTEL_AZURE_OK)
        result = run();
    if (result != QUECTEL_AZURE_OK) {
        say_line("", quectel_azure_result_text(result));
        say_line("", quectel_azure_result_remedy(result));
    }
    quectel_azure_client_deinit(&client);
    say_number("stack: ", stack_used());
    return acknowledged && result == QUECTEL_AZURE_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
