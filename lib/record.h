/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Dictionaries of the bus into structs. A table says which key goes where and how it is read; keys that are
 * in no table are those of a newer iommud and are skipped, one that is missing or has another type is an
 * error. Readers return a negative errno; which one says nothing, except -ENOMEM (see client_reply_read()).
 */

#include <stddef.h>
#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "client.h"

/* One way to read a value. Strings become "" at least, lists never NULL. */
typedef struct FieldType {
        const char *signature;
        int (*read)(sd_bus_message *message, void *field);
        void (*done)(void *field);              /* NULL when there is nothing to free */
} FieldType;

extern const FieldType field_text;              /* s   char *: made harmless */
extern const FieldType field_name;              /* s   char *: of a device, checked */
extern const FieldType field_texts;             /* as  char ** */
extern const FieldType field_names;             /* as  char **: of devices, checked */
extern const FieldType field_devices;           /* ao  char **: names of devices from their paths */
extern const FieldType field_group;             /* o   uint32_t */
extern const FieldType field_lease;             /* o   uint64_t; 0 for "/" */
extern const FieldType field_bool;              /* b   bool */
extern const FieldType field_u16;               /* q   uint16_t */
extern const FieldType field_u32;               /* u   uint32_t */
extern const FieldType field_i32;               /* i   int32_t */
extern const FieldType field_u64;               /* t   uint64_t */
extern const FieldType field_numbers;           /* au  Numbers */
extern const FieldType field_handles;           /* a{st}  NamedNumbers: of devices */
extern const FieldType field_ids;               /* a{su}  NamedNumbers: of devices */
extern const FieldType field_known_number;      /* u   KnownNumber */
extern const FieldType field_range;             /* (tt)  KnownRange */
extern const FieldType field_bytes;             /* ay  Bytes */

/* For a reader: room for one item more in the array at *@items, all zero; that is NULL while it has none. */
int array_grow(void *items, size_t n_items, size_t size) _must_check_;

typedef struct Numbers {
        uint32_t *items;
        size_t n_items;
} Numbers;

/* For what is optional: zero is something else than not known. */
typedef struct KnownNumber {
        bool known;
        uint32_t number;
} KnownNumber;

typedef struct KnownRange {
        bool known;
        uint64_t first, last;
} KnownRange;

typedef struct Bytes {
        void *data;
        size_t size;
} Bytes;

typedef struct NamedNumber {
        char *name;
        uint64_t number;
} NamedNumber;

typedef struct NamedNumbers {
        NamedNumber *items;
        size_t n_items;
} NamedNumbers;

/* The number of that name, or 0. */
uint64_t named_numbers_find(const NamedNumbers *numbers, const char *name);

typedef struct Field {
        const char *key;
        const FieldType *type;
        size_t offset;
        bool optional;                          /* may be missing; zero then, and "" when it is text */
} Field;

typedef struct RecordType {
        const Field *fields;
        size_t n_fields;
        size_t size;
        /* for keys that are in no field, and to free what it makes of them; NULL: they are skipped */
        int (*read_other)(sd_bus_message *message, const char *key, void *record);
        void (*done_other)(void *record);
} RecordType;

/* An a{sv} at the read position of @message. */
int record_read(sd_bus_message *message, const RecordType *type, void **ret) _must_check_;
void record_free(const RecordType *type, void *record);

/*
 * An array of @element, "a{sv}" or "(oa{sv})", into a list that ends with NULL. The paths are not looked at:
 * every record knows its name.
 */
int records_read(
                sd_bus_message *message,
                const char *element,
                const RecordType *type,
                void ***ret) _must_check_;
void records_free(const RecordType *type, void **records);

/* Asks the Manager for a list: ListDevices and its like. */
int records_list(
                iommud_client *client,
                const char *member,
                const RecordType *type,
                void ***ret) _must_check_;

/* The public functions that read a field: iommud_device_driver() for (device, driver). */
#define DEFINE_GETTER(record, result, field, otherwise)                                                     \
        _public_ result iommud_##record##_##field(const iommud_##record *record) {                          \
                return record ? (result) record->field : otherwise;                                         \
        }                                                                                                   \
        struct _getter_needs_a_semicolon_

#define DEFINE_GETTER_TEXT(record, field) DEFINE_GETTER(record, const char *, field, "")

#define DEFINE_GETTER_LIST(record, field)                                                                   \
        _public_ const char *const *iommud_##record##_##field(const iommud_##record *record) {              \
                return record ? (const char *const *) record->field : empty_list;                           \
        }                                                                                                   \
        struct _getter_needs_a_semicolon_

#define DEFINE_GETTER_NUMBERS(record, field)                                                                \
        _public_ const uint32_t *iommud_##record##_##field(const iommud_##record *record, size_t *ret_n) {  \
                if (ret_n)                                                                                  \
                        *ret_n = record ? record->field.n_items : 0;                                        \
                return record ? record->field.items : NULL;                                                 \
        }                                                                                                   \
        struct _getter_needs_a_semicolon_

extern const char *const empty_list[];
