/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "dma-client.h"
#include "kernel/uapi.h"

#define PCI_COMMAND 4
#define PCI_COMMAND_MEMORY_AND_MASTER 6

int dma_client_parse(const char *text, uint64_t *ret) {
        uint32_t high = 0, low;
        unsigned digits;

        if (strncmp(text, "0x", 2) != 0)
                return parse_u64(text, ret);

        text += 2;
        digits = (unsigned) strlen(text);
        if (digits == 0 || digits > 16)
                return -EINVAL;
        if (digits > 8) {
                if (parse_hex_digits(text, digits - 8, &high) < 0)
                        return -EINVAL;
                text += digits - 8;
                digits = 8;
        }
        if (parse_hex_digits(text, digits, &low) < 0)
                return -EINVAL;

        *ret = (uint64_t) high << 32 | low;
        return 0;
}

static int parse_descriptor(const char *text, int *ret) {
        uint32_t number;

        if (!text || parse_u32(text, &number) < 0 || number > INT32_MAX)
                return -EINVAL;

        *ret = (int) number;
        return 0;
}

int dma_client_allocate(size_t size, unsigned char **ret) {
        _cleanup_close_ int fd = -EBADF;
        void *memory;

        fd = memfd_create("dma-client", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (ftruncate(fd, (off_t) size) < 0)
                return -errno;

        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED)
                return -errno;

        *ret = memory;
        return 0;
}

int dma_client_map(const DmaClient *client, uint32_t ioas, uint64_t iova, const void *memory,
                   uint64_t length) {
        struct iommu_ioas_map map = {
                .size = sizeof(map),
                .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
                .ioas_id = ioas,
                .user_va = (uintptr_t) memory,
                .length = length,
                .iova = iova,
        };

        return ioctl(client->iommufd, IOMMU_IOAS_MAP, &map) < 0 ? -errno : 0;
}

static int client_bind(DmaClient *client) {
        struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = client->iommufd };
        struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
        struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };

        if (ioctl(client->device, VFIO_DEVICE_BIND_IOMMUFD, &bind) < 0)
                return -errno;
        if (ioctl(client->iommufd, IOMMU_IOAS_ALLOC, &ioas) < 0)
                return -errno;

        attach.pt_id = ioas.out_ioas_id;
        if (ioctl(client->device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) < 0)
                return -errno;

        client->device_id = bind.out_devid;
        client->ioas = ioas.out_ioas_id;
        return 0;
}

static int client_allocate(DmaClient *client, size_t size) {
        int r;

        r = dma_client_allocate(size, &client->memory);
        if (r < 0)
                return r;

        client->iova = DMA_CLIENT_IOVA;
        client->size = size;
        return dma_client_map(client, client->ioas, client->iova, client->memory, size);
}

static int open_unbound(DmaClient *client, char **arguments, size_t size) {
        int r;

        if (parse_descriptor(arguments[0], &client->iommufd) < 0 ||
            parse_descriptor(arguments[1], &client->device) < 0)
                return -EINVAL;

        r = client_bind(client);
        if (r < 0)
                return r;

        return client_allocate(client, size);
}

static int open_bound(DmaClient *client, char **arguments, size_t size) {
        if (parse_descriptor(arguments[0], &client->iommufd) < 0 ||
            parse_descriptor(arguments[1], &client->device) < 0 ||
            parse_u32(arguments[2], &client->ioas) < 0)
                return -EINVAL;

        return client_allocate(client, size);
}

static int open_mapped(DmaClient *client, char **arguments, size_t size) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        void *memory;

        if (parse_descriptor(arguments[0], &client->device) < 0 ||
            dma_client_parse(arguments[2], &client->iova) < 0)
                return -EINVAL;

        fd = open(arguments[1], O_RDWR | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size < (off_t) size)
                return -ENOSPC;

        memory = mmap(NULL, (size_t) st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED)
                return -errno;

        client->memory = memory;
        client->size = (size_t) st.st_size;
        return 0;
}

int dma_client_open(char **arguments, size_t size, DmaClient *ret) {
        static const struct {
                const char *way;
                int n_arguments;
                int (*open)(DmaClient *client, char **arguments, size_t size);
        } ways[] = {
                { "unbound", 2, open_unbound },
                { "bound", 3, open_bound },
                { "mapped", 3, open_mapped },
        };
        DmaClient client = { .iommufd = -EBADF, .device = -EBADF };
        int r;

        for (size_t i = 0; arguments[0] && i < ELEMENTSOF(ways); i++) {
                if (strcmp(arguments[0], ways[i].way) != 0)
                        continue;
                for (int j = 1; j <= ways[i].n_arguments; j++)
                        if (!arguments[j])
                                return -EINVAL;

                r = ways[i].open(&client, arguments + 1, size);
                if (r < 0)
                        return r;

                *ret = client;
                return 1 + ways[i].n_arguments;
        }

        return -EINVAL;
}

int dma_client_find_region(const DmaClient *client, uint32_t index, uint64_t *ret_offset,
                           uint64_t *ret_size) {
        struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

        if (ioctl(client->device, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
                return -errno;

        *ret_offset = info.offset;
        *ret_size = info.size;
        return 0;
}

int dma_client_enable_pci(const DmaClient *client) {
        uint64_t config = 0, size;
        uint16_t command;
        ssize_t n;
        int r;

        r = dma_client_find_region(client, VFIO_PCI_CONFIG_REGION_INDEX, &config, &size);
        if (r < 0)
                return r;

        n = pread(client->device, &command, sizeof(command), (off_t) (config + PCI_COMMAND));
        if (n < 0)
                return -errno;

        command |= PCI_COMMAND_MEMORY_AND_MASTER;
        n = pwrite(client->device, &command, sizeof(command), (off_t) (config + PCI_COMMAND));
        return n < 0 ? -errno : 0;
}

int dma_client_open_irq(const DmaClient *client, uint32_t index, int *ret) {
        union {
                struct vfio_irq_set set;
                char buffer[sizeof(struct vfio_irq_set) + sizeof(int)];
        } request = {
                .set = {
                        .argsz = sizeof(request),
                        .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                        .index = index,
                        .count = 1,
                },
        };
        _cleanup_close_ int irq = -EBADF;

        irq = eventfd(0, EFD_CLOEXEC);
        if (irq < 0)
                return -errno;

        memcpy(request.buffer + sizeof(request.set), &irq, sizeof(int));
        if (ioctl(client->device, VFIO_DEVICE_SET_IRQS, &request) < 0)
                return -errno;

        *ret = TAKE_FD(irq);
        return 0;
}

int dma_client_wait_irq(int irq) {
        struct pollfd wait = { .fd = irq, .events = POLLIN };
        uint64_t n;
        int r;

        r = poll(&wait, 1, /* timeout= */ 30 * 1000);
        if (r <= 0)
                return r < 0 ? -errno : -ETIMEDOUT;
        return read(irq, &n, sizeof(n)) < 0 ? -errno : 0;
}

void dma_client_say(const char *what, int error) {
        if (error < 0)
                printf("%s: %s\n", what, strerrorname_np(-error));
        else
                puts(what);
        (void) fflush(stdout);
}
