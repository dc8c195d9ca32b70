/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where in this file the call stands is of no interest to anyone. */
#define SD_JOURNAL_SUPPRESS_LOCATION

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <systemd/sd-journal.h>

#include "base/parse.h"
#include "sys/journal.h"

/* MESSAGE, PRIORITY, MESSAGE_ID, and those of LogFields, of which two are lists */
#define RECORD_FIELDS_MAX (3 + 8 + 2 * LOG_FIELDS_MAX)

typedef struct Record {
        char text[RECORD_FIELDS_MAX][1024];
        struct iovec fields[RECORD_FIELDS_MAX];
        int n_fields;
} Record;

/*
 * Whether standard error is the journal's stream: the service manager says "device:inode" of the socket it
 * gave us.
 */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        char ours[64];
        struct stat st;

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;

        snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t) st.st_dev, (uintmax_t) st.st_ino);
        return strcmp(stream, ours) == 0;
}

_printf_(2, 3) static void record_add(Record *record, const char *format, ...) {
        char *text = record->text[record->n_fields];
        size_t size = sizeof(record->text[0]);
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(text, size, format, ap);
        va_end(ap);
        if (n < 0)
                return;

        record->fields[record->n_fields++] = (struct iovec) {
                .iov_base = text,
                .iov_len = (size_t) n < size ? (size_t) n : size - 1,
        };
}

static void record_add_fields(Record *record, const LogFields *fields) {
        if (fields->event)
                record_add(record, "IOMMUD_EVENT=%s", fields->event);
        if (fields->device)
                record_add(record, "IOMMUD_DEVICE=%s", fields->device);
        for (size_t i = 0; i < fields->n_devices && i < LOG_FIELDS_MAX; i++)
                record_add(record, "IOMMUD_DEVICE=%s", fields->devices[i]);
        if (fields->lease)
                record_add(record, "IOMMUD_LEASE=%s", fields->lease);
        for (size_t i = 0; i < fields->n_groups && i < LOG_FIELDS_MAX; i++)
                record_add(record, "IOMMUD_GROUP=%u", fields->groups[i]);
        if (fields->uid)
                record_add(record, "IOMMUD_UID=%u", *fields->uid);
        if (fields->pid > 0)
                record_add(record, "IOMMUD_PID=%d", (int) fields->pid);
        if (fields->mode)
                record_add(record, "IOMMUD_MODE=%s", fields->mode);
        if (fields->refusal)
                record_add(record, "IOMMUD_REFUSAL=%s", fields->refusal);
        if (fields->by)
                record_add(record, "IOMMUD_BY_UID=%u", *fields->by);
}

static int send_to_journal(const char *message_id, int priority, const LogFields *fields,
                           const char *message) {
        Record record = { .n_fields = 0 };

        record_add(&record, "MESSAGE=%s", message);
        record_add(&record, "PRIORITY=%d", priority);
        if (message_id)
                record_add(&record, "MESSAGE_ID=%s", message_id);
        if (fields)
                record_add_fields(&record, fields);

        return sd_journal_sendv(record.fields, record.n_fields);
}

void log_event(const char *message_id, int priority, const LogFields *fields, const char *format, ...) {
        int saved = errno;
        char message[768];
        va_list ap;

        va_start(ap, format);
        vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);

        if (!stderr_is_journal())
                fprintf(stderr, "%s\n", message);
        else if (send_to_journal(message_id, priority, fields, message) < 0)
                fprintf(stderr, "<%d>%s\n", priority, message);

        errno = saved;
}
