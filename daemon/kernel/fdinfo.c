/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "kernel/fdinfo.h"

#define SYSPATH_KEY "vfio-device-syspath:"

int fdinfo_read_syspath(int dir, const char *path, char *ret) {
        char text[PATH_MAX + 1024], *value;
        ssize_t n;

        n = read_text_at(dir, path, text, sizeof(text));
        if (n < 0)
                return (int) n;

        value = strstr(text, SYSPATH_KEY);
        if (!value || (value > text && value[-1] != '\n'))
                return -EOPNOTSUPP;

        value += strlen(SYSPATH_KEY);
        value += strspn(value, " \t");
        value[strcspn(value, "\n")] = '\0';
        return copy_string(ret, PATH_MAX, value);
}

void fdinfo_make_syspath(const IommufdBackend *backend, const char *device, char *ret) {
        /* the kernel doesn't know where sysfs is mounted and always says this */
        snprintf(ret, PATH_MAX, "/sys%s", device + strlen(backend->sysfs));
}
