/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "kernel/path.h"

bool kernel_name_is_valid(const char *name) {
        return name[0] != '\0' && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
               strlen(name) < KERNEL_NAME_MAX;
}

int kernel_path(char *ret, KernelFailure *reterr, const char *format, ...) {
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(ret, KERNEL_PATH_MAX, format, ap);
        va_end(ap);

        if (n < 0 || n >= KERNEL_PATH_MAX)
                return kernel_failure(reterr, -ENAMETOOLONG, "find %s", ret);
        return 0;
}

int kernel_device_find(const IommufdBackend *backend, const char *subsystem, const char *name, char *ret,
                       KernelFailure *reterr) {
        char link[KERNEL_PATH_MAX], syspath[KERNEL_PATH_MAX];
        int r;

        if (!kernel_name_is_valid(subsystem) || !kernel_name_is_valid(name))
                return kernel_failure(reterr, -EINVAL, "find the device %s on bus %s", name, subsystem);

        r = kernel_path(link, reterr, "%s/bus/%s/devices/%s", backend->sysfs, subsystem, name);
        if (r < 0)
                return r;

        r = readlink_syspath_at(AT_FDCWD, link, syspath, sizeof(syspath));
        if (r < 0)
                return kernel_failure(reterr, r == -ENOENT ? -ENODEV : r, "find %s", link);

        return kernel_path(ret, reterr, "%s/%s", backend->sysfs, syspath);
}

int kernel_device_locate(const IommufdBackend *backend, const char *subsystem, const char *name,
                         const char *syspath, char *ret, KernelFailure *reterr) {
        if (!syspath || !syspath[0])
                return kernel_device_find(backend, subsystem, name, ret, reterr);

        return kernel_path(ret, reterr, "%s/%s", backend->sysfs, syspath);
}
