/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "config/error.h"

static void check(const ConfigError *error, const char *expected) {
        _cleanup_free_ char *s = NULL;

        assert(config_error_to_string(error, &s) == 0);
        assert(strcmp(s, expected) == 0);
}

static void test_printable(void) {
        static const struct {
                const char *message, *shown;
        } cases[] = {
                { "\xe2\x82\xac \xc3\xa4 \xf0\x9f\x98\x80 ~", "\xe2\x82\xac \xc3\xa4 \xf0\x9f\x98\x80 ~" },
                { "a\nb\tc\x1b[0m\x7f", "a?b?c?[0m?" },
                { "cut \xe2\x82", "cut ??" },
                { "cut \xf0\x9f\x98", "cut ???" },
                { "\xc3", "?" },
                { "\xc3x", "?x" },
                { "\x80\xbf\xff\xfe", "????" },
                { "\xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf", "?? ??? ????" },     /* longer than need be */
                { "\xed\xa0\x80", "???" },                                     /* half of a pair */
                { "\xf4\x90\x80\x80 \xf5\x80\x80\x80", "???? ????" },         /* beyond the last */
                { "\xf4\x8f\xbf\xbf \xed\x9f\xbf \xe0\xa0\x80 \xf0\x90\x80\x80",
                  "\xf4\x8f\xbf\xbf \xed\x9f\xbf \xe0\xa0\x80 \xf0\x90\x80\x80" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(config_error_done) ConfigError error = {};
                _cleanup_free_ char *expected = NULL;

                assert(config_error_set(&error, -EBADMSG, "\xff.json", "%s", cases[i].message) == -EBADMSG);
                assert(asprintf(&expected, "?.json: %s", cases[i].shown) > 0);
                check(&error, expected);
        }
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
        test_printable();
        assert(config_error_set(&error, -EINVAL, "again", "%s", "") == -EINVAL);
        return 0;
}
