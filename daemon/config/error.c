/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/error.h"

/* More are read by nobody */
#define MISTAKES_MAX 64

void config_error_done(ConfigError *error) {
        bool all = error->all;

        while (error->next) {
                ConfigError *next = error->next;

                error->next = next->next;
                free(next->file);
                free(next->path);
                free(next->message);
                free(next);
        }

        free(error->file);
        free(error->path);
        free(error->message);
        *error = (ConfigError) { .all = all };
}

ConfigError *config_error_last(ConfigError *error) {
        while (error->next)
                error = error->next;

        return error;
}

bool config_error_go_on(const ConfigError *error, int code) {
        unsigned n = 0;

        if (!error->all || code == -ENOMEM)
                return false;

        for (; error; error = error->next)
                n++;
        return n < MISTAKES_MAX;
}

int config_error_set(ConfigError *error, int code, const char *file, const char *format, ...) {
        _cleanup_free_ char *copy = NULL, *message = NULL;
        va_list ap;
        int r;

        assert(code < 0);
        assert(!error->message || error->all);

        copy = strdup(file);
        if (!copy)
                return -ENOMEM;

        va_start(ap, format);
        r = vasprintf(&message, format, ap);
        va_end(ap);
        if (r < 0) {
                message = NULL;              /* undefined after a failure */
                return -ENOMEM;
        }

        error = config_error_last(error);
        if (error->message) {
                error->next = calloc(1, sizeof(*error->next));
                if (!error->next)
                        return -ENOMEM;
                error = error->next;
        }

        error->file = TAKE_PTR(copy);
        error->message = TAKE_PTR(message);
        return code;
}

/* How many bytes the character at @p has; 0: it is none of UTF-8, or is cut off. */
static size_t utf8_length(const unsigned char *p) {
        size_t n;

        if (p[0] < 0x80)
                return 1;
        if (p[0] < 0xc2 || p[0] > 0xf4)
                return 0;

        n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
        for (size_t i = 1; i < n; i++)
                if ((p[i] & 0xc0) != 0x80)
                        return 0;

        /* Longer than it need be, half of a pair of UTF-16, beyond the last */
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
            (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
                return 0;

        return n;
}

static void make_printable(char *s) {
        size_t n;

        for (; *s; s += n) {
                n = utf8_length((const unsigned char *) s);
                if (n == 0 || (unsigned char) *s < ' ' || *s == 0x7f) {
                        *s = '?';
                        n = 1;
                }
        }
}

int config_error_to_string(const ConfigError *error, char **ret) {
        char place[32] = "";
        char *s;

        if (error->line > 0)
                snprintf(place, sizeof(place), ":%u:%u", error->line, error->column);

        if (asprintf(&s, "%s%s: %s%s%s", error->file ?: "configuration", place, error->path ?: "",
                     error->path ? ": " : "", error->message ?: "out of memory") < 0)
                return -ENOMEM;

        make_printable(s);
        *ret = s;
        return 0;
}
