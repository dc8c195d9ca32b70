/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/record-text.h"

#define RECORD_KEY_VERSION "version="

int record_not_known(const char *text) {
        size_t n = strlen(RECORD_KEY_VERSION), digits;

        if (strncmp(text, RECORD_KEY_VERSION, n) != 0)
                return -EBADMSG;

        digits = strspn(text + n, "0123456789");
        return digits > 0 && strchr(" \n", text[n + digits]) ? -EPROTONOSUPPORT : -EBADMSG;
}

int record_read_lines(const char *text, const char *begin, int (*read)(char *line, void *userdata),
                      void *userdata) {
        _cleanup_free_ char *copy = NULL;
        char *rest, *line;

        if (strncmp(text, begin, strlen(begin)) != 0)
                return record_not_known(text);

        copy = rest = strdup(text + strlen(begin));
        if (!copy)
                return -ENOMEM;

        while ((line = strsep(&rest, "\n"))) {
                int r;

                if (!*line)
                        continue;
                r = read(line, userdata);
                if (r < 0)
                        return r;
        }

        return 0;
}

int record_read_word(char **line, const char *key, const char **ret) {
        size_t n = strlen(key);
        char *word;

        word = strsep(line, " ");
        if (!word || strncmp(word, key, n) != 0 || word[n] != '=')
                return -EBADMSG;

        *ret = word + n + 1;
        return 0;
}

int record_read_flag(char **line, const char *key, bool *ret) {
        const char *value;

        if (record_read_word(line, key, &value) < 0 || (strcmp(value, "0") != 0 && strcmp(value, "1") != 0))
                return -EBADMSG;

        *ret = value[0] == '1';
        return 0;
}
