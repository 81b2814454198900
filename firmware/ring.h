/* A buffer between an interrupt that fills it and a main loop that empties it. */
#ifndef RING_H
#define RING_H

#include <stddef.h>
#include <stdint.h>

/* A power of two: 512 bytes last 44 ms at 115,200 baud. */
#define RING_SIZE 512u

struct ring {
    volatile uint32_t written; /* changed by the interrupt only */
    volatile uint32_t read;    /* changed by the main loop only */
    uint8_t bytes[RING_SIZE];
};

/* Drops the byte when the ring is full; the client then reports a lost line. */
static inline void ring_put(struct ring *ring, uint8_t byte) {
    uint32_t written = ring->written;
    if (written - ring->read < RING_SIZE) {
        ring->bytes[written % RING_SIZE] = byte;
        ring->written = written + 1;
    }
}

static inline size_t ring_take(struct ring *ring, uint8_t *data, size_t size) {
    size_t taken = 0;
    uint32_t read = ring->read;
    while (taken < size && read != ring->written)
        data[taken++] = ring->bytes[read++ % RING_SIZE];
    ring->read = read;
    return taken;
}

#endif
