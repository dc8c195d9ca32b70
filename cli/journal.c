/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include <systemd/sd-journal.h>

#include "cli.h"
#include "journal.h"
#include "names.h"

#define UNIT "iommud.service"

static const char *const message_ids[] = {
        IOMMUD_MESSAGE_GRANT,
        IOMMUD_MESSAGE_DENIAL,
        IOMMUD_MESSAGE_FAILURE,
        IOMMUD_MESSAGE_END,
        IOMMUD_MESSAGE_REVOKE,
        IOMMUD_MESSAGE_RESET,
        IOMMUD_MESSAGE_RELEASE,
        IOMMUD_MESSAGE_STUCK,
        IOMMUD_MESSAGE_STALE,
        IOMMUD_MESSAGE_REQUEST,
        IOMMUD_MESSAGE_KILL,
        IOMMUD_MESSAGE_GROWTH,
        IOMMUD_MESSAGE_QUARANTINE,
        IOMMUD_MESSAGE_CLEARANCE,
        IOMMUD_MESSAGE_CLAIM,
        IOMMUD_MESSAGE_CLAIM_FAILED,
        IOMMUD_MESSAGE_CLAIM_RELEASED,
        IOMMUD_MESSAGE_MEMLOCK,
        IOMMUD_MESSAGE_POLICY,
};

static int add_match(sd_journal *journal, const char *field, const char *value) {
        _cleanup_free_ char *match = print_string("%s=%s", field, value);

        return sd_journal_add_match(journal, match, strlen(match));
}

/* Of one field any value will do, of different ones each must match. */
static int add_matches(sd_journal *journal, const JournalFilter *filter) {
        int r;

        r = add_match(journal, "_SYSTEMD_UNIT", UNIT);
        if (r >= 0)
                r = add_match(journal, "_UID", "0");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(message_ids); i++)
                r = add_match(journal, "MESSAGE_ID", message_ids[i]);
        for (size_t i = 0; r >= 0 && filter->devices && filter->devices[i]; i++)
                r = add_match(journal, "IOMMUD_DEVICE", filter->devices[i]);
        if (r >= 0 && filter->lease)
                r = add_match(journal, "IOMMUD_LEASE", filter->lease);
        if (r >= 0 && filter->uid)
                r = add_match(journal, "IOMMUD_UID", filter->uid);

        return r < 0 ? r : 0;
}

/* "FIELD=value" as the journal has it, which may hold anything. NULL: it is another field. */
static char *value_of(const char *data, size_t size, const char *field) {
        size_t length = strlen(field);
        char *value;

        if (size <= length || strncmp(data, field, length) != 0 || data[length] != '=')
                return NULL;

        value = need(strndup(data + length + 1, size - length - 1));
        for (char *c = value; *c; c++)
                if ((unsigned char) *c < ' ' || (unsigned char) *c >= 0x7f)
                        *c = '?';

        return value;
}

static void push(char ***list, char *s) {
        size_t n = 0;

        while (*list && (*list)[n])
                n++;
        *list = need(reallocarray(*list, n + 2, sizeof(**list)));
        (*list)[n] = s;
        (*list)[n + 1] = NULL;
}

static void entry_take_data(JournalEntry *entry, const char *data, size_t size) {
        const struct {
                const char *field;
                char **value;
        } fields[] = {
                { "IOMMUD_EVENT", &entry->event },
                { "MESSAGE", &entry->message },
                { "IOMMUD_LEASE", &entry->lease },
                { "IOMMUD_MODE", &entry->mode },
                { "IOMMUD_UID", &entry->uid },
                { "IOMMUD_PID", &entry->pid },
                { "IOMMUD_BY_UID", &entry->by_uid },
                { "IOMMUD_REFUSAL", &entry->refusal },
        };
        char *value;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                value = value_of(data, size, fields[i].field);
                if (value) {
                        free(*fields[i].value);
                        *fields[i].value = value;
                        return;
                }
        }

        value = value_of(data, size, "IOMMUD_DEVICE");
        if (value)
                push(&entry->devices, value);
        value = value_of(data, size, "IOMMUD_GROUP");
        if (value)
                push(&entry->groups, value);
}

static void entry_done(JournalEntry *entry) {
        free(entry->event);
        free(entry->message);
        free(entry->lease);
        free(entry->mode);
        free(entry->uid);
        free(entry->pid);
        free(entry->by_uid);
        free(entry->refusal);
        iommud_strings_free(entry->devices);
        iommud_strings_free(entry->groups);
}

/* A field more than once comes more than once, in no particular order. */
static int compare_strings(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void sort(char **list) {
        size_t n = 0;

        while (list[n])
                n++;
        qsort(list, n, sizeof(*list), compare_strings);
}

static int entry_read(sd_journal *journal, JournalEntry *entry) {
        char **const texts[] = {
                &entry->event, &entry->message, &entry->lease,  &entry->mode,
                &entry->uid,   &entry->pid,     &entry->by_uid, &entry->refusal,
        };
        const void *data;
        size_t size;
        int r;

        r = sd_journal_get_realtime_usec(journal, &entry->time_usec);
        if (r < 0)
                return r;

        sd_journal_restart_data(journal);
        while ((r = sd_journal_enumerate_available_data(journal, &data, &size)) > 0)
                entry_take_data(entry, data, size);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (!*texts[i])
                        *texts[i] = need(strdup(""));
        if (!entry->devices)
                entry->devices = need(calloc(1, sizeof(*entry->devices)));
        if (!entry->groups)
                entry->groups = need(calloc(1, sizeof(*entry->groups)));
        sort(entry->devices);
        sort(entry->groups);
        return 0;
}

static int visit_all(sd_journal *journal, JournalFunc func, void *userdata) {
        int r;

        while ((r = sd_journal_next(journal)) > 0) {
                _cleanup_(entry_done) JournalEntry entry = {};

                r = entry_read(journal, &entry);
                if (r < 0)
                        return r;
                func(&entry, userdata);
        }

        return r;
}

int journal_visit(const JournalFilter *filter, JournalFunc func, void *userdata) {
        _cleanup_(sd_journal_closep) sd_journal *journal = NULL;
        int r;

        r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return r;

        /* files that may not be read are left out without a word */
        if (sd_journal_has_runtime_files(journal) <= 0 && sd_journal_has_persistent_files(journal) <= 0)
                return -EACCES;

        r = add_matches(journal, filter);
        if (r < 0)
                return r;

        r = filter->since_usec > 0 ? sd_journal_seek_realtime_usec(journal, filter->since_usec) :
                                     sd_journal_seek_head(journal);
        if (r < 0)
                return r;

        return visit_all(journal, func, userdata);
}
