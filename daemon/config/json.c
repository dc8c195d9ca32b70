/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <json-c/json.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/json-text.h"
#include "config/json.h"

/*
 * The document, its array of rules, a rule, a list in it, a value in that, and room for one mistake of each
 */
#define DEPTH_MAX 10

JsonDocument *json_document_free(JsonDocument *document) {
        if (!document)
                return NULL;

        json_object_put(document->root);
        free(document->text);
        free(document);
        return NULL;
}

/* Stores where @at is, for people: lines and characters from 1. */
static void tell_place(const JsonDocument *document, const char *at, ConfigError *error) {
        size_t offset = (size_t) (at - document->text);
        unsigned line = 1, column = 1;

        assert(offset <= document->size);

        for (size_t i = 0; i < offset; i++)
                if (document->data[i] == '\n') {
                        line++;
                        column = 1;
                } else if (((unsigned char) document->data[i] & 0xc0) != 0x80)
                        column++;            /* all but the second and later bytes of a character of UTF-8 */

        error->line = line;
        error->column = column;
}

static void print_path(FILE *f, const JsonNode *node) {
        if (!node->parent)
                return;

        print_path(f, node->parent);
        if (!node->key)
                fprintf(f, "[%zu]", node->index);
        else
                fprintf(f, "%s%s", node->parent->parent ? "." : "", node->key);
}

static int node_path(const JsonNode *node, char **ret) {
        _cleanup_free_ char *path = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&path, &size);
        if (!f)
                return -ENOMEM;

        print_path(f, node);
        if (fclose(f) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(path);
        return 0;
}

/* What is wrong with something in @node that begins at @at. */
_printf_(3, 0) static int fail_at(const JsonNode *node, const char *at, const char *format, va_list ap) {
        const JsonDocument *document = node->document;
        _cleanup_free_ char *message = NULL, *path = NULL;
        ConfigError *error;
        int r;

        if (vasprintf(&message, format, ap) < 0) {
                message = NULL;              /* undefined after a failure */
                return -ENOMEM;
        }

        if (node->parent) {
                r = node_path(node, &path);
                if (r < 0)
                        return r;
        }

        r = config_error_set(document->error, -EBADMSG, document->file, "%s", message);
        if (r != -EBADMSG)
                return r;

        error = config_error_last(document->error);
        tell_place(document, at, error);
        error->path = TAKE_PTR(path);
        return -EBADMSG;
}

int json_node_fail(const JsonNode *node, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = fail_at(node, node->at, format, ap);
        va_end(ap);
        return r;
}

int json_node_fail_at(const JsonNode *node, const char *at, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = fail_at(node, at, format, ap);
        va_end(ap);
        return r;
}

JsonNode json_document_root(const JsonDocument *document) {
        return (JsonNode) {
                .document = document,
                .value = document->root,
                .at = json_text_skip_space(document->text),
        };
}

static int document_fail(const JsonDocument *document, const char *at, const char *message) {
        const JsonNode node = { .document = document, .at = at };

        return json_node_fail(&node, "%s", message);
}

static void tokener_freep(json_tokener **tokener) {
        if (*tokener)
                json_tokener_free(*tokener);
}

/* A comma before the closing bracket, which comes of taking the last of several out. */
static bool is_after_comma(const JsonDocument *document, const char *at) {
        if (*at != ']' && *at != '}')
                return false;

        while (at > document->text && strchr(" \t\r\n", at[-1]))
                at--;

        return at > document->text && at[-1] == ',';
}

/* Parses @text, which is as long as the document's and has its structure. */
static int document_parse_text(
        const JsonDocument *document, const char *text, int flags, json_object **ret) {
        _cleanup_(tokener_freep) json_tokener *tokener = NULL;
        enum json_tokener_error error;
        json_object *root;
        const char *at;

        tokener = json_tokener_new_ex(DEPTH_MAX);
        if (!tokener)
                return -ENOMEM;

        json_tokener_set_flags(tokener, flags);
        /* With its NUL, which tells json-c that no more is coming: a number might have gone on */
        root = json_tokener_parse_ex(tokener, text, (int) document->size + 1);
        error = json_tokener_get_error(tokener);
        if (error == json_tokener_success) {
                *ret = root;
                return 0;
        }

        if (error == json_tokener_error_parse_eof || error == json_tokener_continue)
                return document_fail(document, document->text + document->size,
                                     "the file ends too early; is a bracket or brace not closed?");

        at = document->text + json_tokener_get_parse_end(tokener);
        if (is_after_comma(document, at))
                return document_fail(document, at,
                                     "the comma before this bracket must go: nothing follows it");

        if (error == json_tokener_error_parse_number)
                return document_fail(document, at,
                                     "number expected, of at most 64 bits and without leading zeros");

        return document_fail(document, at, json_tokener_error_desc(error));
}

/*
 * A strict json-c 0.18, which Debian 13 has, takes every byte beyond ASCII in a string for a control
 * character. So strictness is asked for with other bytes in their places, and the values are read when
 * nothing is left that it could find.
 */
static int document_parse(JsonDocument *document) {
        _cleanup_free_ char *ascii = NULL;
        bool same = true;
        int r;

        ascii = strdup(document->text);
        if (!ascii)
                return -ENOMEM;

        for (char *p = ascii; *p; p++)
                if ((unsigned char) *p >= 0x80) {
                        *p = 'x';
                        same = false;
                }

        r = document_parse_text(document, ascii, JSON_TOKENER_STRICT, &document->root);
        if (r < 0 || same)
                return r;

        json_object_put(document->root);
        document->root = NULL;
        return document_parse_text(document, document->text, /* flags= */ 0, &document->root);
}

int json_document_new(const char *file, const void *data, size_t size, JsonDocument **ret,
                      ConfigError *reterr) {
        _cleanup_(json_document_freep) JsonDocument *document = NULL;
        const char *fault, *at;
        int r;

        if (size > JSON_SIZE_MAX)
                return config_error_set(reterr, -EFBIG, file, "the file is larger than %u bytes; split it",
                                        JSON_SIZE_MAX);

        document = calloc(1, sizeof(*document));
        if (!document)
                return -ENOMEM;

        *document = (JsonDocument) { .file = file, .data = data, .size = size, .error = reterr };
        document->text = malloc(size + 1);
        if (!document->text)
                return -ENOMEM;
        if (size > 0)
                memcpy(document->text, data, size);
        document->text[size] = '\0';

        at = memchr(document->text, '\0', size);
        if (at)
                return document_fail(document, at, "a NUL byte; is this a text file?");

        r = json_text_is_utf8(document->text, size, &at);
        if (r < 0)
                return r;
        if (r == 0)
                return document_fail(document, at, "invalid UTF-8; is it in another encoding?");

        fault = json_text_blank_comments(document->text, &at);
        if (fault)
                return document_fail(document, at, fault);

        at = json_text_skip_space(document->text);
        if (!*at)
                return document_fail(document, at, "there is nothing here; an object { … } is expected");

        r = document_parse(document);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(document);
        return 0;
}
