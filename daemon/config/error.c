/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/error.h"

void config_error_done(ConfigError *error) {
        free(error->file);
        free(error->path);
        free(error->message);
        *error = (ConfigError) {};
}

int config_error_set(ConfigError *error, int code, const char *file, const char *format, ...) {
        _cleanup_free_ char *copy = NULL, *message = NULL;
        va_list ap;
        int r;

        assert(code < 0);
        assert(!error->message);

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

        error->file = TAKE_PTR(copy);
        error->message = TAKE_PTR(message);
        return code;
}

int config_error_to_string(const ConfigError *error, char **ret) {
        char place[32] = "";
        char *s;

        if (error->line > 0)
                snprintf(place, sizeof(place), ":%u:%u", error->line, error->column);

        if (asprintf(&s, "%s%s: %s%s%s", error->file ?: "configuration", place, error->path ?: "",
                     error->path ? ": " : "", error->message ?: "out of memory") < 0)
                return -ENOMEM;

        *ret = s;
        return 0;
}
