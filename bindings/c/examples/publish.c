/*
 * Connects a module to an IoT Hub, publishes one message and waits for its acknowledgement.
 *
 *   QUECTEL_AZURE_CONNECTION_STRING='HostName=…' publish --port /dev/ttyUSB2 --apn iot.example --message hello
 *
 * Exit status: 0 the message was acknowledged, 1 it was not, 2 wrong usage or settings; nothing was sent.
 */
#include "loop_posix.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };

static const char usage[] =
    "usage: publish --port PORT --message TEXT [options]\n"
    "  --port PORT            /dev/ttyUSB2, a pseudo terminal, or tcp:HOST:PORT\n"
    "  --message TEXT         what to publish\n"
    "  --property NAME=VALUE  application property; may be given several times\n"
    "  --apn NAME             access point name\n"
    "  --ca FILE              root certificate (PEM) instead of DigiCert Global Root G2\n"
    "  --cert FILE --key FILE certificate and key (PEM) for a connection string with x509=true\n"
    "  --hub-port N           TCP port of the hub, 8883\n"
    "  --wait-for-message S   then wait S seconds for a cloud-to-device message; none is a failure\n"
    "  --timeout S            give up after S seconds, 600\n"
    "The connection string is in the environment: QUECTEL_AZURE_CONNECTION_STRING.\n";

struct options {
    const char *port;
    const char *message;
    const char *ca;
    const char *cert;
    const char *key;
    const char *apn;
    unsigned long hub_port;
    unsigned long wait_for_message_s;
    unsigned long timeout_s;
    quectel_azure_property properties[QUECTEL_AZURE_MAX_PROPERTIES];
    size_t property_count;
};

/* All memory of the client. */
static struct {
    quectel_azure_client client;
    uint8_t rx[8192];
    uint8_t tx[4096];
    uint8_t scratch[2048];
    char ca[8192];
    char cert[8192];
    char key[8192];
} memory;

static quectel_azure_bytes text(const char *string) {
    quectel_azure_bytes bytes;
    bytes.data = (const uint8_t *)string;
    bytes.len = strlen(string);
    return bytes;
}

/* Shows bytes that come from elsewhere: a terminal must not obey them. */
static void show(FILE *file, quectel_azure_bytes bytes) {
    size_t n;
    for (n = 0; n < bytes.len; n++) {
        if (bytes.data[n] >= 0x20 && bytes.data[n] != 0x7F)
            fputc(bytes.data[n], file);
        else
            fprintf(file, "\\x%02x", bytes.data[n]);
    }
}

static void show_result(const char *what, quectel_azure_result result) {
    quectel_azure_bytes remedy = quectel_azure_result_remedy(result);
    fprintf(stderr, "publish: %s: ", what);
    show(stderr, quectel_azure_result_name(result));
    fputs(": ", stderr);
    show(stderr, quectel_azure_result_text(result));
    if (remedy.len > 0) {
        fputs("\nWhat to do: ", stderr);
        show(stderr, remedy);
    }
    fputc('\n', stderr);
}

static int read_number(const char *value, unsigned long max, unsigned long *number) {
    char *end;
    errno = 0;
    *number = strtoul(value, &end, 10);
    return errno == 0 && end != value && *end == '\0' && value[0] != '-' && *number <= max ? 0 : -1;
}

static int read_property(struct options *options, const char *value) {
    const char *equals = strchr(value, '=');
    quectel_azure_property *property;
    if (equals == NULL || equals == value || options->property_count == QUECTEL_AZURE_MAX_PROPERTIES)
        return -1;
    property = &options->properties[options->property_count++];
    property->name.data = (const uint8_t *)value;
    property->name.len = (size_t)(equals - value);
    property->value = text(equals + 1);
    return 0;
}

static int read_option(struct options *options, const char *name, const char *value) {
    if (strcmp(name, "--port") == 0)
        options->port = value;
    else if (strcmp(name, "--message") == 0)
        options->message = value;
    else if (strcmp(name, "--ca") == 0)
        options->ca = value;
    else if (strcmp(name, "--cert") == 0)
        options->cert = value;
    else if (strcmp(name, "--key") == 0)
        options->key = value;
    else if (strcmp(name, "--apn") == 0)
        options->apn = value;
    else if (strcmp(name, "--property") == 0)
        return read_property(options, value);
    else if (strcmp(name, "--hub-port") == 0)
        return read_number(value, 65535, &options->hub_port);
    else if (strcmp(name, "--wait-for-message") == 0)
        return read_number(value, 86400, &options->wait_for_message_s);
    else if (strcmp(name, "--timeout") == 0)
        return read_number(value, 86400, &options->timeout_s);
    else
        return -1;
    return 0;
}

