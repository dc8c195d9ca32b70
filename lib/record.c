/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "record.h"

const char *const empty_list[] = { NULL };

/* One bit per field says which have been seen */
#define FIELDS_MAX 64

static void *field_of(const RecordType *type, size_t i, void *record) {
        return (char *) record + type->fields[i].offset;
}

void record_free(const RecordType *type, void *record) {
        if (!record)
                return;

        for (size_t i = 0; i < type->n_fields; i++)
                if (type->fields[i].type->done)
                        type->fields[i].type->done(field_of(type, i, record));
        if (type->done_other)
                type->done_other(record);
        free(record);
}

void records_free(const RecordType *type, void **records) {
        for (void **record = records; record && *record; record++)
                record_free(type, *record);
        free(records);
}

static size_t record_find(const RecordType *type, const char *key) {
        size_t i;

        for (i = 0; i < type->n_fields; i++)
                if (strcmp(type->fields[i].key, key) == 0)
                        break;

        return i;
}

static int record_read_entry(sd_bus_message *m, const RecordType *type, void *record, uint64_t *seen) {
        const FieldType *field;
        const char *key;
        size_t i;
        int r;

        r = sd_bus_message_read_basic(m, 's', &key);
        if (r < 0)
                return r;

        i = record_find(type, key);
        if (i == type->n_fields && type->read_other)
                return type->read_other(m, key, record);
        if (i == type->n_fields)
                return sd_bus_message_skip(m, "v");
        if (*seen & UINT64_C(1) << i)
                return -EBADMSG;
        *seen |= UINT64_C(1) << i;

        field = type->fields[i].type;
        r = sd_bus_message_enter_container(m, 'v', field->signature);
        if (r < 0)
                return r;
        r = field->read(m, field_of(type, i, record));
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

/* Strings that were optional and are missing: no public function returns NULL for them */
static int record_complete(const RecordType *type, void *record, uint64_t seen) {
        for (size_t i = 0; i < type->n_fields; i++) {
                char **text;

                if (seen & UINT64_C(1) << i)
                        continue;
                if (!type->fields[i].optional)
                        return -EBADMSG;
                if (type->fields[i].type != &field_text)
                        continue;

                text = field_of(type, i, record);
                *text = strdup("");
                if (!*text)
                        return -ENOMEM;
        }

        return 0;
}

static int record_fill(sd_bus_message *m, const RecordType *type, void *record) {
        uint64_t seen = 0;
        int r;

        assert(type->n_fields <= FIELDS_MAX);

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = record_read_entry(m, type, record, &seen);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        return record_complete(type, record, seen);
}

int record_read(sd_bus_message *m, const RecordType *type, void **ret) {
        void *record;
        int r;

        record = calloc(1, type->size);
        if (!record)
                return -ENOMEM;

        r = record_fill(m, type, record);
        if (r < 0) {
                record_free(type, record);
                return r;
        }

        *ret = record;
        return 0;
}

/* The next of an array, inside its struct if it has one. Returns 0 at the end, 1 with a record. */
static int records_read_next(sd_bus_message *m, const char *element, const RecordType *type, void **ret) {
        bool object = element[0] == '(';
        int r;

        r = sd_bus_message_at_end(m, /* complete= */ false);
        if (r != 0)
                return r < 0 ? r : 0;

        if (object) {
                r = sd_bus_message_enter_container(m, 'r', "oa{sv}");
                if (r < 0)
                        return r;
                r = sd_bus_message_skip(m, "o");
                if (r < 0)
                        return r;
        }

        r = record_read(m, type, ret);
        if (r < 0)
                return r;

        if (object) {
                r = sd_bus_message_exit_container(m);
                if (r < 0) {
                        record_free(type, *ret);
                        return r;
                }
        }

        return 1;
}

static int records_push_take(void ***records, size_t n, void *record) {
        void **longer;

        longer = reallocarray(*records, n + 2, sizeof(*longer));
        if (!longer)
                return -ENOMEM;

        longer[n] = record;
        longer[n + 1] = NULL;
        *records = longer;
        return 0;
}

static int records_fill(sd_bus_message *m, const char *element, const RecordType *type, void ***records) {
        void *record;
        size_t n = 0;
        int r;

        *records = calloc(1, sizeof(**records));
        if (!*records)
                return -ENOMEM;

        r = sd_bus_message_enter_container(m, 'a', element);
        if (r < 0)
                return r;

        while ((r = records_read_next(m, element, type, &record)) > 0) {
                r = records_push_take(records, n, record);
                if (r < 0) {
                        record_free(type, record);
                        return r;
                }
                n++;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

int records_read(sd_bus_message *m, const char *element, const RecordType *type, void ***ret) {
        void **records = NULL;
        int r;

        r = records_fill(m, element, type, &records);
        if (r < 0) {
                records_free(type, records);
                return r;
        }

        *ret = records;
        return 0;
}

int records_list(iommud_client *client, const char *member, const RecordType *type, void ***ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r;

        r = client_begin(client);
        if (r < 0)
                return r;
        r = client_ask(client, member, &reply);
        if (r != 0)
                return r;

        r = client_expect(client, member, reply, "a(oa{sv})");
        if (r < 0)
                return r;

        return client_reply_read(client, member, records_read(reply, "(oa{sv})", type, ret));
}

int array_grow(void *items, size_t n_items, size_t size) {
        void **array = items, *longer;

        longer = reallocarray(*array, n_items + 1, size);
        if (!longer)
                return -ENOMEM;

        memset((char *) longer + n_items * size, 0, size);
        *array = longer;
        return 0;
}
