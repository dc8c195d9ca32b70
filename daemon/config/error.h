/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is wrong with the administrator's files, told so that it can be mended without reading the source:
 * which file, where in it, what, and what to do.
 */

#include <stdbool.h>

#include "base/macro.h"

typedef struct ConfigError ConfigError;

struct ConfigError {
        char *file;                          /* or directory; owned */
        unsigned line, column;               /* from 1, columns count characters; 0: no one place */
        char *path;                          /* "rules[2].devices[0]"; NULL: the whole file; owned */
        char *message;                       /* what is wrong and how it is mended; owned */
        bool all;                            /* set by who wants to be told of more than the first mistake */
        ConfigError *next;                   /* the next mistake; owned */
};

/* Frees the contents, and all mistakes behind it, and makes @error empty again. */
void config_error_done(ConfigError *error);

/*
 * Fills the empty @error, except for its line, column and path; where all mistakes are wanted, one more
 * behind the last. Returns @code, a negative errno, or -ENOMEM, with nothing told, so that a caller can end
 * in "return config_error_set(…)".
 */
int config_error_set(ConfigError *error, int code, const char *file, const char *format, ...) _printf_(4, 5);

/* The mistake that was told last, or the empty one. */
ConfigError *config_error_last(ConfigError *error);

/*
 * Whether to look for more mistakes after one, for which @code was returned: it is no other trouble, and
 * there are not so many yet that nobody would read them.
 */
bool config_error_go_on(const ConfigError *error, int code);

/*
 * One line for the journal or the terminal, "/etc/iommud/policy.d/50-vm.json:7:13: rules[2].devices[0]: …"
 * Whatever the file is called and has in it, the line is valid UTF-8 without control characters, so that it
 * can be sent over D-Bus and shown. Returns 0 and a string of the caller, or -ENOMEM.
 */
int config_error_to_string(const ConfigError *error, char **ret) _must_check_;
