/* The loop around a client on Linux, macOS and other POSIX systems, see loop_posix.h. */

#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* B115200 */

#include "loop_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

uint64_t clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int connect_first(const struct addrinfo *address) {
    int fd = -1;
    for (; address != NULL && fd < 0; address = address->ai_next) {
        fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
        if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
            int error = errno;
            close(fd);
            errno = error;
            fd = -1;
        }
    }
    return fd;
}

static int open_tcp(const char *host_and_port) {
    char host[256];
    const char *colon = strrchr(host_and_port, ':');
    struct addrinfo hints, *addresses;
    int fd;

    if (colon == NULL || (size_t)(colon - host_and_port) >= sizeof host) {
        errno = EINVAL;
        return -1;
    }
    memcpy(host, host_and_port, (size_t)(colon - host_and_port));
    host[colon - host_and_port] = '\0';
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, colon + 1, &hints, &addresses) != 0) {
        errno = EHOSTUNREACH;
        return -1;
    }
    fd = connect_first(addresses);
    freeaddrinfo(addresses);
    return fd;
}

/* No echo, no translation, no signals: every byte as it is. */
static int make_raw(int fd) {
    struct termios settings;
    if (tcgetattr(fd, &settings) != 0)
        return -1;
    settings.c_iflag &= (tcflag_t) ~(BRKINT | ICRNL | IGNBRK | IGNCR | INLCR | INPCK | ISTRIP | IXON | IXOFF | PARMRK);
    settings.c_oflag &= (tcflag_t)~OPOST;
    settings.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
    settings.c_cflag &= (tcflag_t) ~(CSIZE | CSTOPB | PARENB);
    settings.c_cflag |= CS8 | CLOCAL | CREAD;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    cfsetispeed(&settings, B115200);
    cfsetospeed(&settings, B115200);
    return tcsetattr(fd, TCSANOW, &settings);
}

int port_open(const char *name) {
    int is_tcp = strncmp(name, "tcp:", 4) == 0;
    int fd = is_tcp ? open_tcp(name + 4) : open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
    int error;

    if (fd < 0)
        return -1;
    if ((is_tcp || make_raw(fd) == 0) && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Milliseconds from now to at_ms, as poll() takes them. */
static int wait_ms(uint64_t at_ms) {
    uint64_t now_ms = clock_ms();
    if (at_ms <= now_ms)
        return 0;
    return at_ms - now_ms > INT_MAX ? INT_MAX : (int)(at_ms - now_ms);
}

/* Writes what the port takes. A module may hold the port (CTS): the rest waits while the loop goes on reading. */
static int send_unsent(struct loop *loop) {
    ssize_t sent = write(loop->port, loop->output, loop->unsent);
    if (sent < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
    loop->unsent -= (size_t)sent;
    memmove(loop->output, loop->output + sent, loop->unsent);
    return 0;
}

static int receive(struct loop *loop) {
    ssize_t got = read(loop->port, loop->input, sizeof loop->input);
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
    if (got == 0) {
        errno = 0;
        return -1;
    }
    loop->unread = loop->input;
    loop->unread_len = (size_t)got;
    return 0;
}

enum loop_result loop_next(struct loop *loop, uint64_t until_ms, quectel_azure_event *event) {
    for (;;) {
        struct pollfd port;
        uint64_t at_ms;

        if (quectel_azure_client_poll(loop->client, clock_ms(), &loop->unread, &loop->unread_len, event) !=
            QUECTEL_AZURE_OK)
            return LOOP_MISUSE;
        if (event->kind != QUECTEL_AZURE_EVENT_NONE)
            return LOOP_EVENT;
        if (loop->unsent == 0 && quectel_azure_client_poll_transmit(loop->client, loop->output, sizeof loop->output,
                                                                    &loop->unsent) != QUECTEL_AZURE_OK)
            return LOOP_MISUSE;
        if (quectel_azure_client_poll_timeout(loop->client, &at_ms) != QUECTEL_AZURE_OK)
            return LOOP_MISUSE;
        if (wait_ms(until_ms) == 0)
            return LOOP_TIME;

        port.fd = loop->port;
        port.events = (short)(loop->unsent > 0 ? POLLIN | POLLOUT : POLLIN);
        port.revents = 0;
        if (poll(&port, 1, wait_ms(at_ms < until_ms ? at_ms : until_ms)) < 0 && errno != EINTR)
            return LOOP_PORT_GONE;
        if ((port.revents & POLLOUT) != 0 && send_unsent(loop) != 0)
            return LOOP_PORT_GONE;
        if ((port.revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0 && receive(loop) != 0)
            return LOOP_PORT_GONE;
    }
}
