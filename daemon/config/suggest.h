/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* "did you mean": for a word that is none of those known, the known one that was most likely meant. */

#include <stddef.h>

/*
 * @table has @n entries of @size bytes, each beginning with a pointer to its name, so that a table of
 * anything will do. Returns the name nearest to @word, borrowed from the table, or NULL when none is near
 * enough to be a slip of the pen.
 */
const char *suggest(const char *word, const void *table, size_t n, size_t size);
