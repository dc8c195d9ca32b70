/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "table.h"

void table_init(Table *table, const char *const *headers) {
        *table = (Table) { .headers = headers };

        while (headers[table->n_columns])
                table->n_columns++;
        assert(table->n_columns > 0 && table->n_columns <= TABLE_COLUMNS_MAX);
}

void table_add(Table *table, char *cell) {
        table->cells = need(reallocarray(table->cells, table->n_cells + 1, sizeof(*table->cells)));
        table->cells[table->n_cells++] = cell;
}

void table_done(Table *table) {
        for (size_t i = 0; i < table->n_cells; i++)
                free(table->cells[i]);
        free(table->cells);
        *table = (Table) {};
}

/* In characters, not bytes: the continuation bytes of UTF-8 are not counted */
static size_t width_of(const char *s) {
        size_t n = 0;

        for (; *s; s++)
                n += ((unsigned char) *s & 0xc0) != 0x80;

        return n;
}

static const char *text_of(const char *cell) {
        return *cell ? cell : "-";
}

static void print_cell(const char *text, size_t width, bool right, bool last) {
        int padding = (int) (width - width_of(text));

        if (right)
                printf("%*s%s", padding, "", text);
        else if (last)
                printf("%s", text);
        else
                printf("%s%*s", text, padding, "");

        fputs(last ? "\n" : "  ", stdout);
}

void table_print(const Table *table) {
        size_t widths[TABLE_COLUMNS_MAX], n = table->n_columns;

        for (size_t i = 0; i < n; i++)
                widths[i] = width_of(table->headers[i] + (*table->headers[i] == '>'));
        for (size_t i = 0; i < table->n_cells; i++) {
                size_t width = width_of(text_of(table->cells[i]));

                if (width > widths[i % n])
                        widths[i % n] = width;
        }

        for (size_t i = 0; i < n; i++) {
                bool right = *table->headers[i] == '>';

                print_cell(table->headers[i] + right, widths[i], right, i + 1 == n);
        }
        for (size_t i = 0; i < table->n_cells; i++) {
                size_t column = i % n;

                print_cell(text_of(table->cells[i]), widths[column],
                           *table->headers[column] == '>', column + 1 == n);
        }
}
