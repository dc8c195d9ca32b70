/* SPDX-License-Identifier: LGPL-2.1-or-later */

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

int process_reader_init(ProcessReader *reader, int proc) {
        struct stat st;

        if (fstatat(proc, "self/ns/user", &st, /* flags= */ 0) < 0)
                return -errno;

        *reader = (ProcessReader) { .proc = proc, .userns_dev = st.st_dev, .userns_ino = st.st_ino };
        return 0;
}

static int read_userns(const ProcessReader *reader, const Process *process, ProcessFacts *facts) {
        struct stat st;
        char path[64];

        snprintf(path, sizeof(path), "%s/ns/user", process->name);
        if (fstatat(process->proc, path, &st, /* flags= */ 0) < 0)
                return -errno;

        facts->own_userns = st.st_dev == reader->userns_dev && st.st_ino == reader->userns_ino;
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

int process_facts_read(
        const ProcessReader *reader, ProcessHandle *handle, unsigned wanted, Subject *subject) {
        Process process = { .proc = reader->proc };
        ProcessFacts facts = {};
        int r = 0, r2 = 0;
        char name[16];

        if (handle->pid == 0) {
                r = pidfd_get_pid(handle->pidfd, &handle->pid);
                if (r < 0)
                        return r;
        }

        snprintf(name, sizeof(name), "%d", (int) handle->pid);
        process.name = name;
        process.pid = handle->pid;
        if (wanted & SUBJECT_KNOWS_USERNS)
                r = read_userns(reader, &process, &facts);
        if (wanted & SUBJECT_KNOWS_CGROUP)
                r2 = read_cgroup(&process, &facts);

        /* Still running now means that the number was that process's all the while. */
        if (!pidfd_is_alive(handle->pidfd))
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
