/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A driver in userspace for QEMU's edu device, that does DMA when it is told to.
 *
 *     edu-dma IOMMUFD DEVICE
 *
 * Binds and attaches the device, says "ready", and reads commands, a line each:
 *
 *     dma      a page goes from memory to the device and from there to another page, each way with an
 *              interrupt at its end; "dma ok" when it has arrived
 *     map      maps the device's registers and closes both descriptors: "mapped". Nothing else can be
 *              done then.
 *     exit
 */

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "kernel/uapi.h"

#define PAGE 4096U
#define IOVA UINT64_C(0x100000) /* edu has 28 bits of address */

/* QEMU's docs/specs/edu.rst */
#define EDU_IRQ_ACKNOWLEDGE 0x64
#define EDU_DMA_SOURCE 0x80
#define EDU_DMA_TARGET 0x88
#define EDU_DMA_COUNT 0x90
#define EDU_DMA_COMMAND 0x98
#define EDU_DMA_START 1U
#define EDU_DMA_TO_MEMORY 2U
#define EDU_DMA_INTERRUPT 4U
#define EDU_DMA_IRQ 0x100U
#define EDU_BUFFER UINT64_C(0x40000)

#define PCI_COMMAND 4
#define PCI_COMMAND_MEMORY_AND_MASTER 6

typedef struct Edu {
        int iommufd, device;
        int irq;                    /* eventfd */
        uint64_t config, registers; /* offsets of regions in the device's descriptor */
        uint64_t registers_size;
        unsigned char *memory; /* two pages, mapped for the device at IOVA */
} Edu;

static int edu_bind(Edu *edu) {
        struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = edu->iommufd };
        struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
        struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
        struct iommu_ioas_map map = {
                .size = sizeof(map),
                .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
                .length = 2 * (uint64_t) PAGE,
                .iova = IOVA,
        };

        if (ioctl(edu->device, VFIO_DEVICE_BIND_IOMMUFD, &bind) < 0)
                return -errno;
        if (ioctl(edu->iommufd, IOMMU_IOAS_ALLOC, &ioas) < 0)
                return -errno;

        attach.pt_id = ioas.out_ioas_id;
        if (ioctl(edu->device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) < 0)
                return -errno;

        edu->memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (edu->memory == MAP_FAILED)
                return -errno;

        map.ioas_id = ioas.out_ioas_id;
        map.user_va = (uintptr_t) edu->memory;
        return ioctl(edu->iommufd, IOMMU_IOAS_MAP, &map) < 0 ? -errno : 0;
}

static int edu_enable(Edu *edu) {
        struct vfio_region_info config = { .argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX };
        struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX };
        uint16_t command;

        if (ioctl(edu->device, VFIO_DEVICE_GET_REGION_INFO, &config) < 0 ||
                ioctl(edu->device, VFIO_DEVICE_GET_REGION_INFO, &bar) < 0)
                return -errno;
        edu->config = config.offset;
        edu->registers = bar.offset;
        edu->registers_size = bar.size;

        if (pread(edu->device, &command, sizeof(command), (off_t) (edu->config + PCI_COMMAND)) < 0)
                return -errno;
        command |= PCI_COMMAND_MEMORY_AND_MASTER;
        if (pwrite(edu->device, &command, sizeof(command), (off_t) (edu->config + PCI_COMMAND)) < 0)
                return -errno;

        return 0;
}

static int edu_enable_irq(Edu *edu) {
        union {
                struct vfio_irq_set set;
                char buffer[sizeof(struct vfio_irq_set) + sizeof(int)];
        } request = {
                .set = {
                        .argsz = sizeof(request),
                        .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                        .index = VFIO_PCI_MSI_IRQ_INDEX,
                        .count = 1,
                },
        };

        edu->irq = eventfd(0, EFD_CLOEXEC);
        if (edu->irq < 0)
                return -errno;

        memcpy(request.buffer + sizeof(request.set), &edu->irq, sizeof(int));
        return ioctl(edu->device, VFIO_DEVICE_SET_IRQS, &request) < 0 ? -errno : 0;
}

