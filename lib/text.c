/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>
#include <systemd/sd-bus.h>

#include "base/parse.h"
#include "names.h"
#include "text.h"

bool name_is_valid(const char *s) {
        size_t n = strlen(s);

        if (n == 0 || n > NAME_LENGTH_MAX)
                return false;

        for (; *s; s++)
                if (*s <= ' ' || *s > '~' || strchr("/\"'\\", *s))
                        return false;

        return true;
}

char *text_dup(const char *s) {
        char *copy, *to;

        copy = to = malloc(strlen(s) + 1);
        if (!copy)
                return NULL;

        for (; *s; s++) {
                unsigned char c = (unsigned char) s[0], next = (unsigned char) s[1];

                if (c < 0x20 || c == 0x7f)
                        *to++ = '?';
                else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
                        /* U+0080 to U+009F, in two bytes */
                        *to++ = '?';
                        s++;
                } else
                        *to++ = (char) c;
        }

        *to = '\0';
        return copy;
}

int path_to_number(const char *path, const char *prefix, uint64_t *ret) {
        size_t n = strlen(prefix);

        if (strcmp(path, "/") == 0) {
                *ret = 0;
                return 0;
        }

        if (strncmp(path, prefix, n) != 0 || path[n] != '/')
                return -EBADMSG;

        return parse_u64(path + n + 1, ret) < 0 ? -EBADMSG : 0;
}

int path_to_device(const char *path, char **ret) {
        _cleanup_free_ char *name = NULL;
        int r;

        r = sd_bus_path_decode(path, IOMMUD_PATH_DEVICE, &name);
        if (r == -ENOMEM)
                return r;
        if (r <= 0 || !name_is_valid(name))
                return -EBADMSG;

        *ret = TAKE_PTR(name);
        return 0;
}

void strv_free(char **strings) {
        for (char **s = strings; s && *s; s++)
                free(*s);
        free(strings);
}

int strv_push_take(char ***strings, char *s) {
        char **longer;
        size_t n = 0;

        while (*strings && (*strings)[n])
                n++;

        longer = reallocarray(*strings, n + 2, sizeof(*longer));
        if (!longer)
                return -ENOMEM;

        longer[n] = s;
        longer[n + 1] = NULL;
        *strings = longer;
        return 0;
}

bool strv_contains(char *const *strings, const char *s) {
        for (; strings && *strings; strings++)
                if (strcmp(*strings, s) == 0)
                        return true;

        return false;
}
