/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What came over the bus is UTF-8, which is all that D-Bus promises: it may hold terminal escapes, and a
 * "name" may be any text. Names are checked, because they become parts of roles and arguments; text for
 * people is made harmless.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

#define NAME_LENGTH_MAX 255

/* Non-empty, at most NAME_LENGTH_MAX bytes, printable ASCII without space, slash, quotes and backslash. */
bool name_is_valid(const char *s);

/* A copy of @s, valid UTF-8, with each control character (C0, DEL, C1) as "?". NULL for want of memory. */
char *text_dup(const char *s);

/* The number at the end of the object path @path below @prefix; "/" is 0. Returns 0 or -EBADMSG. */
int path_to_number(const char *path, const char *prefix, uint64_t *ret) _must_check_;

/* The device's name in the object path @path, for the caller to free. Returns 0, -EBADMSG or -ENOMEM. */
int path_to_device(const char *path, char **ret) _must_check_;

/* Lists of strings that end with NULL. strv_free() accepts NULL; strv_push() owns @s if it succeeds. */
void strv_free(char **strings);
int strv_push_take(char ***strings, char *s) _must_check_;
bool strv_contains(char *const *strings, const char *s);

DEFINE_CLEANUP_FUNC(char *, strv_free);