static int read_options(int argc, char **argv, struct options *options) {
    int n;
    memset(options, 0, sizeof *options);
    options->hub_port = 8883;
    options->timeout_s = 600;
    for (n = 1; n < argc; n += 2) {
        if (n + 1 == argc || read_option(options, argv[n], argv[n + 1]) != 0) {
            fprintf(stderr, "publish: %s: unknown, or its value is missing or wrong\n%s", argv[n], usage);
            return -1;
        }
    }
    if (options->port == NULL || options->message == NULL) {
        fputs(usage, stderr);
        return -1;
    }
    return 0;
}

/* Reads a whole file that is shorter than `size`. No name is an empty file. */
static int read_file(const char *name, char *out, size_t size, quectel_azure_bytes *bytes) {
    FILE *file;
    size_t len;
    if (name == NULL)
        return 0;
    file = fopen(name, "rb");
    if (file == NULL) {
        fprintf(stderr, "publish: %s: %s\n", name, strerror(errno));
        return -1;
    }
    len = fread(out, 1, size, file);
    if (ferror(file) || len == size) {
        fprintf(stderr, "publish: %s: cannot be read, or is too long for a certificate\n", name);
        fclose(file);
        return -1;
    }
    fclose(file);
    bytes->data = (const uint8_t *)out;
    bytes->len = len;
    return 0;
}

static int init(const struct options *options) {
    const char *connection_string = getenv("QUECTEL_AZURE_CONNECTION_STRING");
    quectel_azure_config config;
    quectel_azure_buffers buffers;
    quectel_azure_result result;

    if (connection_string == NULL) {
        fputs("publish: QUECTEL_AZURE_CONNECTION_STRING is not set\n", stderr);
        return -1;
    }
    result = quectel_azure_config_init(&config, sizeof config);
    if (result == QUECTEL_AZURE_OK)
        result = quectel_azure_config_set_connection_string(&config, text(connection_string));
    if (result != QUECTEL_AZURE_OK) {
        show_result("connection string", result);
        return -1;
    }
    config.port = (uint16_t)options->hub_port;
    if (options->apn != NULL)
        config.apn = text(options->apn);
    if (read_file(options->ca, memory.ca, sizeof memory.ca, &config.ca_pem) != 0 ||
        read_file(options->cert, memory.cert, sizeof memory.cert, &config.certificate) != 0 ||
        read_file(options->key, memory.key, sizeof memory.key, &config.private_key) != 0)
        return -1;

    buffers.rx = memory.rx;
    buffers.rx_size = sizeof memory.rx;
    buffers.tx = memory.tx;
    buffers.tx_size = sizeof memory.tx;
    buffers.scratch = memory.scratch;
    buffers.scratch_size = sizeof memory.scratch;
    result = quectel_azure_client_init(&memory.client, sizeof memory.client, &config, &buffers);
    if (result != QUECTEL_AZURE_OK) {
        show_result("settings", result);
        return -1;
    }
    return 0;
}

static void show_event(const quectel_azure_event *event) {
    switch (event->kind) {
    case QUECTEL_AZURE_EVENT_STEP:
        fputs("step ", stdout);
        show(stdout, event->step);
        break;
    case QUECTEL_AZURE_EVENT_IDENTIFIED:
        fputs("module ", stdout);
        show(stdout, event->model);
        fputs(", firmware ", stdout);
        show(stdout, event->revision);
        break;
    case QUECTEL_AZURE_EVENT_WARNING:
        fputs("warning: ", stdout);
        show(stdout, event->line);
        break;
    case QUECTEL_AZURE_EVENT_CONNECTED:
        fputs("connected", stdout);
        break;
    case QUECTEL_AZURE_EVENT_PUBLISHED:
        printf("message %lu acknowledged", (unsigned long)event->number);
        break;
    case QUECTEL_AZURE_EVENT_MESSAGE:
        fputs("message received: ", stdout);
        show(stdout, event->payload);
        fputs("\nits properties: ", stdout);
        show(stdout, event->properties);
        break;
    case QUECTEL_AZURE_EVENT_URC:
        fputs("the module said ", stdout);
        show(stdout, event->line);
        break;
    default:
        return;
    }
    putchar('\n');
    fflush(stdout);
}

static void show_failure(const quectel_azure_event *event) {
    char step[32];
    size_t len = event->step.len < sizeof step - 1 ? event->step.len : sizeof step - 1;
    if (len > 0)
        memcpy(step, event->step.data, len);
    step[len] = '\0';
    show_result(len > 0 ? step : "the message", event->result);
    if (event->line.len > 0) {
        fputs("The module said: ", stderr);
        show(stderr, event->line);
        fputc('\n', stderr);
    }
}

