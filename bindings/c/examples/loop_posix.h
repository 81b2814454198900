/*
 * The loop around a client on Linux, macOS and other POSIX systems. Copy loop_posix.h and loop_posix.c into your
 * program and change them as you like.
 */
#ifndef LOOP_POSIX_H
#define LOOP_POSIX_H

#include <quectel_azure.h>

/* Opens the AT port: "tcp:HOST:PORT", or the path of a serial port (115,200 baud, 8N1) or pseudo terminal.
   Returns a file descriptor, or -1 with errno set. Ignore SIGPIPE, or a TCP port that is closed ends the program. */
int port_open(const char *name);

/* Milliseconds of a clock that never goes backwards. */
uint64_t clock_ms(void);

/* A client with its port. Set port and client, and let the rest be zero. */
struct loop {
    int port;
    quectel_azure_client *client;
    const uint8_t *unread; /* what the client has not taken yet of `input` */
    size_t unread_len;
    size_t unsent; /* how much of `output` the port has not taken yet */
    uint8_t input[512];
    uint8_t output[64];
};

enum loop_result {
    LOOP_EVENT,     /* *event happened */
    LOOP_TIME,      /* it is until_ms, and nothing happened */
    LOOP_PORT_GONE, /* the port was closed or failed: errno says how, 0 is the end of the stream */
    LOOP_MISUSE     /* the client was not initialised */
};

/* Runs the client until something happens, or until until_ms. */
enum loop_result loop_next(struct loop *loop, uint64_t until_ms, quectel_azure_event *event);

#endif
