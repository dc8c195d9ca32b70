/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "base/pidfd.h"

int pidfd_get_pid(int fd, pid_t *ret) {
        char path[64], text[1024], *line;
        uint32_t pid;

        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        if (read_text_at(AT_FDCWD, path, text, sizeof(text)) < 0)
                return -EBADF;

        line = strstr(text, "\nPid:\t");
        if (!line)
                return -EBADF;

        line += strlen("\nPid:\t");
        line[strcspn(line, "\n")] = '\0';
        if (parse_u32(line, &pid) < 0 || pid == 0)
                return -ESRCH;               /* "-1" or "0" */

        *ret = (pid_t) pid;
        return 0;
}