/* A client that runs, and how many cloud-to-device messages have come. */
struct session {
    struct loop loop;
    unsigned long messages;
};

/* Shows what happens until an event of this kind. */
static int run_until(struct session *session, uint32_t kind, uint64_t until_ms) {
    quectel_azure_event event;
    for (;;) {
        switch (loop_next(&session->loop, until_ms, &event)) {
        case LOOP_EVENT:
            show_event(&event);
            break;
        case LOOP_TIME:
            fputs("publish: it took too long\n", stderr);
            return -1;
        case LOOP_PORT_GONE:
            fprintf(stderr, "publish: the port was lost: %s\n", errno != 0 ? strerror(errno) : "end of stream");
            session->loop.port = -1;
            return -1;
        case LOOP_MISUSE:
            fputs("publish: the client is not initialised\n", stderr);
            return -1;
        }
        if (event.kind == QUECTEL_AZURE_EVENT_MESSAGE)
            session->messages++;
        if (event.kind == kind)
            return 0;
        if (event.kind == QUECTEL_AZURE_EVENT_FAILED || event.kind == QUECTEL_AZURE_EVENT_PUBLISH_FAILED) {
            show_failure(&event);
            return -1;
        }
    }
}

static int publish(struct session *session, const struct options *options, uint64_t until_ms) {
    quectel_azure_message message;
    quectel_azure_result result;

    memset(&message, 0, sizeof message);
    message.payload = text(options->message);
    message.properties = options->properties;
    message.property_count = options->property_count;
    for (;;) {
        quectel_azure_event event;
        result = quectel_azure_client_publish(session->loop.client, clock_ms(), &message, NULL);
        if (result != QUECTEL_AZURE_ERROR_BUSY || loop_next(&session->loop, clock_ms() + 10, &event) > LOOP_TIME)
            break;
        show_event(&event);
    }
    if (result != QUECTEL_AZURE_OK) {
        show_result("the message", result);
        return -1;
    }
    return run_until(session, QUECTEL_AZURE_EVENT_PUBLISHED, until_ms);
}

static int connect_and_publish(struct session *session, const struct options *options) {
    uint64_t until_ms = clock_ms() + options->timeout_s * 1000;
    quectel_azure_result result;

    /* This computer knows the time; then neither module nor network need know it. */
    quectel_azure_client_set_unix_time(session->loop.client, clock_ms(), (uint64_t)time(NULL));
    result = quectel_azure_client_connect(session->loop.client, clock_ms());
    if (result != QUECTEL_AZURE_OK) {
        show_result("connect", result);
        return -1;
    }
    if (run_until(session, QUECTEL_AZURE_EVENT_CONNECTED, until_ms) != 0 ||
        publish(session, options, until_ms) != 0)
        return -1;
    if (options->wait_for_message_s == 0 || session->messages > 0)
        return 0;
    return run_until(session, QUECTEL_AZURE_EVENT_MESSAGE, clock_ms() + options->wait_for_message_s * 1000);
}

/* Leaves the module so that the next run works. */
static int disconnect(struct session *session) {
    if (session->loop.port < 0 ||
        quectel_azure_client_disconnect(session->loop.client, clock_ms()) == QUECTEL_AZURE_ERROR_NOT_CONNECTED)
        return 0;
    return run_until(session, QUECTEL_AZURE_EVENT_DISCONNECTED, clock_ms() + 30000);
}

int main(int argc, char **argv) {
    struct options options;
    struct session session;
    int status;

    if (quectel_azure_version() != QUECTEL_AZURE_VERSION) {
        fputs("publish: built with the header of another version of the library\n", stderr);
        return WRONG_USAGE;
    }
    if (read_options(argc, argv, &options) != 0 || init(&options) != 0)
        return WRONG_USAGE;
#ifdef SIGPIPE
    signal(SIGPIPE, SIG_IGN); /* a port that is gone is an error, not the end of the program */
#endif
    memset(&session, 0, sizeof session);
    session.loop.client = &memory.client;
    session.loop.port = port_open(options.port);
    if (session.loop.port < 0) {
        fprintf(stderr, "publish: %s: %s\n", options.port, strerror(errno));
        status = FAILED;
    } else {
        status = connect_and_publish(&session, &options) == 0 ? DONE : FAILED;
        if (disconnect(&session) != 0)
            status = FAILED;
    }
    quectel_azure_client_deinit(&memory.client);
    return status;
}
