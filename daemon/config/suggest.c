/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdint.h>
#include <string.h>

#include "base/macro.h"
#include "config/suggest.h"

/* Longer words are no slip of the pen for any of ours */
#define WORD_MAX 32U

static size_t min3(size_t a, size_t b, size_t c) {
        size_t m = a < b ? a : b;

        return m < c ? m : c;
}

/* Levenshtein's distance: how many letters must be put in, taken out or changed to make one of the other. */
static size_t edit_distance(const char *a, const char *b) {
        size_t n = strlen(b), row[WORD_MAX + 1];

        assert(n <= WORD_MAX);

        for (size_t j = 0; j <= n; j++)
                row[j] = j;

        for (size_t i = 1; a[i - 1]; i++) {
                size_t diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= n; j++) {
                        size_t changed = diagonal + (a[i - 1] != b[j - 1]);

                        diagonal = row[j];
                        row[j] = min3(row[j] + 1, row[j - 1] + 1, changed);
                }
        }

        return row[n];
}

const char *suggest(const char *word, const void *table, size_t n, size_t size) {
        size_t length = strlen(word), nearest = SIZE_MAX;
        const char *best = NULL;

        if (length == 0 || length > WORD_MAX)
                return NULL;

        for (size_t i = 0; i < n; i++) {
                const char *name = *(const char *const *) ((const char *) table + i * size);
                size_t distance;

                distance = edit_distance(word, name);
                /* A third of the word may be wrong, but not all of it: of "id" one letter, of "ruels" two */
                if (distance < nearest && distance <= (length + 1) / 3) {
                        nearest = distance;
                        best = name;
                }
        }

        return best;
}
