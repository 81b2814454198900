/* Parses a part of the mix on a Cortex-M4 and tells what it costs: instructions, counted by the system timer while QEMU
 * gives each instruction one nanosecond, and stack, which is painted before. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SIZE 65536u
#define BUFFER_BYTES 2048u
#define FRAMER_BYTES 64u
#define STACK_BYTES 65536u
/* The system timer's clock of this board is 25 MHz. */
#define INSTRUCTIONS_PER_TICK 40u

extern size_t cost_of_codec(uint64_t *framer, const uint8_t *bytes, uint8_t *buffer, size_t step);
extern uint32_t data_source, data_start, data_end, stack_top;
extern void initialise_monitor_handles(void);

__asm(".section .rodata\n.global mix\nmix: .incbin \"" MIX "\"\n.previous");
extern const uint8_t mix[SIZE];

static volatile uint32_t *const timer = (volatile uint32_t *)0xE000E010; /* CTRL, LOAD, VAL */
static volatile uint32_t turns;
static uint8_t buffer[BUFFER_BYTES];
static uint64_t framer[FRAMER_BYTES / sizeof(uint64_t)];

static void on_timer(void) { turns++; }

static uint64_t ticks(void) {
    uint32_t before, value;
    do {
        before = turns;
        value = timer[2];
    } while (before != turns);
    return (uint64_t)before * 0x1000000 + (0xFFFFFF - value);
}

__attribute__((noinline)) static void measure(const char *pieces, size_t step) {
    uint8_t *here, *end, *at;
    uint64_t started, spent;
    size_t events;

    __asm volatile("mov %0, sp" : "=r"(here));
    end = here - STACK_BYTES;
    for (at = end; at < here; at++)
        *(volatile uint8_t *)at = 0xA5;
    started = ticks();
    events = cost_of_codec(framer, mix, buffer, step);
    spent = (ticks() - started) * INSTRUCTIONS_PER_TICK;
    for (at = end; *(volatile uint8_t *)at == 0xA5;)
        at++;
    printf("%s|%lu|%lu.%02lu|%lu\n", pieces, (unsigned long)events, (unsigned long)(spent / SIZE),
           (unsigned long)(spent * 100 / SIZE % 100), (unsigned long)(here - at));
}

int main(void) {
    timer[1] = 0xFFFFFF;
    timer[2] = 0;
    timer[0] = 7;
    measure("whole", SIZE);
    measure("64 bytes", 64);
    measure("byte by byte", 1);
    return 0;
}

void _init(void) {}
void _fini(void) {}

void reset_handler(void);
void reset_handler(void) {
    const uint32_t *from = &data_source;
    for (uint32_t *to = &data_start; to < &data_end; to++)
        *to = *from++;
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* the floating-point unit */
    __asm volatile("dsb\n isb");
    initialise_monitor_handles();
    exit(main());
}

static void fault_handler(void) { _Exit(98); }

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &stack_top, reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, 0,
    0, 0, 0, fault_handler, fault_handler, 0, fault_handler, on_timer,
};
