/* SPDX-License-Identifier: MIT */
/*
 * One thread talks: it waits for bytes, for the guest's halt and for whoever
 * wants an end, all at once. The set's halt can only be waited for by blocking,
 * so while the guest runs a second thread does that, and signals an event.
 */

#define _GNU_SOURCE /* accept4 */

#include "tools/gdb_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define NS_PER_MS UINT64_C(1000000)
/* A GDB that does not read for so long is gone. */
#define SEND_PATIENCE_S 10

struct session {
    const struct gdb_server *server;
    struct vmr_machine *machine;
    const struct vmr_host *host;
    uint64_t deadline_ns;
    int connection;
    bool lost, failed;
    struct vmr_gdb *gdb;
    enum vmr_gdb_state state; /* the stub's */
    /* While the guest runs: */
    bool watching;
    pthread_t watcher;
    enum vmr_status watch_status;
    struct vmr_vp_set_halt halt;
    struct vmr_error *err;
};

/* --- the port --- */

void gdb_server_init(struct gdb_server *server)
{
    *server = (struct gdb_server){.listener = -1, .attention = -1, .halted = -1};
}

static enum vmr_status listen_at(struct gdb_server *server, uint16_t port, struct vmr_error *err)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    const int yes = 1;

    /* The remains of an earlier connection are no reason to refuse a new server. */
    (void)setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(server->listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(server->listener, 1) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &length) != 0)
        return vmr_error_set_host(err, errno, "--gdb: cannot listen at port %u", (unsigned)port);
    server->port = ntohs(address.sin_port);
    return VMR_OK;
}

enum vmr_status gdb_server_open(struct gdb_server *server, uint16_t port, struct vmr_error *err)
{
    server->attention = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->halted = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->attention < 0 || server->halted < 0 || server->listener < 0)
        return vmr_error_set_host(err, errno, "--gdb: cannot make a socket");
    return listen_at(server, port, err);
}

void gdb_server_close(struct gdb_server *server)
{
    const int files[] = {server->listener, server->attention, server->halted};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (files[i] >= 0)
            (void)close(files[i]);
    }
    gdb_server_init(server);
}

static void signal_event(int event)
{
    const uint64_t one = 1;
    ssize_t written = write(event, &one, sizeof(one));

    (void)written; /* an event that is full is signalled */
}

void gdb_server_attend(const struct gdb_server *server)
{
    if (server->attention >= 0)
        signal_event(server->attention);
}

/* --- the guest's halt --- */

static void *watch(void *context)
{
    struct session *session = context;

    session->watch_status = vmr_machine_wait(session->machine, VMR_NEVER, &session->halt);
    signal_event(session->server->halted);
    return NULL;
}

static void watch_begin(struct session *session)
{
    int failure = pthread_create(&session->watcher, NULL, watch, session);

    session->watching = failure == 0;
    session->failed = failure != 0;
    if (failure != 0)
        (void)vmr_error_set_host(session->err, failure, "cannot start a thread for the guest's halt");
}

/* Waits for the halt. */
static void watch_end(struct session *session)
{
    uint64_t count;

    if (!session->watching)
        return;
    (void)pthread_join(session->watcher, NULL);
    ssize_t taken = read(session->server->halted, &count, sizeof(count));

    (void)taken;
    session->watching = false;
}

/* --- a connection --- */

