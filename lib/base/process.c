/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/parse.h"
#include "base/process.h"

static bool error_is_absence(int error) {
        return error == -ENOENT || error == -ESRCH || error == -ENOTDIR;
}

int process_visit_all(int dir, const char *path, ProcessFunc func, void *userdata) {
        _cleanup_dir_ Dir *processes = NULL;
        const char *entry;
        int r;

        r = dir_open_at(dir, path, &processes);
        if (r < 0)
                return r;

        while ((r = dir_next(processes, &entry)) == DIR_ENTRY) {
                Process process = { .proc = dir_fd(processes), .name = entry };
                uint32_t pid;

                if (parse_u32(entry, &pid) < 0 || (pid_t) pid == getpid())
                        continue;

                process.pid = (pid_t) pid;
                r = func(&process, userdata);
                if (r != 0 && !error_is_absence(r))
                        return r;
        }

        return r;
}

int process_visit_nodes(const Process *process, OpenNodeFunc func, void *userdata) {
        _cleanup_dir_ Dir *fds = NULL;
        OpenNode node = {};
        char path[32];
        int r;

        snprintf(path, sizeof(path), "%.16s/fd", process->name);
        r = dir_open_at(process->proc, path, &fds);
        if (r < 0)
                return r;

        while ((r = dir_next(fds, &node.fd)) == DIR_ENTRY) {
                struct statx st;

                /* what it's open on may be on a server that doesn't answer: don't ask there */
                if (statx(dir_fd(fds), node.fd, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st) < 0)
                        continue;            /* closed meanwhile */
                if (!S_ISCHR(st.stx_mode) && !S_ISBLK(st.stx_mode))
                        continue;

                node.type = st.stx_mode & S_IFMT;
                node.number = makedev(st.stx_rdev_major, st.stx_rdev_minor);
                r = func(process, &node, userdata);
                if (r != 0)
                        return r;
        }

        return r;
}

static void make_plain(char *text) {
        for (size_t i = 0; text[i]; i++)
                if (text[i] < ' ' || text[i] > '~')
                        text[i] = '?';
}

void process_read_comm(const Process *process, char *ret) {
        char path[32], text[64];
        ssize_t n;

        ret[0] = '\0';
        snprintf(path, sizeof(path), "%.16s/comm", process->name);
        n = read_text_at(process->proc, path, text, sizeof(text));
        if (n < 0)
                return;

        make_plain(text);
        snprintf(ret, PROCESS_COMM_MAX, "%.*s", PROCESS_COMM_MAX - 1, text);
}

/*
 * The path in a line of /proc/PID/cgroup, "0::/a" or "1:name=systemd:/a", if its second field is
 * @controllers, else NULL. Only the first two colons count: those behind them are in names that anybody may
 * have made.
 */
static const char *line_get_path(const char *line, const char *controllers) {
        const char *field = strchr(line, ':');
        size_t n = strlen(controllers);

        if (!field || strncmp(field + 1, controllers, n) != 0 || field[1 + n] != ':')
                return NULL;

        return field + n + 2;
}

/*
 * The hierarchy that services are in is the unified one, "0::/system.slice/x.service"; or on hosts that have
 * those of old "1:name=systemd:/system.slice/x.service": they have the first too, without any groups in it.
 */
int process_get_cgroup(const Process *process, char *ret, size_t size) {
        const char *found = NULL, *named = NULL;
        char path[32], text[4096], *rest = text, *line;
        ssize_t n;

        snprintf(path, sizeof(path), "%.16s/cgroup", process->name);
        n = read_text_at(process->proc, path, text, sizeof(text));
        if (n < 0)
                return (int) n;

        while ((line = strsep(&rest, "\n"))) {
                named = named ?: line_get_path(line, "name=systemd");
                found = found ?: line_get_path(line, "");
        }

        if (!named && !found)
                return -ENODATA;

        return copy_string(ret, size, named ?: found);
}

void process_read_cgroup(const Process *process, char *ret) {
        if (process_get_cgroup(process, ret, PROCESS_CGROUP_MAX) < 0)
                ret[0] = '\0';

        make_plain(ret);
}
