/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <stdlib.h>

#include "label.h"

void print_line(const char *label, const char *text) {
        if (*text)
                printf("%18s: %s\n", label, text);
}

void print_line_take(const char *label, char *text) {
        print_line(label, text);
        free(text);
}
