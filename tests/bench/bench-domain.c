/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What an operation on domains costs in a lease of mode confined, where iommud does it, beside a program
 * that does the same ioctls on the same device itself, and beside a call to the daemon that does nothing.
 *
 *     bench-domain BUS/NAME [ROUNDS]
 *
 * The device is on a VFIO driver, and there are as many huge pages of 2 MiB as make 1 GiB. Prints medians in
 * microseconds; of what is so large, of a few rounds only.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/memfd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/parse.h"
#include "iommud.h"
#include "kernel/uapi.h"

#define ROUNDS_MAX 1000
#define BIG_ROUNDS 5
#define BIG (UINT64_C(1) << 30)
#define IOVA UINT64_C(0x100000000)

DEFINE_CLEANUP_FUNC(iommud_client, iommud_client_free);
DEFINE_CLEANUP_FUNC(iommud_lease, iommud_lease_free);
DEFINE_CLEANUP_FUNC(iommud_request, iommud_request_free);

/* One of the two that are compared: a device that is attached to the first of two domains of one IOAS. */
typedef struct Party {
        iommud_client *client;               /* NULL: the bare program */
        const char *device;
        uint64_t lease, ioas, domains[2];
        int iommufd, fd;                     /* of the bare program; owned */
        unsigned attached;                   /* which of the two */
} Party;

/* What the memory is made of. */
typedef enum Pages {
        PAGES_SMALL,
        PAGES_HUGE,
        _PAGES_MAX,
} Pages;

typedef int (*Step)(Party *party, int memory, uint64_t size);

typedef struct Operation {
        const char *name;
        Step run, undo;                      /* of each round; the second is not counted */
        Step before, after;                  /* all of them */
        uint64_t size;                       /* 0: of no memory */
        Pages pages;
} Operation;

static uint64_t now_nsec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000000 + (uint64_t) ts.tv_nsec;
}

/* ---- the bare program */

