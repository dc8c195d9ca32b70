/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Has QEMU's edu device read memory by DMA, or write to it, whoever has the device: root can, by way of
 * sysfs.
 *
 *     edu-poke ADDRESS IOVA [write]
 *
 * Prints "done" when the device says that it has tried. Whether it could, the kernel's log says.
 */

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"

#define BAR_SIZE (1024U * 1024)
#define SIZE 64U

/* QEMU's docs/specs/edu.rst */
#define EDU_DMA_SOURCE 0x80
#define EDU_DMA_TARGET 0x88
#define EDU_DMA_COUNT 0x90
#define EDU_DMA_COMMAND 0x98
#define EDU_DMA_START 1U
#define EDU_DMA_TO_MEMORY 2U
#define EDU_BUFFER UINT64_C(0x40000)

#define PCI_COMMAND 4
#define PCI_COMMAND_MEMORY_AND_MASTER 6

static int open_attribute(const char *address, const char *attribute) {
        char path[128];
        int fd;

        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", address, attribute);
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                perror(path);
        return fd;
}

static void put(volatile unsigned char *bar, unsigned offset, uint64_t value) {
        *(volatile uint64_t *) (bar + offset) = value;
}

int main(int argc, char *argv[]) {
        _cleanup_close_ int config = -EBADF, resource = -EBADF;
        volatile unsigned char *bar;
        uint16_t before, command;
        uint64_t iova;
        bool write;

        if (argc < 3 || argc > 4 || parse_u64(argv[2], &iova) < 0)
                return 2;

        config = open_attribute(argv[1], "config");
        resource = open_attribute(argv[1], "resource0");
        if (config < 0 || resource < 0)
                return EXIT_FAILURE;

        if (pread(config, &before, sizeof(before), PCI_COMMAND) != sizeof(before))
                return EXIT_FAILURE;
        command = before | PCI_COMMAND_MEMORY_AND_MASTER;
        if (pwrite(config, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
                return EXIT_FAILURE;

        bar = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, resource, 0);
        if (bar == MAP_FAILED) {
                perror("mmap");
                return EXIT_FAILURE;
        }

        write = argc == 4 && strcmp(argv[3], "write") == 0;
        put(bar, EDU_DMA_SOURCE, write ? EDU_BUFFER : iova);
        put(bar, EDU_DMA_TARGET, write ? iova : EDU_BUFFER);
        put(bar, EDU_DMA_COUNT, SIZE);
        put(bar, EDU_DMA_COMMAND, EDU_DMA_START | (write ? EDU_DMA_TO_MEMORY : 0));
        /* it has no interrupt where nobody has set one up */
        while (*(volatile uint64_t *) (bar + EDU_DMA_COMMAND) & EDU_DMA_START)
                (void) poll(/* fds= */ NULL, 0, /* timeout= */ 10);

        (void) pwrite(config, &before, sizeof(before), PCI_COMMAND);
        puts("done");
        return EXIT_SUCCESS;
}
