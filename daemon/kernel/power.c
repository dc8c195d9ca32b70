/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "kernel/path.h"
#include "kernel/power.h"

int power_read(const char *device, PowerControl *ret, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX], text[16];
        PowerControl power;
        ssize_t n;
        int r;

        r = kernel_path(path, reterr, "%s/power/control", device);
        if (r < 0)
                return r;

        n = read_text_at(AT_FDCWD, path, text, sizeof(text));
        if (n == -ENOENT && access(device, F_OK) < 0)
                n = -ENODEV;                 /* it went with the device */
        if (n < 0 && n != -ENOENT)
                return kernel_failure(reterr, (int) n, "read %s", path);

        power = power_control_from_string(text);
        *ret = power < 0 ? POWER_CONTROL_NONE : power;
        return 0;
}

int power_write(const char *device, PowerControl power, KernelFailure *reterr) {
        char path[KERNEL_PATH_MAX];
        PowerControl current;
        int r;

        if (power == POWER_CONTROL_NONE)
                return 0;

        r = power_read(device, &current, reterr);
        if (r < 0)
                return r;
        if (current == power)
                return 0;

        r = kernel_path(path, reterr, "%s/power/control", device);
        if (r < 0)
                return r;

        r = write_text_at(AT_FDCWD, path, power_control_to_string(power));
        if (r < 0)
                return kernel_failure(reterr, r, "write %s to %s", power_control_to_string(power), path);
        return 0;
}
