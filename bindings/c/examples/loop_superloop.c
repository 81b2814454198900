/* The loop around a client in a firmware, see loop_superloop.h. */

#include "loop_superloop.h"

static quectel_azure_result transmit(struct loop *loop) {
    for (;;) {
        quectel_azure_result result;
        size_t sent;

        if (loop->unsent_len == 0) {
            loop->unsent = loop->output;
            result = quectel_azure_client_poll_transmit(loop->client, loop->output, sizeof loop->output,
                                                        &loop->unsent_len);
            if (result != QUECTEL_AZURE_OK || loop->unsent_len == 0)
                return result;
        }
        sent = port_write(loop->unsent, loop->unsent_len);
        if (sent == 0)
            return QUECTEL_AZURE_OK;
        loop->unsent += sent;
        loop->unsent_len -= sent;
    }
}

quectel_azure_result loop_turn(struct loop *loop, uint64_t now_ms, quectel_azure_event *event) {
    quectel_azure_result result = transmit(loop);

    if (result != QUECTEL_AZURE_OK)
        return result;
    if (loop->unread_len == 0) {
        uint64_t until_ms;
        result = quectel_azure_client_poll_timeout(loop->client, &until_ms);
        if (result != QUECTEL_AZURE_OK)
            return result;
        /* What the UART did not take must be offered again, soon. */
        if (loop->unsent_len > 0 && until_ms > now_ms + 1)
            until_ms = now_ms + 1;
        loop->unread = loop->input;
        loop->unread_len = port_read(loop->input, sizeof loop->input, until_ms);
    }
    return quectel_azure_client_poll(loop->client, now_ms, &loop->unread, &loop->unread_len, event);
}
