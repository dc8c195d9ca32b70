/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What it costs to find out whether this host uses a device: of every device of a bus that has a driver, or
 * of those that are named.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "sys/host.h"

#define N_TIMES 100

static double now_us(void) {
        struct timespec t;

        assert(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
        return (double) t.tv_sec * 1e6 + (double) t.tv_nsec / 1e3;
}

static void measure(const Host *host, const char *bus, const char *name) {
        HostUse kind = HOST_USE_UNKNOWN;
        char use[128] = "";
        double start;
        int r = 0;

        start = now_us();
        for (unsigned i = 0; i < N_TIMES; i++)
                r = host->ops->in_use(host->userdata, bus, name, &kind, use, sizeof(use));

        printf("%s: %.0f us: %s\n", name, (now_us() - start) / N_TIMES,
                r < 0 ? strerrordesc_np(-r) : r > 0 ? use : "not in use");
}

static bool has_driver(int sysfs, const char *bus, const char *name) {
        char path[128];

        return (size_t) snprintf(path, sizeof(path), "bus/%s/devices/%s/driver", bus, name) < sizeof(path) &&
               faccessat(sysfs, path, F_OK, 0) >= 0;
}

/* bench-host [BUS [DEVICE...]] */
int main(int argc, char **argv) {
        _cleanup_close_ int sysfs = -EBADF, proc = -EBADF;
        _cleanup_dir_ Dir *dir = NULL;
        const char *name, *bus = argc > 1 ? argv[1] : "pci";
        LocalHost local;
        char path[64];
        Host host;

        sysfs = open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
        proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert(sysfs >= 0 && proc >= 0);
        local = (LocalHost) { .sysfs = sysfs, .proc = proc };
        host = local_host_port(&local);

        for (int i = 2; i < argc; i++)
                measure(&host, bus, argv[i]);
        if (argc > 2)
                return 0;

        assert((size_t) snprintf(path, sizeof(path), "bus/%s/devices", bus) < sizeof(path));
        if (dir_open_at(sysfs, path, &dir) < 0)
                return 0;                    /* no such bus here */
        while (dir_next(dir, &name) == DIR_ENTRY)
                if (has_driver(sysfs, bus, name))
                        measure(&host, bus, name);
        return 0;
}
