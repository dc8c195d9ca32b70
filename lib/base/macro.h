/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The few language helpers that everything here is written with: ownership that leaves in one visible word,
 * cleanup at the end of a scope, and nothing that a C library already has.
 */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#ifdef NDEBUG
#error "assertions are part of this program and are never built out"
#endif

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _must_check_ __attribute__((warn_unused_result))
#define _unused_ __attribute__((unused))

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Moves a pointer out of its variable: the variable is NULL afterwards, the value belongs to whoever reads
 * it.
 */
#define TAKE_PTR(ptr)                                                                                       \
        ({                                                                                                  \
                __typeof__(ptr) *_take_ = &(ptr);                                                           \
                __typeof__(ptr) _taken_ = *_take_;                                                          \
                *_take_ = NULL;                                                                             \
                _taken_;                                                                                    \
        })

/* The same for a file descriptor, whose inert value is -EBADF. */
#define TAKE_FD(fd)                                                                                         \
        ({                                                                                                  \
                int *_take_ = &(fd);                                                                        \
                int _taken_ = *_take_;                                                                      \
                *_take_ = -EBADF;                                                                           \
                _taken_;                                                                                    \
        })

/* Defines foo_freep() for _cleanup_(foo_freep) from a foo_free() that accepts NULL. */
#define DEFINE_CLEANUP_FUNC(type, func)                                                                     \
        static inline void func##p(type **p) {                                                              \
                func(*p);                                                                                   \
                *p = NULL;                                                                                  \
        }                                                                                                   \
        struct _cleanup_needs_a_semicolon_

static inline void freep(void *p) {
        free(*(void **) p);
}

#define _cleanup_free_ _cleanup_(freep)
