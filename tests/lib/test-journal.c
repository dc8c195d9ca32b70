/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The reader of the journal, on a journal that is made here. */

#include <stdio.h>
#include <string.h>

#include <systemd/sd-journal.h>

#include "journal.h"

static const char *const entries[][12] = {
        {
                "MESSAGE=Lease 7 granted", "IOMMUD_EVENT=grant", "IOMMUD_DEVICE=0000:02:00.0",
                "IOMMUD_DEVICE=0000:01:00.0", "IOMMUD_GROUP=12", "IOMMUD_LEASE=7", "IOMMUD_UID=1501",
                "IOMMUD_PID=4711", "IOMMUD_MODE=vmm", "_PID=1", "IOMMUD_DEVICES=no such field",
        },
        { "MESSAGE=\033[2Jno", "IOMMUD_EVENT=denial", "IOMMUD_REFUSAL=Denied", "IOMMUD_BY_UID=0" },
        { "MESSAGE=" },
};

static sd_journal *const journal = (sd_journal *) &entries;
static int readable = 1, fail;               /* fail: what going to the next entry returns */
static size_t position, field;
static char matches[2048];
static uint64_t sought;

#define WRAP(name, ...)                                                                                  \
        int __wrap_sd_journal_##name(__VA_ARGS__);                                                       \
        int __wrap_sd_journal_##name(__VA_ARGS__)

WRAP(open, sd_journal **ret, int flags) {
        assert(flags == (SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM));
        position = 0;
        matches[0] = '\0';
        sought = UINT64_MAX;
        *ret = journal;
        return 0;
}

void __wrap_sd_journal_close(sd_journal *j);
void __wrap_sd_journal_close(sd_journal *j) {
}

WRAP(has_runtime_files, sd_journal *j) {
        return 0;
}

WRAP(has_persistent_files, sd_journal *j) {
        return readable;
}

WRAP(add_match, sd_journal *j, const void *data, size_t size) {
        size_t n = strlen(matches);

        if (strncmp(data, "MESSAGE_ID=", 11) != 0)
                snprintf(matches + n, sizeof(matches) - n, "%.*s ", (int) size, (const char *) data);
        return 0;
}

WRAP(seek_head, sd_journal *j) {
        sought = 0;
        return 0;
}

WRAP(seek_realtime_usec, sd_journal *j, uint64_t usec) {
        sought = usec;
        return 0;
}

WRAP(next, sd_journal *j) {
        if (fail < 0)
                return fail;
        if (position == ELEMENTSOF(entries))
                return 0;
        position++;
        return 1;
}

WRAP(get_realtime_usec, sd_journal *j, uint64_t *ret) {
        *ret = position;
        return 0;
}

void __wrap_sd_journal_restart_data(sd_journal *j);
void __wrap_sd_journal_restart_data(sd_journal *j) {
        field = 0;
}

WRAP(enumerate_available_data, sd_journal *j, const void **ret, size_t *ret_size) {
        const char *data = entries[position - 1][field];

        if (!data)
                return 0;
        field++;
        *ret = data;
        *ret_size = strlen(data);
        return 1;
}

static unsigned n_seen;

static void on_entry(const JournalEntry *entry, void *userdata) {
        n_seen++;
        assert(entry->time_usec == n_seen);
        if (n_seen == 1) {
                assert(strcmp(entry->message, "Lease 7 granted") == 0);
                assert(strcmp(entry->event, "grant") == 0 && strcmp(entry->lease, "7") == 0);
                assert(strcmp(entry->uid, "1501") == 0 && strcmp(entry->pid, "4711") == 0);
                assert(strcmp(entry->mode, "vmm") == 0 && strcmp(entry->by_uid, "") == 0);
                assert(strcmp(entry->devices[0], "0000:01:00.0") == 0);
                assert(strcmp(entry->devices[1], "0000:02:00.0") == 0 && !entry->devices[2]);
                assert(strcmp(entry->groups[0], "12") == 0 && !entry->groups[1]);
        }
        if (n_seen == 2) {
                assert(strcmp(entry->message, "?[2Jno") == 0);
                assert(strcmp(entry->refusal, "Denied") == 0 && strcmp(entry->by_uid, "0") == 0);
                assert(!entry->devices[0] && !entry->groups[0]);
        }
}

int main(void) {
        const char *const devices[] = { "0000:01:00.0", "0000:02:00.0", NULL };
        const JournalFilter all = {}, some = {
                .devices = devices,
                .lease = "7",
                .uid = "1501",
                .since_usec = 99,
        };

        assert(journal_visit(&all, on_entry, NULL) == 0);
        assert(n_seen == 3 && sought == 0);
        /* what others have written is not iommud's */
        assert(strcmp(matches, "_SYSTEMD_UNIT=iommud.service _UID=0 ") == 0);

        n_seen = 0;
        assert(journal_visit(&some, on_entry, NULL) == 0);
        assert(sought == 99);
        assert(strcmp(matches, "_SYSTEMD_UNIT=iommud.service _UID=0 IOMMUD_DEVICE=0000:01:00.0 "
                               "IOMMUD_DEVICE=0000:02:00.0 IOMMUD_LEASE=7 IOMMUD_UID=1501 ") == 0);

        fail = -EIO;
        assert(journal_visit(&all, on_entry, NULL) == -EIO);
        readable = 0;
        assert(journal_visit(&all, on_entry, NULL) == -EACCES);
        return 0;
}
