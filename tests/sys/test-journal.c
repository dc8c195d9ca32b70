/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/journal.h"

static int journal_error;
static char sent[4096];                      /* fields, each with a newline */

int __wrap_sd_journal_sendv(const struct iovec *fields, int n);
int __wrap_sd_journal_sendv(const struct iovec *fields, int n) {
        size_t length = 0;

        if (journal_error)
                return -journal_error;

        for (int i = 0; i < n; i++)
                length += (size_t) snprintf(sent + length, sizeof(sent) - length, "%.*s\n",
                                            (int) fields[i].iov_len, (const char *) fields[i].iov_base);
        return 0;
}

/*
 * What log_event() prints while standard error is a pipe; with @journal the pipe passes for the journal's.
 */
static const char *logged(bool journal, const char *id, int priority, const LogFields *fields,
                          const char *text) {
        static char output[2048];
        char stream[64];
        struct stat st;
        int ends[2], saved = fd_dup(STDERR_FILENO);
        ssize_t n;

        assert(saved >= 0);
        assert(pipe2(ends, O_NONBLOCK) == 0);
        assert(dup2(ends[1], STDERR_FILENO) >= 0);
        if (journal) {
                assert(fstat(STDERR_FILENO, &st) == 0);
                snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
                assert(setenv("JOURNAL_STREAM", stream, 1) == 0);
        }

        sent[0] = '\0';
        errno = ENOTTY;
        log_event(id, priority, fields, "%s", text);
        assert(errno == ENOTTY);

        n = read(ends[0], output, sizeof(output) - 1);
        output[n > 0 ? n : 0] = '\0';
        assert(dup2(saved, STDERR_FILENO) >= 0);
        close_fd(saved);
        close_fd(ends[0]);
        close_fd(ends[1]);
        return output;
}

int main(void) {
        static const char *const devices[LOG_FIELDS_MAX + 1] = {
                "a", "b", "c", "d", "e", "f", "g", "h", "too many",
        };
        static const uint32_t groups[LOG_FIELDS_MAX + 1] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
        const uid_t uid = 1000, root = 0;
        const LogFields all = {
                .event = "revoke",
                .device = "0000:00:04.0",
                .lease = "7",
                .groups = groups,
                .n_groups = 2,
                .uid = &uid,
                .pid = 4711,
                .mode = "vmm",
                .refusal = "Denied",
                .by = &root,
        };
        const LogFields some = { .groups = groups, .n_groups = 1 };
        const LogFields most = {
                .event = "grant",
                .devices = devices,
                .n_devices = ELEMENTSOF(devices),
                .lease = "7",
                .groups = groups,
                .n_groups = ELEMENTSOF(groups),
                .uid = &uid,
                .pid = 1,
                .mode = "vmm",
                .refusal = "Denied",
                .by = &root,
        };
        char long_text[2000];

        /* nobody's stream, and that of somebody else */
        assert(unsetenv("JOURNAL_STREAM") == 0);
        assert(strcmp(logged(false, NULL, LOG_INFO, NULL, "hello"), "hello\n") == 0);
        assert(setenv("JOURNAL_STREAM", "1:2", 1) == 0);
        assert(strcmp(logged(false, NULL, LOG_INFO, &all, "hello"), "hello\n") == 0);
        assert(strcmp(sent, "") == 0);

        assert(strcmp(logged(true, "0123456789abcdef0123456789abcdef", LOG_NOTICE, &all, "hello"), "") == 0);
        assert(strcmp(sent,
                "MESSAGE=hello\nPRIORITY=5\nMESSAGE_ID=0123456789abcdef0123456789abcdef\n"
                "IOMMUD_EVENT=revoke\nIOMMUD_DEVICE=0000:00:04.0\nIOMMUD_LEASE=7\nIOMMUD_GROUP=0\n"
                "IOMMUD_GROUP=1\nIOMMUD_UID=1000\nIOMMUD_PID=4711\nIOMMUD_MODE=vmm\nIOMMUD_REFUSAL=Denied\n"
                "IOMMUD_BY_UID=0\n") == 0);
        logged(true, NULL, LOG_ERR, &some, "hello");
        assert(strcmp(sent, "MESSAGE=hello\nPRIORITY=3\nIOMMUD_GROUP=0\n") == 0);

        /* each device and group has a field of its own, so that each of them is found; but not for ever */
        logged(true, "0123456789abcdef0123456789abcdef", LOG_NOTICE, &most, "hello");
        assert(strstr(sent, "\nIOMMUD_DEVICE=a\nIOMMUD_DEVICE=b\n"));
        assert(strstr(sent, "\nIOMMUD_DEVICE=h\nIOMMUD_LEASE=7\nIOMMUD_GROUP=0\n"));
        assert(strstr(sent, "\nIOMMUD_GROUP=7\nIOMMUD_UID=1000\n"));
        assert(strstr(sent, "\nIOMMUD_BY_UID=0\n"));

        /* too long is cut, and still one line */
        memset(long_text, 'x', sizeof(long_text) - 1);
        long_text[sizeof(long_text) - 1] = '\0';
        logged(true, NULL, LOG_ERR, NULL, long_text);
        assert(strncmp(sent, "MESSAGE=xxx", 11) == 0);
        assert(strcmp(strchr(sent, '\n'), "\nPRIORITY=3\n") == 0);

        /* the journal doesn't take it */
        journal_error = ENOENT;
        assert(strcmp(logged(true, NULL, LOG_WARNING, NULL, "hello"), "<4>hello\n") == 0);
        return 0;
}
