/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <iconv.h>
#include <string.h>

#include "base/macro.h"
#include "config/json-text.h"

int json_text_is_utf8(const char *text, size_t size, const char **ret_at) {
        char *from = (char *) text;
        iconv_t to_self;
        int r = 1;

        to_self = iconv_open("UTF-8", "UTF-8");
        if (to_self == (iconv_t) -1)
                return -errno;

        while (r > 0 && size > 0) {
                char buffer[512], *to = buffer;
                size_t room = sizeof(buffer);

                if (iconv(to_self, &from, &size, &to, &room) != (size_t) -1 || errno == E2BIG)
                        continue;

                /* EILSEQ, or EINVAL for one that is cut off at the end */
                *ret_at = from;
                r = errno == EILSEQ || errno == EINVAL ? 0 : -errno;
        }

        iconv_close(to_self);
        return r;
}

/* The byte after the string whose opening quote is at @p; NULL when its line ends before it does. */
static char *string_end(char *p) {
        for (p++; *p != '"'; p++) {
                if (*p == '\\' && p[1])
                        p++;
                if ((unsigned char) *p < ' ')
                        return NULL;
        }

        return p + 1;
}

/* The byte after the comment that begins at @p; NULL when it does not end. */
static char *comment_end(char *p) {
        char *end;

        if (p[1] == '/')
                return p + strcspn(p, "\n");

        end = strstr(p + 2, "*/");
        return end ? end + 2 : NULL;
}

const char *json_text_blank_comments(char *text, const char **ret_at) {
        char *end;

        for (char *p = text; *p; p = end) {
                *ret_at = p;
                end = p + 1;

                if (*p == '"') {
                        end = string_end(p);
                        if (!end)
                                return "this string does not end on its line; close it with \"";
                } else if (*p == '\'')       /* json-c takes it for a quote even when it is strict */
                        return "strings are written in double quotes";
                else if (*p == '/' && (p[1] == '/' || p[1] == '*')) {
                        end = comment_end(p);
                        if (!end)
                                return "this comment does not end; close it with */";
                        for (; p < end; p++)
                                if (*p != '\n')
                                        *p = ' ';
                }
        }

        return NULL;
}

const char *json_text_skip_space(const char *p) {
        return p + strspn(p, " \t\r\n");
}

static const char *skip_string(const char *p) {
        for (p++; *p != '"'; p++)
                if (*p == '\\')
                        p++;

        return p + 1;
}

const char *json_text_skip_value(const char *p) {
        unsigned depth = 0;

        do
                switch (*p) {

                case '"':
                        p = skip_string(p);
                        break;

                case '{':
                case '[':
                        depth++;
                        p++;
                        break;

                case '}':
                case ']':
                        depth--;
                        p++;
                        break;

                default:                     /* a number, a word, or what stands between the values */
                        p += strcspn(p + 1, "\"{}[], \t\r\n") + 1;
                }
        while (depth > 0);

        return p;
}
