/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/parse.h"
#include "kernel/dev-number.h"
#include "kernel/path.h"

int dev_number_read(const char *path, dev_t *ret) {
        uint32_t major_number, minor_number;
        char text[32], *colon;
        ssize_t n;

        n = read_text_at(AT_FDCWD, path, text, sizeof(text));
        if (n < 0)
                return (int) n;

        colon = strchr(text, ':');
        if (!colon)
                return -EBADMSG;
        *colon++ = '\0';

        if (parse_u32(text, &major_number) < 0 || parse_u32(colon, &minor_number) < 0)
                return -EBADMSG;

        *ret = makedev(major_number, minor_number);
        return 0;
}

int dev_number_find(const IommufdBackend *backend, dev_t number, char *ret) {
        char link[KERNEL_PATH_MAX];
        int r;

        r = kernel_path(link, /* reterr= */ NULL, "%s/dev/char/%u:%u", backend->sysfs, major(number),
                        minor(number));
        if (r < 0)
                return r;

        return readlink_syspath_at(AT_FDCWD, link, ret, KERNEL_PATH_MAX);
}

/* "Character devices:", lines of number and kind, an empty one, then the same of block devices. */
int dev_major_find(const char *path, const char *kind, unsigned *ret) {
        char text[16384], *next = text;
        ssize_t n;

        n = read_text_all_at(AT_FDCWD, path, text, sizeof(text));
        if (n < 0)
                return (int) n;

        while (next && *next && *next != '\n') {
                char *line = next, *space;
                uint32_t number;

                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';

                line += strspn(line, " ");
                space = strchr(line, ' ');
                if (!space)
                        continue;
                *space++ = '\0';

                if (strcmp(space, kind) == 0 && parse_u32(line, &number) >= 0) {
                        *ret = number;
                        return 0;
                }
        }

        return -ENOENT;
}
