/*
 * The loop around a client in a firmware: in the turns of a main loop, or in a task of an RTOS. Copy loop_superloop.h
 * and loop_superloop.c into your firmware and write the two functions port_write and port_read for your UART.
 */
#ifndef LOOP_SUPERLOOP_H
#define LOOP_SUPERLOOP_H

#include <quectel_azure.h>

/* To be written by you: hands bytes to the UART and returns how many it took, which may be 0. */
size_t port_write(const uint8_t *data, size_t len);

/* To be written by you: copies bytes that the UART has received and returns how many. In a main loop it does not wait.
   In a task it may sleep until there are bytes, at most until until_ms, which is UINT64_MAX when nothing is awaited;
   then let another task wake it when there is something to publish. A receive buffer, filled by interrupt or DMA,
   should hold what arrives while the task does something else: 115,200 baud are 12 bytes in a millisecond. */
size_t port_read(uint8_t *data, size_t size, uint64_t until_ms);

/* A client with what is on its way. Set client, and let the rest be zero. */
struct loop {
    quectel_azure_client *client;
    const uint8_t *unread; /* what the client has not taken yet of `input` */
    size_t unread_len;
    const uint8_t *unsent; /* what the UART has not taken yet of `output` */
    size_t unsent_len;
    uint8_t input[64];
    uint8_t output[64];
};

/* One turn: call it again and again, with the time in milliseconds. The event's kind is QUECTEL_AZURE_EVENT_NONE when
   nothing happened. */
quectel_azure_result loop_turn(struct loop *loop, uint64_t now_ms, quectel_azure_event *event);

#endif
