/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "names.h"
#include "record.h"
#include "text.h"

static int read_string(sd_bus_message *m, char type, const char **ret) {
        int r;

        r = sd_bus_message_read_basic(m, type, ret);
        return r == 0 ? -EBADMSG : r;
}

static int read_text(sd_bus_message *m, void *field) {
        const char *s;
        char **to = field;
        int r;

        r = read_string(m, 's', &s);
        if (r < 0)
                return r;

        *to = text_dup(s);
        return *to ? 0 : -ENOMEM;
}

static int read_name(sd_bus_message *m, void *field) {
        const char *s;
        char **to = field;
        int r;

        r = read_string(m, 's', &s);
        if (r < 0)
                return r;
        if (!name_is_valid(s))
                return -EBADMSG;

        *to = strdup(s);
        return *to ? 0 : -ENOMEM;
}

/* An array of @contents; *field is a list, even an empty one, from here on. */
static int read_list(
                sd_bus_message *m,
                const char *contents,
                int (*read)(sd_bus_message *, void *),
                char ***field) {

        int r;

        *field = calloc(1, sizeof(**field));
        if (!*field)
                return -ENOMEM;

        r = sd_bus_message_enter_container(m, 'a', contents);
        if (r < 0)
                return r;

        while ((r = sd_bus_message_at_end(m, /* complete= */ false)) == 0) {
                _cleanup_free_ char *s = NULL;

                r = read(m, &s);
                if (r < 0)
                        return r;
                r = strv_push_take(field, s);
                if (r < 0)
                        return r;
                (void) TAKE_PTR(s);
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(m);
}

static int read_texts(sd_bus_message *m, void *field) {
        return read_list(m, "s", read_text, field);
}

static int read_names(sd_bus_message *m, void *field) {
        return read_list(m, "s", read_name, field);
}

static int read_device(sd_bus_message *m, void *field) {
        const char *path;
        int r;

        r = read_string(m, 'o', &path);
        if (r < 0)
                return r;

        return path_to_device(path, field);
}

static int read_devices(sd_bus_message *m, void *field) {
        return read_list(m, "o", read_device, field);
}

static int read_group(sd_bus_message *m, void *field) {
        const char *path;
        uint64_t number;
        int r;

        r = read_string(m, 'o', &path);
        if (r < 0)
                return r;
        r = path_to_number(path, IOMMUD_PATH_GROUP, &number);
        if (r < 0)
                return r;
        if (number > UINT32_MAX || strcmp(path, "/") == 0)
                return -EBADMSG;

        *(uint32_t *) field = (uint32_t) number;
        return 0;
}

static int read_lease(sd_bus_message *m, void *field) {
        const char *path;
        int r;

        r = read_string(m, 'o', &path);
        if (r < 0)
                return r;

        return path_to_number(path, IOMMUD_PATH_LEASE, field);
}

static int read_bool(sd_bus_message *m, void *field) {
        int r, value = 0;

        r = sd_bus_message_read_basic(m, 'b', &value);
        if (r < 0)
                return r;

        *(bool *) field = value;
        return 0;
}

static int read_u16(sd_bus_message *m, void *field) {
        return sd_bus_message_read_basic(m, 'q', field);
}

static int read_u32(sd_bus_message *m, void *field) {
        return sd_bus_message_read_basic(m, 'u', field);
}

static int read_i32(sd_bus_message *m, void *field) {
        return sd_bus_message_read_basic(m, 'i', field);
}

static int read_u64(sd_bus_message *m, void *field) {
        return sd_bus_message_read_basic(m, 't', field);
}

static int read_numbers(sd_bus_message *m, void *field) {
        const void *array;
        Numbers *to = field;
        size_t size;
        int r;

        r = sd_bus_message_read_array(m, 'u', &array, &size);
        if (r < 0)
                return r;

        to->items = malloc(size > 0 ? size : 1);
        if (!to->items)
                return -ENOMEM;

        if (size > 0)
                memcpy(to->items, array, size);
        to->n_items = size / sizeof(*to->items);
        return 0;
}

/* A dictionary from names to numbers of the type @type, 't' or 'u'. */
static int read_named_numbers(sd_bus_message *m, char type, NamedNumbers *to) {
        const char *contents = type == 't' ? "{st}" : "{su}", *entry = type == 't' ? "st" : "su";
        int r;

        r = sd_bus_message_enter_container(m, 'a', contents);
        if (r < 0)
                return r;

        while ((r = sd_bus_message_enter_container(m, 'e', entry)) > 0) {
                NamedNumber *longer;
                uint32_t number = 0;

                longer = reallocarray(to->items, to->n_items + 1, sizeof(*longer));
                if (!longer)
                        return -ENOMEM;
                to->items = longer;

                longer[to->n_items] = (NamedNumber) {};
                r = read_name(m, &longer[to->n_items].name);
                if (r < 0)
                        return r;
                to->n_items++;

                if (type == 't')
                        r = sd_bus_message_read_basic(m, 't', &longer[to->n_items - 1].number);
                else {
                        r = sd_bus_message_read_basic(m, 'u', &number);
                        longer[to->n_items - 1].number = number;
                }
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }

        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_handles(sd_bus_message *m, void *field) {
        return read_named_numbers(m, 't', field);
}

static int read_ids(sd_bus_message *m, void *field) {
        return read_named_numbers(m, 'u', field);
}

uint64_t named_numbers_find(const NamedNumbers *numbers, const char *name) {
        for (size_t i = 0; i < numbers->n_items; i++)
                if (strcmp(numbers->items[i].name, name) == 0)
                        return numbers->items[i].number;

        return 0;
}

static void done_named_numbers(void *field) {
        NamedNumbers *numbers = field;

        for (size_t i = 0; i < numbers->n_items; i++)
                free(numbers->items[i].name);
        free(numbers->items);
        *numbers = (NamedNumbers) {};
}

static int read_known_number(sd_bus_message *m, void *field) {
        KnownNumber *to = field;

        to->known = true;
        return sd_bus_message_read_basic(m, 'u', &to->number);
}

static int read_range(sd_bus_message *m, void *field) {
        KnownRange *to = field;

        to->known = true;
        return sd_bus_message_read(m, "(tt)", &to->first, &to->last);
}

static int read_bytes(sd_bus_message *m, void *field) {
        const void *array;
        Bytes *to = field;
        int r;

        r = sd_bus_message_read_array(m, 'y', &array, &to->size);
        if (r < 0 || to->size == 0)
                return r;

        to->data = malloc(to->size);
        if (!to->data)
                return -ENOMEM;

        memcpy(to->data, array, to->size);
        return 0;
}

static void done_bytes(void *field) {
        free(((Bytes *) field)->data);
}

static void done_string(void *field) {
        free(*(char **) field);
}

static void done_list(void *field) {
        strv_free(*(char ***) field);
}

static void done_numbers(void *field) {
        free(((Numbers *) field)->items);
}

const FieldType field_text    = { "s",  read_text,    done_string };
const FieldType field_name    = { "s",  read_name,    done_string };
const FieldType field_texts   = { "as", read_texts,   done_list };
const FieldType field_names   = { "as", read_names,   done_list };
const FieldType field_devices = { "ao", read_devices, done_list };
const FieldType field_group   = { "o",  read_group,   NULL };
const FieldType field_lease   = { "o",  read_lease,   NULL };
const FieldType field_bool    = { "b",  read_bool,    NULL };
const FieldType field_u16     = { "q",  read_u16,     NULL };
const FieldType field_u32     = { "u",  read_u32,     NULL };
const FieldType field_i32     = { "i",  read_i32,     NULL };
const FieldType field_u64     = { "t",  read_u64,     NULL };
const FieldType field_numbers = { "au", read_numbers, done_numbers };
const FieldType field_handles = { "a{st}", read_handles, done_named_numbers };
const FieldType field_ids     = { "a{su}", read_ids,     done_named_numbers };
const FieldType field_known_number = { "u", read_known_number, NULL };
const FieldType field_range   = { "(tt)", read_range, NULL };
const FieldType field_bytes   = { "ay",   read_bytes, done_bytes };