static int edu_write(const Edu *edu, uint64_t offset, uint64_t value, size_t size) {
        return pwrite(edu->device, &value, size, (off_t) (edu->registers + offset)) < 0 ? -errno : 0;
}

static int edu_wait(const Edu *edu) {
        struct pollfd irq = { .fd = edu->irq, .events = POLLIN };
        uint64_t n;
        int r;

        r = poll(&irq, 1, /* timeout= */ 30 * 1000);
        if (r <= 0)
                return r < 0 ? -errno : -ETIMEDOUT;
        if (read(edu->irq, &n, sizeof(n)) < 0)
                return -errno;

        return edu_write(edu, EDU_IRQ_ACKNOWLEDGE, EDU_DMA_IRQ, sizeof(uint32_t));
}

static int edu_copy(const Edu *edu, uint64_t from, uint64_t to, uint64_t direction) {
        const struct {
                uint64_t offset, value;
        } writes[] = {
                { EDU_DMA_SOURCE, from },
                { EDU_DMA_TARGET, to },
                { EDU_DMA_COUNT, PAGE },
                { EDU_DMA_COMMAND, EDU_DMA_START | EDU_DMA_INTERRUPT | direction },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(writes); i++) {
                r = edu_write(edu, writes[i].offset, writes[i].value, sizeof(writes[i].value));
                if (r < 0)
                        return r;
        }

        return edu_wait(edu);
}

static int edu_dma(const Edu *edu) {
        static unsigned round = 0;
        int r;

        round++;
        for (unsigned i = 0; i < PAGE; i++)
                edu->memory[i] = (unsigned char) (i * 7 + round);
        memset(edu->memory + PAGE, 0, PAGE);

        r = edu_copy(edu, IOVA, EDU_BUFFER, 0);
        if (r < 0)
                return r;
        r = edu_copy(edu, EDU_BUFFER, IOVA + PAGE, EDU_DMA_TO_MEMORY);
        if (r < 0)
                return r;

        return memcmp(edu->memory, edu->memory + PAGE, PAGE) == 0 ? 0 : -EBADMSG;
}

static int edu_map(Edu *edu) {
        void *p;

        p = mmap(NULL, edu->registers_size, PROT_READ | PROT_WRITE, MAP_SHARED, edu->device,
                (off_t) edu->registers);
        if (p == MAP_FAILED)
                return -errno;

        edu->device = close_fd(edu->device);
        edu->iommufd = close_fd(edu->iommufd);
        return 0;
}

static void say(const char *what, int r) {
        if (r < 0)
                printf("%s: %s\n", what, strerrorname_np(-r));
        else
                puts(what);
        (void) fflush(stdout);
}

int main(int argc, char *argv[]) {
        Edu edu = { .iommufd = -EBADF, .device = -EBADF, .irq = -EBADF };
        uint32_t iommufd, device;
        char line[16];
        int r;

        if (argc != 3 || parse_u32(argv[1], &iommufd) < 0 || parse_u32(argv[2], &device) < 0)
                return 2;
        edu.iommufd = (int) iommufd;
        edu.device = (int) device;

        r = edu_bind(&edu);
        if (r >= 0)
                r = edu_enable(&edu);
        if (r >= 0)
                r = edu_enable_irq(&edu);
        say("ready", r);
        if (r < 0)
                return EXIT_FAILURE;

        while (fgets(line, sizeof(line), stdin)) {
                if (strcmp(line, "dma\n") == 0)
                        say("dma ok", edu_dma(&edu));
                else if (strcmp(line, "map\n") == 0)
                        say("mapped", edu_map(&edu));
                else if (strcmp(line, "exit\n") == 0)
                        break;
        }

        return EXIT_SUCCESS;
}