static void send_bytes(void *context, const uint8_t *bytes, size_t length)
{
    struct session *session = context;

    while (length > 0 && !session->lost) {
        ssize_t sent = send(session->connection, bytes, length, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        session->lost = sent <= 0;
        if (session->lost)
            break;
        bytes += sent;
        length -= (size_t)sent;
    }
}

static void receive(struct session *session)
{
    uint8_t bytes[4096];
    ssize_t length = recv(session->connection, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (length > 0)
        session->state = vmr_gdb_receive(session->gdb, bytes, (size_t)length);
    else
        session->lost |= length == 0 || (errno != EINTR && errno != EAGAIN);
}

/* A guest that powered off with a value ends with that value, as a program would. */
static void take_halt(struct session *session)
{
    uint32_t value;

    watch_end(session);
    if (session->watch_status) {
        (void)vmr_error_set(session->err, session->watch_status, "the machine failed: %s",
                            vmr_status_name(session->watch_status));
        session->failed = true;
        return;
    }
    if (session->halt.result.reason == VMR_HALT_POWER_OFF && vmr_machine_exit_value(session->machine, &value) &&
        vmr_machine_stop(session->machine) == VMR_OK)
        session->state = vmr_gdb_exit(session->gdb, (uint8_t)value);
    else
        session->state = vmr_gdb_halted(session->gdb, &session->halt);
}

static int patience_ms(const struct session *session)
{
    uint64_t now_ns = session->host->ops->now_ns(session->host->context);

    if (session->deadline_ns == VMR_NEVER)
        return -1;
    if (now_ns >= session->deadline_ns)
        return 0;
    uint64_t left_ms = (session->deadline_ns - now_ns) / NS_PER_MS + 1;

    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

/* Waits for `file`, which may be -1, or a halt. False: for an end, which is in *ret_end. */
static bool wait_for(const struct session *session, int file, short *ret_ready, bool *ret_halted,
                     enum gdb_server_end *ret_end)
{
    struct pollfd files[3] = {{.fd = session->server->attention, .events = POLLIN},
                              {.fd = session->server->halted, .events = POLLIN},
                              {.fd = file, .events = POLLIN}};
    int count;

    do
        count = poll(files, 3, patience_ms(session));
    while (count < 0 && errno == EINTR);
    *ret_ready = files[2].revents;
    *ret_halted = files[1].revents != 0;
    *ret_end = count == 0 ? GDB_SERVER_TIMEOUT : GDB_SERVER_ATTENTION;
    return count > 0 && files[0].revents == 0;
}

/* Whether the stub has come to an end, and to which. */
static bool is_over(const struct session *session, enum gdb_server_end *ret_end)
{
    static const enum gdb_server_end ends[] = {[VMR_GDB_DETACHED] = GDB_SERVER_DETACHED,
                                               [VMR_GDB_KILLED] = GDB_SERVER_KILLED,
                                               [VMR_GDB_EXITED] = GDB_SERVER_HALTED};

    if (session->failed)
        *ret_end = GDB_SERVER_FAILED;
    else if (session->state != VMR_GDB_STOPPED && session->state != VMR_GDB_RUNNING)
        *ret_end = ends[session->state];
    else
        return false;
    return true;
}

/* False: the connection is lost. */
static bool converse(struct session *session, enum gdb_server_end *ret_end)
{
    while (!session->lost) {
        bool halted;
        short ready;

        if (!wait_for(session, session->connection, &ready, &halted, ret_end))
            return true;
        if (halted)
            take_halt(session);
        if (ready != 0)
            receive(session);
        if (session->state == VMR_GDB_RUNNING && !session->watching && !session->failed)
            watch_begin(session);
        if (is_over(session, ret_end))
            return true;
    }
    return false;
}

/* Stops the guest, unless detached, and takes it from GDB; one that halted by itself meanwhile has ended. */
static bool leave(struct session *session, bool over, enum gdb_server_end *ret_end)
{
    if (session->watching) {
        (void)vmr_vp_set_halt_all(vmr_machine_vp_set(session->machine), 0, VMR_HALT_STOP);
        watch_end(session);
        if (vmr_machine_stop(session->machine) == VMR_OK)
            (void)vmr_gdb_exit(session->gdb, 1);
        if (session->halt.result.reason == VMR_HALT_POWER_OFF || session->halt.result.reason == VMR_HALT_RESET) {
            *ret_end = GDB_SERVER_HALTED;
            over = true;
        }
    }
    vmr_gdb_destroy(session->gdb);
    session->gdb = NULL;
    (void)close(session->connection);
    return over;
}

/* Whether it is over; if not, the connection was lost. */
static bool serve(struct session *session, enum gdb_server_end *ret_end)
{
    const struct vmr_gdb_options options = {
        .set = vmr_machine_vp_set(session->machine), .send = send_bytes, .context = session};
    const struct timeval patience = {.tv_sec = SEND_PATIENCE_S};
    const int yes = 1;

    (void)setsockopt(session->connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    (void)setsockopt(session->connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    session->lost = false;
    session->state = VMR_GDB_STOPPED;
    if (vmr_gdb_create(&options, &session->gdb, session->err) != VMR_OK) {
        (void)close(session->connection);
        *ret_end = GDB_SERVER_FAILED;
        return true;
    }
    bool over = converse(session, ret_end);

    return leave(session, over, ret_end);
}

enum gdb_server_end gdb_server_run(struct gdb_server *server, struct vmr_machine *machine, const struct vmr_host *host,
                                   uint64_t deadline_ns, struct vmr_vp_set_halt *ret_halt, struct vmr_error *err)
{
    struct session session = {
        .server = server, .machine = machine, .host = host, .deadline_ns = deadline_ns, .err = err};
    enum gdb_server_end end;
    bool over = false, halted;
    short ready;

    while (!over) {
        if (!wait_for(&session, server->listener, &ready, &halted, &end))
            break;
        session.connection = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (session.connection >= 0)
            over = serve(&session, &end);
    }
    *ret_halt = session.halt;
    return end;
}
