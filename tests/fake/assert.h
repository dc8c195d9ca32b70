/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Assertions that say what was expected and what came. Like assert() they end the test.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

__attribute__((noreturn)) _printf_(4, 5)
static inline void assert_failed(const char *file, int line, const char *expr, const char *format, ...) {
        va_list ap;

        fprintf(stderr, "%s:%d: %s: ", file, line, expr);
        va_start(ap, format);
        vfprintf(stderr, format, ap);
        va_end(ap);
        fputc('\n', stderr);
        abort();
}

/* What a function that returns a negative errno has returned, which must be none. */
#define assert_ok(expr)                                                                                     \
        ({                                                                                                  \
                __typeof__(expr) _value_ = (expr);                                                          \
                                                                                                            \
                if (_value_ < 0)                                                                            \
                        assert_failed(__FILE__, __LINE__, #expr, "expected no error, got %s",               \
                                      strerrorname_np((int) -_value_) ?: "an unknown one");                 \
                _value_;                                                                                    \
        })

#define assert_eq_int(expr, expected)                                                                       \
        do {                                                                                                \
                long long _value_ = (long long) (expr), _expected_ = (long long) (expected);                \
                                                                                                            \
                if (_value_ != _expected_)                                                                  \
                        assert_failed(__FILE__, __LINE__, #expr, "expected %lld, got %lld",                 \
                                      _expected_, _value_);                                                 \
        } while (false)

#define assert_eq_str(expr, expected)                                                                       \
        do {                                                                                                \
                const char *_value_ = (expr), *_expected_ = (expected);                                     \
                                                                                                            \
                if (!_value_ || !_expected_ ? _value_ != _expected_ : strcmp(_value_, _expected_) != 0)     \
                        assert_failed(__FILE__, __LINE__, #expr, "expected \"%s\", got \"%s\"",             \
                                      _expected_ ?: "(null)", _value_ ?: "(null)");                         \
        } while (false)

/* The string @expr has @part somewhere in it. */
#define assert_has(expr, part)                                                                              \
        do {                                                                                                \
                const char *_value_ = (expr), *_part_ = (part);                                             \
                                                                                                            \
                if (!strstr(_value_, _part_))                                                               \
                        assert_failed(__FILE__, __LINE__, #expr, "expected \"…%s…\", got \"%s\"",           \
                                      _part_, _value_);                                                     \
        } while (false)
