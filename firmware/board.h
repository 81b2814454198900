/* What main.c needs of a board besides port_write and port_read of loop_superloop.h. */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

/* Starts clock and UART. */
void board_init(void);

/* Called for interrupt `number` of the microcontroller, and for its system timer with -1. */
void board_interrupt(int number);

/* Milliseconds since board_init. Call it at least once an hour. */
uint64_t board_ms(void);

/* The most bytes of stack that were in use since reset; of startup.c, the same for all boards. */
size_t stack_used(void);

#endif