static int call(int fd, unsigned long request, void *argument) {
        return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

static int open_cdev(const char *bus, const char *name) {
        char path[160], node[32] = "";
        _cleanup_dir_ Dir *dir = NULL;
        const char *entry;

        snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/vfio-dev", bus, name);
        if (dir_open_at(AT_FDCWD, path, &dir) < 0)
                return -ENODEV;
        while (dir_next(dir, &entry) == DIR_ENTRY)
                snprintf(node, sizeof(node), "%.31s", entry);

        snprintf(path, sizeof(path), "/dev/vfio/devices/%s", node);
        return open(path, O_RDWR | O_CLOEXEC);
}

static int bare_attach(const Party *party, uint64_t domain) {
        struct vfio_device_attach_iommufd_pt attach = {
                .argsz = sizeof(attach),
                .pt_id = (uint32_t) domain,
        };

        return call(party->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

static int bare_open(const char *bus, const char *name, Party *ret) {
        struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
        struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
        int r;

        *ret = (Party) { .device = name, .iommufd = -EBADF, .fd = -EBADF };
        ret->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
        ret->fd = open_cdev(bus, name);
        if (ret->iommufd < 0 || ret->fd < 0)
                return -ENODEV;

        bind.iommufd = ret->iommufd;
        r = call(ret->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);
        if (r >= 0)
                r = call(ret->iommufd, IOMMU_IOAS_ALLOC, &ioas);
        ret->ioas = ioas.out_ioas_id;
        for (unsigned i = 0; i < 2 && r >= 0; i++) {
                struct iommu_hwpt_alloc domain = {
                        .size = sizeof(domain),
                        .dev_id = bind.out_devid,
                        .pt_id = ioas.out_ioas_id,
                };

                r = call(ret->iommufd, IOMMU_HWPT_ALLOC, &domain);
                ret->domains[i] = domain.out_hwpt_id;
        }

        return r < 0 ? r : bare_attach(ret, ret->domains[0]);
}

/* ---- both */

static int do_map(Party *party, int memory, uint64_t size) {
        uint64_t iova = IOVA;
        struct iommu_ioas_map_file map = {
                .size = sizeof(map),
                .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
                .ioas_id = (uint32_t) party->ioas,
                .fd = memory,
                .length = size,
                .iova = IOVA,
        };

        if (!party->client)
                return call(party->iommufd, IOMMU_IOAS_MAP_FILE, &map);
        return iommud_map_file(party->client, party->lease, party->ioas, memory, 0, size,
                               IOMMUD_MAP_READ | IOMMUD_MAP_WRITE | IOMMUD_MAP_FIXED, &iova);
}

static int do_unmap(Party *party, int memory, uint64_t size) {
        struct iommu_ioas_unmap unmap = {
                .size = sizeof(unmap),
                .ioas_id = (uint32_t) party->ioas,
                .iova = IOVA,
                .length = size,
        };

        if (!party->client)
                return call(party->iommufd, IOMMU_IOAS_UNMAP, &unmap);
        return iommud_unmap(party->client, party->lease, party->ioas, IOVA, size, NULL);
}

static int do_attach(Party *party, int memory, uint64_t size) {
        uint64_t domain = party->domains[party->attached];

        return party->client ? iommud_attach(party->client, party->lease, party->device, domain, NULL)
                             : bare_attach(party, domain);
}

static int do_detach(Party *party, int memory, uint64_t size) {
        struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

        return party->client ? iommud_detach(party->client, party->lease, party->device, NULL)
                             : call(party->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

static int do_replace(Party *party, int memory, uint64_t size) {
        party->attached = !party->attached;
        return do_attach(party, memory, size);
}

static int do_nothing(Party *party, int memory, uint64_t size) {
        return 0;
}

/* What every daemon answers by itself: the version is read in Get, which does as little. */
static int do_noop(Party *party, int memory, uint64_t size) {
        char *version = NULL;
        int r;

        if (!party->client)
                return 0;

        r = iommud_get_version(party->client, &version);
        free(version);
        return r;
}

/* ---- measuring */

static int compare_nsec(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

        return x < y ? -1 : x > y;
}

static int take_step(const Operation *operation, Step step, Party *party, int memory) {
        int r;

        r = step(party, memory, operation->size);
        if (r == 0)
                return 0;

        fprintf(stderr, "%s: %s\n", operation->name,
                party->client ? iommud_error_text(party->client) : strerrordesc_np(-r));
        return -EIO;
}

static int measure(const Operation *operation, Party *party, int memory, unsigned rounds, double *ret_usec) {
        uint64_t samples[ROUNDS_MAX];
        int r;

        r = take_step(operation, operation->before, party, memory);
        for (unsigned i = 0; i < rounds && r == 0; i++) {
                uint64_t begin = now_nsec();

                r = take_step(operation, operation->run, party, memory);
                samples[i] = now_nsec() - begin;
                if (r == 0)
                        r = take_step(operation, operation->undo, party, memory);
        }
        if (r == 0)
                r = take_step(operation, operation->after, party, memory);
        if (r < 0)
                return r;

        qsort(samples, rounds, sizeof(samples[0]), compare_nsec);
        *ret_usec = (double) samples[rounds / 2] / 1000;
        return 0;
}

static int measure_all(const Operation *operations, size_t n, Party *party, const int memories[_PAGES_MAX],
                       unsigned rounds, double *ret_usec) {
        for (size_t i = 0; i < n; i++) {
                int r;

                r = measure(&operations[i], party, memories[operations[i].pages],
                            operations[i].size == BIG ? BIG_ROUNDS : rounds, &ret_usec[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int run_bare(const char *bus, const Operation *operations, size_t n, const char *name,
                    const int memories[_PAGES_MAX], unsigned rounds, double *ret_usec) {
        Party party;
        int r;

        r = bare_open(bus, name, &party);
        if (r < 0)
                fprintf(stderr, "%s can't be bound: %s\n", name, strerrordesc_np(-r));
        else
                r = measure_all(operations, n, &party, memories, rounds, ret_usec);
        close_fd(party.fd);
        close_fd(party.iommufd);
        return r;
}

static int run_iommud(const Operation *operations, size_t n, const char *name,
                      const int memories[_PAGES_MAX], unsigned rounds, double *ret_usec) {
        _cleanup_(iommud_request_freep) iommud_request *request = NULL;
        _cleanup_(iommud_client_freep) iommud_client *client = NULL;
        _cleanup_(iommud_lease_freep) iommud_lease *lease = NULL;
        Party party = { .device = name, .iommufd = -EBADF, .fd = -EBADF };
        int r;

        r = iommud_connect(NULL, &client);
        if (r == 0)
                r = iommud_request_new(&request);
        if (r == 0)
                r = iommud_request_add_device(request, name);
        if (r == 0)
                r = iommud_request_set_mode(request, "confined");
        if (r == 0)
                r = iommud_acquire(client, request, &lease);
        if (r == 0) {
                party.client = client;
                party.lease = iommud_lease_id(lease);
                party.ioas = iommud_lease_ioas(lease);
                party.domains[0] = iommud_lease_domain(lease, 0);
                r = iommud_alloc_domain(
                        client, party.lease, name, party.ioas, NULL, &party.domains[1], NULL, NULL);
        }
        if (r != 0) {
                fprintf(stderr, "%s: %s\n", name, client ? iommud_error_text(client) : "no iommud");
                return -EIO;
        }

        r = measure_all(operations, n, &party, memories, rounds, ret_usec);
        iommud_lease_free(TAKE_PTR(lease));
        return r < 0 ? r : iommud_wait(client, party.lease, UINT64_C(30000000)) == 0 ? 0 : -EIO;
}

static void print(const Operation *operation, double noop, double bare, double ours) {
        printf("%-24s bare %10.0f us, iommud %10.0f us = bare + %5.1f no-op calls", operation->name, bare,
               ours, (ours - bare) / noop);
        if (operation->size >= UINT64_C(2) << 20)
                printf(", %.0f %% of its bandwidth", bare / ours * 100);
        putchar('\n');
}

/* All of it is there before it is mapped, as the memory of a guest that has run for a while. */
static int make_memory(Pages pages) {
        unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
        _cleanup_close_ int fd = -EBADF;

        if (pages == PAGES_HUGE)
                flags |= MFD_HUGETLB | MFD_HUGE_2MB;

        fd = memfd_create("bench", flags);
        if (fd < 0 || ftruncate(fd, (off_t) BIG) < 0 || fallocate(fd, 0, 0, (off_t) BIG) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
                return -errno;

        return TAKE_FD(fd);
}

static int run(const char *bus, const char *name, unsigned rounds) {
        static const Operation operations[] = {
                { "no-op call", do_noop, do_nothing, do_nothing, do_nothing, 0, PAGES_SMALL },
                { "attach", do_attach, do_detach, do_detach, do_attach, 0, PAGES_SMALL },
                { "replace", do_replace, do_nothing, do_nothing, do_nothing, 0, PAGES_SMALL },
                { "map 4 KiB", do_map, do_unmap, do_nothing, do_nothing, 4096, PAGES_SMALL },
                { "unmap 4 KiB", do_unmap, do_map, do_map, do_unmap, 4096, PAGES_SMALL },
                { "map 2 MiB", do_map, do_unmap, do_nothing, do_nothing, UINT64_C(2) << 20, PAGES_SMALL },
                { "unmap 2 MiB", do_unmap, do_map, do_map, do_unmap, UINT64_C(2) << 20, PAGES_SMALL },
                { "map 1 GiB", do_map, do_unmap, do_nothing, do_nothing, BIG, PAGES_SMALL },
                { "unmap 1 GiB", do_unmap, do_map, do_map, do_unmap, BIG, PAGES_SMALL },
                { "map 1 GiB, huge pages", do_map, do_unmap, do_nothing, do_nothing, BIG, PAGES_HUGE },
                { "unmap 1 GiB, huge pages", do_unmap, do_map, do_map, do_unmap, BIG, PAGES_HUGE },
        };
        double bare[ELEMENTSOF(operations)] = {}, ours[ELEMENTSOF(operations)] = {};
        _cleanup_close_ int small = -EBADF, huge = -EBADF;
        int r;

        small = make_memory(PAGES_SMALL);
        if (small < 0)
                return small;
        huge = make_memory(PAGES_HUGE);
        if (huge < 0)
                return huge;

        const int memories[_PAGES_MAX] = { [PAGES_SMALL] = small, [PAGES_HUGE] = huge };

        r = run_bare(bus, operations, ELEMENTSOF(operations), name, memories, rounds, bare);
        if (r >= 0)
                r = run_iommud(operations, ELEMENTSOF(operations), name, memories, rounds, ours);
        if (r < 0)
                return r;

        printf("%s, a call that does nothing takes %.0f us\n", name, ours[0]);
        for (size_t i = 1; i < ELEMENTSOF(operations); i++)
                print(&operations[i], ours[0], bare[i], ours[i]);
        return 0;
}

int main(int argc, char *argv[]) {
        uint32_t rounds = 30;
        char *name;
        int r;

        name = argc > 1 ? strchr(argv[1], '/') : NULL;
        if (!name || (argc > 2 && (parse_u32(argv[2], &rounds) < 0 || rounds == 0 || rounds > ROUNDS_MAX))) {
                fprintf(stderr, "Usage: bench-domain BUS/NAME [ROUNDS]\n");
                return 2;
        }
        *name++ = '\0';

        r = run(argv[1], name, rounds);
        if (r < 0)
                fprintf(stderr, "bench-domain: %s\n", strerrordesc_np(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
