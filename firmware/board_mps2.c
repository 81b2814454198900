/* MPS2 board with a Cortex-M4 (AN386), as QEMU has it. The module is on UART0. */

#include "board.h"
#include "ring.h"

#include "../bindings/c/examples/loop_superloop.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define UART_DATA REGISTER(0x40004000)
#define UART_STATE REGISTER(0x40004004)
#define UART_CTRL REGISTER(0x40004008)
#define UART_INTERRUPT_CLEAR REGISTER(0x4000400C)
#define UART_DIVIDER REGISTER(0x40004010)
enum { STATE_TX_FULL = 1, STATE_RX_FULL = 2, CTRL_TX = 1, CTRL_RX = 2, CTRL_RX_INTERRUPT = 8, CLEAR_RX = 2 };
enum { UART0_RX_INTERRUPT = 0 };

#define NVIC_ENABLE REGISTER(0xE000E100)
#define SYSTICK_CTRL REGISTER(0xE000E010)
#define SYSTICK_RELOAD REGISTER(0xE000E014)
#define SYSTICK_VALUE REGISTER(0xE000E018)
enum { SYSTICK_ON = 1, SYSTICK_INTERRUPT = 2, SYSTICK_PROCESSOR_CLOCK = 4 };

static const uint32_t clock_hz = 25000000;
static const uint32_t baud = 115200;

static volatile uint32_t ticks;
static struct ring received;

void board_init(void) {
    SYSTICK_RELOAD = clock_hz / 1000 - 1;
    SYSTICK_VALUE = 0;
    SYSTICK_CTRL = SYSTICK_ON | SYSTICK_INTERRUPT | SYSTICK_PROCESSOR_CLOCK;
    UART_DIVIDER = clock_hz / baud;
    UART_CTRL = CTRL_TX | CTRL_RX | CTRL_RX_INTERRUPT;
    NVIC_ENABLE = 1u << UART0_RX_INTERRUPT;
}

void board_interrupt(int number) {
    if (number == -1) {
        ticks++;
    } else if (number == UART0_RX_INTERRUPT) {
        UART_INTERRUPT_CLEAR = CLEAR_RX;
        while ((UART_STATE & STATE_RX_FULL) != 0)
            ring_put(&received, (uint8_t)UART_DATA);
    }
}

/* The interrupt counts in 32 bits, which one load reads; they overflow every 49 days. */
uint64_t board_ms(void) {
    static uint64_t ms;
    ms += (uint32_t)(ticks - (uint32_t)ms);
    return ms;
}

size_t port_write(const uint8_t *data, size_t len) {
    size_t sent = 0;
    while (sent < len && (UART_STATE & STATE_TX_FULL) == 0)
        UART_DATA = data[sent++];
    return sent;
}

/* Sleeps until the next interrupt, at most a millisecond, when there is nothing to read. */
size_t port_read(uint8_t *data, size_t size, uint64_t until_ms) {
    size_t taken = ring_take(&received, data, size);
    if (taken == 0 && board_ms() < until_ms) {
        __asm volatile("wfi");
        taken = ring_take(&received, data, size);
    }
    return taken;
}
