/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "config/error.h"

static void check(const ConfigError *error, const char *expected) {
        _cleanup_free_ char *s = NULL;

        assert(config_error_to_string(error, &s) == 0);
        assert(strcmp(s, expected) == 0);
}

int main(void) {
        _cleanup_(config_error_done) ConfigError error = {};

        check(&error, "configuration: out of memory");

        assert(config_error_set(&error, -EPERM, "/etc/x", "it is %s %d", "number", 7) == -EPERM);
        check(&error, "/etc/x: it is number 7");

        error.line = 3;
        error.column = 14;
        check(&error, "/etc/x:3:14: it is number 7");

        error.path = strdup("rules[2]");
        check(&error, "/etc/x:3:14: rules[2]: it is number 7");

        config_error_done(&error);
        assert(!error.file && !error.path && !error.message && error.line == 0 && error.column == 0);
        assert(config_error_set(&error, -EINVAL, "again", "%s", "") == -EINVAL);
        return 0;
}
