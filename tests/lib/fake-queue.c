/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Queues that are read from, and answered, as the kernel's are. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <systemd/sd-event.h>

#include "base/fd.h"
#include "fake-iommud.h"

#define ECHO 100

/* Whoever has the queue may have closed it. */
static void put_faults(int fd, const struct iommu_hwpt_pgfault *faults, size_t n) {
        (void) send(fd, faults, n * sizeof(*faults), MSG_NOSIGNAL);
}

/*
 * What was answered comes back as a fault of a device that nobody knows: the answer is its address. Where
 * that is answered too, in one scenario, the lease ends.
 */
static int on_answer(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct iommu_hwpt_page_response response;

        if (recv(fd, &response, sizeof(response), 0) != (ssize_t) sizeof(response))
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);       /* it was closed */

        if (response.cookie < ECHO)
                put_faults(fd, &(struct iommu_hwpt_pgfault) { .flags = IOMMU_PGFAULT_FLAGS_LAST_PAGE,
                                                              .dev_id = 99,
                                                              .addr = response.code,
                                                              .grpid = response.cookie,
                                                              .cookie = ECHO + response.cookie },
                           1);
        else if (scenario_is("faults-end") && response.cookie == ECHO + 2)
                lease_remove(userdata);

        return 0;
}

int reply_fault_queue(sd_bus_message *m) {
        static const struct iommu_hwpt_pgfault faults[] = {
                { .dev_id = 21, .addr = 0x1000, .grpid = 3, .perm = IOMMU_PGFAULT_PERM_READ, .cookie = 1 },
                { .dev_id = 21,
                  .flags = IOMMU_PGFAULT_FLAGS_LAST_PAGE | IOMMU_PGFAULT_FLAGS_PASID_VALID,
                  .pasid = 9,
                  .addr = 0x2000,
                  .grpid = 3,
                  .perm = IOMMU_PGFAULT_PERM_READ | IOMMU_PGFAULT_PERM_WRITE,
                  .cookie = 1 },
                { .dev_id = 22,
                  .flags = IOMMU_PGFAULT_FLAGS_LAST_PAGE,
                  .addr = 0x3000,
                  .grpid = 4,
                  .perm = IOMMU_PGFAULT_PERM_EXEC | IOMMU_PGFAULT_PERM_PRIV,
                  .length = 8192,
                  .cookie = 2 },
        };
        sd_bus *bus = sd_bus_message_get_bus(m);
        int pair[2], r;

        if (scenario_is("faults-none"))
                return sd_bus_reply_method_return(m, "ta{sh}a{sv}", UINT64_C(7), 0, 1, "id", "u", 21);

        check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
        put_faults(pair[0], faults, ELEMENTSOF(faults));
        check(sd_event_add_io(sd_bus_get_event(bus), NULL, pair[0], EPOLLIN, on_answer, bus));

        r = sd_bus_reply_method_return(
                m, "ta{sh}a{sv}", UINT64_C(7), 1, "fault-queue", pair[1], 1, "id", "u", 21);
        close_fd(pair[1]);
        return r;
}

static void touch(const char *folder, const char *name) {
        _cleanup_free_ char *path = NULL;

        check(asprintf(&path, "%s/%s", folder, name));
        check(mknod(path, S_IFREG | 0600, 0));
        check(unlink(path));
}

/*
 * inotify has what the kernel's queue has: two numbers at the beginning, events of any length, and no part
 * of one for whoever has too little room. The first number of the first folder is the flag of lost events.
 */
int reply_event_queue(sd_bus_message *m) {
        char lost[] = "/tmp/fake-queue-XXXXXX", others[] = "/tmp/fake-queue-XXXXXX";
        _cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

        check(fd);
        if (!mkdtemp(lost) || !mkdtemp(others))
                check(-errno);
        check(inotify_add_watch(fd, lost, IN_CREATE | IN_ONLYDIR));
        check(inotify_add_watch(fd, others, IN_CREATE | IN_ONLYDIR));
        touch(others, "a");
        touch(others, "abcdefghijklmnopqrst");
        touch(lost, "x");
        check(rmdir(lost));
        check(rmdir(others));

        return sd_bus_reply_method_return(
                m, "ta{sh}a{sv}", UINT64_C(5), 1, "event-queue", fd, 1, "id", "u", 13);
}
