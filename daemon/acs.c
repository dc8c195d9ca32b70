/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * "iommud-acs CONFIG": what udev runs for each bridge as it appears (60-iommud.rules), with the rights that
 * the daemon has not got. It reads one file, prints two properties, and nothing else.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "kernel/acs.h"

int main(int argc, char *argv[]) {
        _cleanup_close_ int config = -EBADF;
        Acs acs;
        int r;

        if (argc != 2) {
                fprintf(stderr, "Usage: %s CONFIG\n", argv[0]);
                return 2;
        }

        config = open(argv[1], O_RDONLY | O_CLOEXEC);
        r = config < 0 ? -errno : acs_read(config, &acs);
        if (r < 0) {
                fprintf(stderr, "%s: %s\n", argv[1], strerror(-r));
                return 1;
        }

        printf("IOMMUD_ACS_SUPPORTED=%s\nIOMMUD_ACS_ENABLED=%s\n", acs.supported, acs.enabled);
        return fflush(stdout) == 0 ? 0 : 1;
}
