/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Attributes that need not be there: what can't be read is "".
 */

#include "base/fd.h"
#include "base/parse.h"

/*
 * Reads the text of an attribute, without newlines and padding at its end. Nothing behind the terminator is
 * written, so that a zeroed @buffer stays comparable as a whole. Text that doesn't fit is as good as none.
 */
static inline void attribute_read(int dir, const char *path, char *buffer, size_t size) {
        char text[256];
        ssize_t n;

        buffer[0] = '\0';

        n = read_text_at(dir, path, text, sizeof(text));
        while (n > 0 && text[n - 1] == ' ')
                text[--n] = '\0';
        if (n <= 0 || copy_string(buffer, size, text) < 0)
                return;
}
