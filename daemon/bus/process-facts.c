/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cgroup-unit.h"
#include "base/fd.h"
#include "base/pidfd.h"
#include "base/process.h"
#include "bus/process-facts.h"
#include "core/subject.h"

/* Of a process, by its number. */
typedef struct ProcessFacts {
        unsigned known;
        bool own_userns;
        char cgroup[SUBJECT_CGROUP_MAX];
} ProcessFacts;

static int read_userns(const Process *process, ProcessFacts *facts) {
        struct stat ours, theirs;
        char path[64];

        snprintf(path, sizeof(path), "%s/ns/user", process->name);
        if (fstatat(process->proc, path, &theirs, /* flags= */ 0) < 0 ||
            fstatat(process->proc, "self/ns/user", &ours, /* flags= */ 0) < 0)
                return -errno;

        facts->own_userns = ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
        facts->known |= SUBJECT_KNOWS_USERNS;
        return 0;
}

static int read_cgroup(const Process *process, ProcessFacts *facts) {
        int r;

        r = process_get_cgroup(process, facts->cgroup, sizeof(facts->cgroup));
        if (r < 0)
                return r;

        /* Outside of the tree that we are in, as it is for us in a container: from where, we can't know. */
        if (strncmp(facts->cgroup, "/..", 3) == 0 && (facts->cgroup[3] == '/' || !facts->cgroup[3]))
                return -EXDEV;

        facts->known |= SUBJECT_KNOWS_CGROUP;
        return 0;
}

static bool pidfd_is_alive(int pidfd) {
        struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

        return poll(&poll_fd, 1, 0) == 0;
}

int process_facts_read(int pidfd, Subject *subject) {
        _cleanup_close_ int proc = -EBADF;
        ProcessFacts facts = {};
        char name[16];
        int r, r2;
        pid_t pid;

        r = pidfd_get_pid(pidfd, &pid);
        if (r < 0)
                return r;

        proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc < 0)
                return -errno;

        snprintf(name, sizeof(name), "%d", (int) pid);
        r = read_userns(&(Process) { .proc = proc, .name = name, .pid = pid }, &facts);
        r2 = read_cgroup(&(Process) { .proc = proc, .name = name, .pid = pid }, &facts);

        /* Still running now means that the number was that process's all the while. */
        if (!pidfd_is_alive(pidfd))
                return -ESRCH;

        subject->known |= facts.known;
        subject->own_userns = facts.own_userns;
        if (facts.known & SUBJECT_KNOWS_CGROUP) {
                strcpy(subject->cgroup, facts.cgroup);
                cgroup_get_unit(facts.cgroup, subject->unit, sizeof(subject->unit));
                cgroup_get_slice(facts.cgroup, subject->slice, sizeof(subject->slice));
        }

        return r < 0 ? r : r2;
}
