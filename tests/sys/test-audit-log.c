/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is sent to the kernel's audit log, and that nothing but a record is lost when it can't be. */

#include <fcntl.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/audit-log.h"

static int connect_error, ack_error;
static unsigned n_open;
static char sent[4096];                      /* "2307 op=grant …", a line each */

int __wrap_nl_connect(struct nl_sock *sock, int protocol);
int __wrap_nl_connect(struct nl_sock *sock, int protocol) {
        assert(protocol == NETLINK_AUDIT);
        return connect_error;
}

int __wrap_nl_socket_set_nonblocking(const struct nl_sock *sock);
int __wrap_nl_socket_set_nonblocking(const struct nl_sock *sock) {
        return 0;
}

struct nl_sock *__real_nl_socket_alloc(void);
struct nl_sock *__wrap_nl_socket_alloc(void);
struct nl_sock *__wrap_nl_socket_alloc(void) {
        n_open++;
        return __real_nl_socket_alloc();
}

void __real_nl_socket_free(struct nl_sock *sock);
void __wrap_nl_socket_free(struct nl_sock *sock);
void __wrap_nl_socket_free(struct nl_sock *sock) {
        n_open -= !!sock;
        __real_nl_socket_free(sock);
}

int __wrap_nl_send_simple(struct nl_sock *sock, int type, int flags, void *data, size_t size);
int __wrap_nl_send_simple(struct nl_sock *sock, int type, int flags, void *data, size_t size) {
        size_t length = strlen(sent);

        assert(flags == (NLM_F_REQUEST | NLM_F_ACK));
        assert(((const char *) data)[size - 1] == '\0' && strlen(data) == size - 1);
        snprintf(sent + length, sizeof(sent) - length, "%d %s\n", type, (const char *) data);
        return 0;
}

int __wrap_nl_wait_for_ack(struct nl_sock *sock);
int __wrap_nl_wait_for_ack(struct nl_sock *sock) {
        return ack_error;
}

#define END " exe=\"iommud\" hostname=? addr=? terminal=? res="

static void check(AuditType type, const LogFields *fields, bool success, const char *expected) {
        sent[0] = '\0';
        audit_log_send(type, fields, success);
        if (strcmp(sent, expected) != 0)
                fprintf(stderr, "expected: %sgot:      %s", expected, sent);
        assert(strcmp(sent, expected) == 0);
        assert(n_open == 0);
}

/* What it says on standard error, which is not the journal's. */
static void check_complaint(const LogFields *fields, const char *part) {
        int ends[2], saved = fd_dup(STDERR_FILENO);
        char output[512];
        ssize_t n;

        assert(saved >= 0 && pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
        assert(dup2(ends[1], STDERR_FILENO) >= 0);
        audit_log_send(AUDIT_TYPE_ALLOC, fields, /* success= */ true);
        assert(dup2(saved, STDERR_FILENO) >= 0);

        n = read(ends[0], output, sizeof(output) - 1);
        output[n > 0 ? n : 0] = '\0';
        assert(part ? !!strstr(output, part) : output[0] == '\0');
        assert(n_open == 0);
        close_fd(saved);
        close_fd(ends[0]);
        close_fd(ends[1]);
}

int main(void) {
        const char *const devices[] = { "0000:01:00.0", "0000:01:00.1" };
        const char *const hostile[] = { "a\" res=success x=\"", "x y", "", "\001" };
        const uid_t uid = 1501, root = 0;
        const LogFields grant = {
                .event = "grant",
                .devices = devices,
                .n_devices = ELEMENTSOF(devices),
                .lease = "7",
                .uid = &uid,
                .pid = 4711,
        };
        const LogFields denial = {
                .event = "denial",
                .devices = hostile,
                .n_devices = ELEMENTSOF(hostile),
                .uid = &uid,
                .refusal = "Denied",
        };
        const LogFields revoke = {
                .event = "revoke",
                .device = devices[0],
                .lease = "7",
                .uid = &uid,
                .by = &root,
        };
        const LogFields policy = { .event = "policy" };

        assert(unsetenv("JOURNAL_STREAM") == 0);

        check(AUDIT_TYPE_ALLOC, &grant, true,
                "2307 op=grant device=\"0000:01:00.0\" lease=7 id=1501 opid=4711" END "success\n"
                "2307 op=grant device=\"0000:01:00.1\" lease=7 id=1501 opid=4711" END "success\n");
        check(AUDIT_TYPE_DEALLOC, &revoke, true,
                "2308 op=revoke device=\"0000:01:00.0\" lease=7 id=1501 by_uid=0" END "success\n");
        check(AUDIT_TYPE_CONFIG, &policy, false, "1111 op=policy" END "failed\n");

        /* nobody writes fields of his own into the log */
        check(AUDIT_TYPE_ALLOC, &denial, false,
                "2307 op=denial device=6122207265733D7375636365737320783D22 id=1501 reason=Denied" END
                "failed\n"
                "2307 op=denial device=782079 id=1501 reason=Denied" END "failed\n"
                "2307 op=denial device=? id=1501 reason=Denied" END "failed\n"
                "2307 op=denial device=01 id=1501 reason=Denied" END "failed\n");

        /* a kernel without audit is none to complain of, one that refuses is */
        check_complaint(&grant, NULL);
        connect_error = -NLE_PROTO_MISMATCH;
        check_complaint(&grant, NULL);
        connect_error = -NLE_NOMEM;
        check_complaint(&grant, "Out of memory");
        connect_error = 0;
        ack_error = -NLE_PERM;
        check_complaint(&grant, "the journal has it");
        return 0;
}
