/* BBC micro:bit, a Cortex-M0 (nRF51822), as QEMU has it. The module is on its UART. */

#include "board.h"
#include "ring.h"

#include "../bindings/c/examples/loop_superloop.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define UART_START_RX REGISTER(0x40002000)
#define UART_START_TX REGISTER(0x40002008)
#define UART_RECEIVED REGISTER(0x40002108)
#define UART_SENT REGISTER(0x4000211C)
#define UART_INTERRUPTS REGISTER(0x40002304)
#define UART_ENABLE REGISTER(0x40002500)
#define UART_RXD REGISTER(0x40002518)
#define UART_TXD REGISTER(0x4000251C)
#define UART_BAUD REGISTER(0x40002524)
enum { ENABLE_UART = 4, INTERRUPT_RECEIVED = 4, BAUD_115200 = 0x01D7E000, UART_INTERRUPT = 2 };

#define TIMER_START REGISTER(0x40008000)
#define TIMER_CAPTURE REGISTER(0x40008040)
#define TIMER_BITS REGISTER(0x40008508)
#define TIMER_PRESCALER REGISTER(0x40008510)
#define TIMER_CAPTURED REGISTER(0x40008540)
enum { BITS_32 = 3, PRESCALER_1_MHZ = 4 };

#define NVIC_ENABLE REGISTER(0xE000E100)

static struct ring received;
static int sending;

void board_init(void) {
    TIMER_BITS = BITS_32;
    TIMER_PRESCALER = PRESCALER_1_MHZ;
    TIMER_START = 1;
    UART_BAUD = BAUD_115200;
    UART_ENABLE = ENABLE_UART;
    UART_INTERRUPTS = INTERRUPT_RECEIVED;
    UART_START_RX = 1;
    UART_START_TX = 1;
    NVIC_ENABLE = 1u << UART_INTERRUPT;
}

void board_interrupt(int number) {
    if (number != UART_INTERRUPT)
        return;
    while (UART_RECEIVED != 0) {
        UART_RECEIVED = 0;
        ring_put(&received, (uint8_t)UART_RXD);
    }
}

/* The timer counts microseconds in 32 bits, which overflow every 71 minutes. */
uint64_t board_ms(void) {
    static uint64_t us;
    TIMER_CAPTURE = 1;
    us += (uint32_t)(TIMER_CAPTURED - (uint32_t)us);
    return us / 1000;
}

size_t port_write(const uint8_t *data, size_t len) {
    if (sending && UART_SENT == 0)
        return 0;
    if (len == 0)
        return 0;
    sending = 1;
    UART_SENT = 0;
    UART_TXD = data[0];
    return 1;
}

size_t port_read(uint8_t *data, size_t size, uint64_t until_ms) {
    (void)until_ms;
    return ring_take(&received, data, size);
}
