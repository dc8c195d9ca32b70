/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Moving about in the text of a JSON document. The first two functions take text from outside; the others
 * are for what a strict parser has accepted, and check nothing. All text ends in NUL and has no other.
 */

#include <stddef.h>

/*
 * Whether @text, of @size bytes, is UTF-8 throughout. Returns 1; 0 with *ret_at the first byte that is not;
 * or a negative errno.
 */
int json_text_is_utf8(const char *text, size_t size, const char **ret_at);

/*
 * Overwrites every comment in @text with spaces. Returns NULL, or what is wrong, with *ret_at where: a
 * comment or a string that does not end, or quotes that are none in JSON.
 */
const char *json_text_blank_comments(char *text, const char **ret_at);

/* The first byte at or after @p that is no white space. */
const char *json_text_skip_space(const char *p);

/* The first byte after the value that begins at @p. */
const char *json_text_skip_value(const char *p);
