/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * JSON as the administrator writes it: strict, but for comments. json-c reads it; what json-c has no notion
 * of is added here: where in the file each value stands, keys that appear twice, and keys that nobody asked
 * for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/error.h"

/* More is no file that somebody wrote */
#define JSON_SIZE_MAX (1024U * 1024)

struct json_object;

typedef struct JsonDocument {
        const char *file;                    /* for messages; borrowed */
        const char *data;                    /* the bytes as they came; borrowed */
        char *text;                          /* the same, but comments are blanks; owned */
        size_t size;
        struct json_object *root;            /* owned */
        ConfigError *error;                  /* where whatever fails is told; borrowed */
} JsonDocument;

/* A value, and how it was come by. Lives on the stack of who walks the document, and borrows all of it. */
typedef struct JsonNode {
        const JsonDocument *document;
        const struct JsonNode *parent;       /* NULL: this is the whole document */
        const char *key;                     /* of a member of an object; NULL: of an array, at @index */
        size_t index;
        struct json_object *value;           /* NULL is how json-c says null */
        const char *at;                      /* its first byte in the text */
} JsonNode;

/* Reads one value. Returns 0 or a negative errno after a call of json_node_fail(). */
typedef int (*JsonReader)(const JsonNode *node, void *userdata);

typedef struct JsonField {
        const char *name;                    /* first: see suggest() */
        JsonReader read;
        const char *missing;                 /* what to say when it is not there; NULL: it may be left out */
} JsonField;

/*
 * Reads @data, which, like @file and @reterr, must outlive the document: all later failures are told in
 * *reterr as well. Returns -EBADMSG for what is no JSON.
 */
int json_document_new(const char *file, const void *data, size_t size, JsonDocument **ret,
                      ConfigError *reterr) _must_check_;
JsonDocument *json_document_free(JsonDocument *document);
DEFINE_CLEANUP_FUNC(JsonDocument, json_document_free);

JsonNode json_document_root(const JsonDocument *document);

/* Tells in the document's error what is wrong with @node. Returns -EBADMSG, or -ENOMEM. */
int json_node_fail(const JsonNode *node, const char *format, ...) _printf_(2, 3);

/* The same, with the place in the text given: for a key of the object @node, say. */
int json_node_fail_at(const JsonNode *node, const char *at, const char *format, ...) _printf_(3, 4);

/*
 * Calls the reader of each member in the order of the file, and stops at the first that fails, or, where the
 * document's error wants all mistakes, goes on and fails at the end. A key that is in no field or that
 * appears twice is an error, found before any is read, as is a field that must be there and is not.
 */
int json_node_read_object(const JsonNode *node, const JsonField *fields, size_t n_fields,
                          void *userdata) _must_check_;

/* Calls @read for each element of an array, and stops or goes on in the same way. */
int json_node_read_array(const JsonNode *node, JsonReader read, void *userdata) _must_check_;

/* The same, but a value that is no array stands for an array of that one, and an empty array is an error. */
int json_node_read_list(const JsonNode *node, JsonReader read, void *userdata) _must_check_;

/* A string without NUL, borrowed from the document. */
int json_node_read_string(const JsonNode *node, const char **ret) _must_check_;

int json_node_read_bool(const JsonNode *node, bool *ret) _must_check_;

/* A whole number from @min to @max. */
int json_node_read_u64(const JsonNode *node, uint64_t min, uint64_t max, uint64_t *ret) _must_check_;

/* A whole number from 0 to @max. */
int json_node_read_u32(const JsonNode *node, uint32_t max, uint32_t *ret) _must_check_;
