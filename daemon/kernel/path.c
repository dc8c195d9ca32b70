/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

int kernel_device_path(const IommufdBackend *backend, const char *subsystem, const char *name, char *ret,
                       KernelFailure *reterr) {
        if (!kernel_name_is_valid(subsystem) || !kernel_name_is_valid(name))
                return kernel_failure(reterr, -EINVAL, "find the device %s on bus %s", name, subsystem);

        return kernel_path(ret, reterr, "%s/bus/%s/devices/%s", backend->sysfs, subsystem, name);
}

int kernel_device_find(const IommufdBackend *backend, const char *subsystem, const char *name, char *ret,
                       KernelFailure *reterr) {
        int r;

        r = kernel_device_path(backend, subsystem, name, ret, reterr);
        if (r < 0)
                return r;

        if (access(ret, F_OK) < 0)
                return kernel_failure(reterr, errno == ENOENT ? -ENODEV : -errno, "find %s", ret);
        return 0;
}
