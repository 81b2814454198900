/* From reset to main, for any Cortex-M. newlib with semihosting: write() and exit() reach the computer. */

#define _DEFAULT_SOURCE /* sbrk */

#include "board.h"

#include <stdlib.h>
#include <unistd.h>

extern uint32_t data_source, data_start, data_end, bss_start, bss_end, end, stack_top;
extern int main(void);
extern void initialise_monitor_handles(void);
extern void __libc_init_array(void);

/* What unused stack is painted with. */
static const uint32_t paint = 0xA5A5A5A5;

void _init(void) {}
void _fini(void) {}

void reset_handler(void) {
    uint32_t *from = &data_source;
    uint32_t *to;

#if defined(__ARM_FP)
    /* The floating-point unit is off after reset. */
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;
    __asm volatile("dsb\n isb");
#endif
    for (to = &data_start; to < &data_end; to++)
        *to = *from++;
    for (to = &bss_start; to < &bss_end; to++)
        *to = 0;
    for (to = &end; to < (uint32_t *)__builtin_frame_address(0) - 16; to++)
        *to = paint;
    initialise_monitor_handles();
    __libc_init_array();
    exit(main());
}

size_t stack_used(void) {
    const uint32_t *at = sbrk(0);
    while (at < &stack_top && *at == paint)
        at++;
    return (size_t)(&stack_top - at) * sizeof *at;
}

static void fault_handler(void) {
    static const char text[] = "the processor stopped with a fault\n";
    write(STDERR_FILENO, text, sizeof text - 1);
    _exit(98);
}

static void interrupt_handler(void) {
    uint32_t number;
    __asm volatile("mrs %0, ipsr" : "=r"(number));
    board_interrupt((int)number - 16);
}

#define EIGHT(handler) handler, handler, handler, handler, handler, handler, handler, handler

struct vectors {
    const void *stack;
    void (*handlers[15 + 32])(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    &stack_top,
    {
        reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, NULL, NULL, NULL, NULL,
        fault_handler, fault_handler, NULL, fault_handler,
        interrupt_handler, /* the system timer */
        EIGHT(interrupt_handler), EIGHT(interrupt_handler), EIGHT(interrupt_handler), EIGHT(interrupt_handler),
    },
};
