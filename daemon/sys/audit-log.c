/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "sys/audit-log.h"

DEFINE_CLEANUP_FUNC(struct nl_sock, nl_socket_free);

/* The kernel cuts a record that is longer (MAX_AUDIT_MESSAGE_LENGTH is much more). */
#define RECORD_MAX 1024

/*
 * A value that others chose. What has a space, a quote or anything that can't be printed is written in
 * hexadecimal digits without quotes, as everything that reads the log expects it.
 */
static void encode(const char *value, char *buffer, size_t size) {
        bool plain = value[0] != '\0';
        size_t n = 0;

        for (const char *c = value; *c; c++)
                plain = plain && *c > ' ' && *c <= '~' && *c != '"';

        if (plain) {
                snprintf(buffer, size, "\"%.*s\"", (int) size - 3, value);
                return;
        }

        buffer[0] = '\0';
        for (const char *c = value; *c && n + 3 <= size; c++)
                n += (size_t) snprintf(buffer + n, size - n, "%02X", (unsigned char) *c);
        if (n == 0)
                snprintf(buffer, size, "?");
}

/*
 * The fields that ausearch(8) knows: "id" is the user that it is about, "opid" that user's process. And one
 * that it prints as it is: "by_uid" has ended what is another user's.
 */
static void describe(const LogFields *fields, const char *device, bool success, char *ret, size_t size) {
        char encoded[256], id[32] = "", pid[32] = "", by[32] = "";

        encode(device ?: "", encoded, sizeof(encoded));
        if (fields->uid)
                snprintf(id, sizeof(id), " id=%u", *fields->uid);
        if (fields->pid > 0)
                snprintf(pid, sizeof(pid), " opid=%d", (int) fields->pid);
        if (fields->by)
                snprintf(by, sizeof(by), " by_uid=%u", *fields->by);

        snprintf(ret, size, "op=%s%s%s%s%s%s%s%s%s%s exe=\"iommud\" hostname=? addr=? terminal=? res=%s",
                fields->event, device ? " device=" : "", device ? encoded : "",
                fields->lease ? " lease=" : "", fields->lease ?: "", id, pid, by,
                fields->refusal ? " reason=" : "", fields->refusal ?: "", success ? "success" : "failed");
}

/* The kernel answers within the call that sends. */
static int send_record(struct nl_sock *sock, AuditType type, char *text) {
        int r;

        r = nl_send_simple(sock, type, NLM_F_REQUEST | NLM_F_ACK, text, strlen(text) + 1);
        return r < 0 ? r : nl_wait_for_ack(sock);
}

static int open_socket(struct nl_sock **ret) {
        _cleanup_(nl_socket_freep) struct nl_sock *sock = NULL;
        int r;

        sock = nl_socket_alloc();
        if (!sock)
                return -NLE_NOMEM;

        r = nl_connect(sock, NETLINK_AUDIT);
        if (r < 0)
                return r;

        r = nl_socket_set_nonblocking(sock);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(sock);
        return 0;
}

static int send_all(AuditType type, const LogFields *fields, bool success) {
        _cleanup_(nl_socket_freep) struct nl_sock *sock = NULL;
        char text[RECORD_MAX];
        int r;

        r = open_socket(&sock);
        if (r < 0)
                return r == -NLE_PROTO_MISMATCH ? 0 : r;             /* a kernel without audit */

        if (fields->n_devices == 0) {
                describe(fields, fields->device, success, text, sizeof(text));
                return send_record(sock, type, text);
        }

        for (size_t i = 0; i < fields->n_devices; i++) {
                describe(fields, fields->devices[i], success, text, sizeof(text));
                r = send_record(sock, type, text);
                if (r < 0)
                        return r;
        }

        return 0;
}

void audit_log_send(AuditType type, const LogFields *fields, bool success) {
        int r;

        r = send_all(type, fields, success);
        if (r < 0)
                log_warning("The audit log of the kernel did not take a record (%s), ignoring: the journal "
                        "has it", nl_geterror(r));
}
