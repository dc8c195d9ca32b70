/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A table for people: columns as wide as what is in them, two spaces between, none at the end of a line. */

#include <stddef.h>

#define TABLE_COLUMNS_MAX 10

typedef struct Table {
        const char *const *headers;     /* borrowed; the column of ">HEADER" is aligned to the right */
        size_t n_columns;
        char **cells;
        size_t n_cells;
} Table;

/* @headers ends with NULL. */
void table_init(Table *table, const char *const *headers);

/* The next cell; the table owns @cell. "" is shown as "-". */
void table_add(Table *table, char *cell);

/* On standard output. */
void table_print(const Table *table);

void table_done(Table *table);
