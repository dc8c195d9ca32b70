/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A driver in userspace for NVMe, which only reads.
 *
 *     nvme-client WAY ARGUMENT…         see dma-client.h; a FILE must have 64 pages
 *
 * Says "ready", and reads commands, a line each. Numbers are decimal, or hexadecimal behind "0x":
 *
 *     identify               "serial SERIAL blocks N size BYTES", of namespace 1
 *     text BLOCK             "text …", with which the block begins, up to its first zero
 *     save BLOCKS FILE       the first ones of the disk, into a new file: "saved BYTES"
 *     read BLOCK IOVA        one block, to wherever it is asked for: "changed 1" is how many pages of the
 *                            memory have changed, "failed STATUS" what the disk says
 *
 *     map IOAS               maps its memory in another one as well, at the same place: "mapped"
 *     stream                 reads a block again and again: "streaming"; until the next line, to which it
 *                            says "reads N failed N unchanged N lost N": the disk has said that it failed;
 *                            it has not, but nothing has arrived; no answer came any more
 *     race N DOMAIN DOMAIN   the same N times, and while the disk is at it the device is moved from one
 *                            domain of the kernel's number to the other
 *     canary                 the memory gets a pattern: "painted"
 *     check                  how many pages of it have changed since: "changed N"
 *
 * What fails otherwise is answered with the command's name and an errno.
 */

#include <endian.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kernel/uapi.h"
#include "nvme-queue.h"

#define MEMORY_SIZE ((size_t) 64 * DMA_CLIENT_PAGE)
#define NAMESPACE 1
#define PAINT 0xa5

#define NVME_IDENTIFY 0x06
#define NVME_IDENTIFY_NAMESPACE 0
#define NVME_IDENTIFY_CONTROLLER 1
#define NVME_READ 0x02

#define SERIAL_OFFSET 4
#define SERIAL_LENGTH 20
#define FORMAT_OFFSET 26                        /* the number of the one that is in use */
#define FORMATS_OFFSET 128

typedef struct Disk {
        DmaClient client;
        Nvme nvme;
        char serial[SERIAL_LENGTH + 1];
        uint64_t n_blocks;
        uint32_t block_size;
        unsigned char *data;                    /* a page for what is read, behind the queues */
        uint64_t data_iova;
} Disk;

static int disk_identify(Disk *disk, uint32_t what, uint32_t namespace) {
        const NvmeCommand command = {
                .opcode = NVME_IDENTIFY,
                .namespace = namespace,
                .prp1 = disk->data_iova,
                .cdw10 = what,
        };
        int r;

        r = nvme_execute(&disk->nvme, NVME_ADMIN, &command);
        return r > 0 ? -EIO : r;
}

static NvmeCommand read_command(uint64_t block, uint32_t n, uint64_t iova) {
        return (NvmeCommand) {
                .opcode = NVME_READ,
                .namespace = NAMESPACE,
                .prp1 = iova,
                .cdw10 = (uint32_t) block,
                .cdw11 = (uint32_t) (block >> 32),
                .cdw12 = n - 1,
        };
}

static int disk_read(Disk *disk, uint64_t block, uint32_t n, uint64_t iova) {
        const NvmeCommand command = read_command(block, n, iova);

        return nvme_execute(&disk->nvme, NVME_IO, &command);
}

static int disk_learn(Disk *disk) {
        unsigned format;
        size_t n;
        int r;

        r = disk_identify(disk, NVME_IDENTIFY_CONTROLLER, /* namespace= */ 0);
        if (r < 0)
                return r;
        memcpy(disk->serial, disk->data + SERIAL_OFFSET, SERIAL_LENGTH);
        for (n = SERIAL_LENGTH; n > 0 && disk->serial[n - 1] == ' '; n--)
                disk->serial[n - 1] = '\0';

        r = disk_identify(disk, NVME_IDENTIFY_NAMESPACE, NAMESPACE);
        if (r < 0)
                return r;
        memcpy(&disk->n_blocks, disk->data, sizeof(disk->n_blocks));
        disk->n_blocks = le64toh(disk->n_blocks);
        format = disk->data[FORMAT_OFFSET] & 0xf;
        disk->block_size = 1U << (disk->data[FORMATS_OFFSET + 4 * format + 2] & 0x1f);
        return disk->block_size <= DMA_CLIENT_PAGE ? 0 : -EOPNOTSUPP;
}

static int disk_open(Disk *disk, char **arguments) {
        int n, r;

        n = dma_client_open(arguments, MEMORY_SIZE, &disk->client);
        if (n < 0)
                return n;
        if (arguments[n])
                return -EINVAL;

        disk->data = disk->client.memory + (size_t) NVME_QUEUE_PAGES * DMA_CLIENT_PAGE;
        disk->data_iova = disk->client.iova + (uint64_t) NVME_QUEUE_PAGES * DMA_CLIENT_PAGE;
        r = nvme_open(&disk->client, &disk->nvme);
        return r < 0 ? r : disk_learn(disk);
}

static int do_identify(Disk *disk, _unused_ const char *first, _unused_ const char *second,
                       _unused_ const char *third) {
        printf("serial %s blocks %" PRIu64 " size %" PRIu32 "\n", disk->serial, disk->n_blocks,
               disk->block_size);
        return 0;
}

static int do_text(Disk *disk, const char *first, _unused_ const char *second, _unused_ const char *third) {
        uint64_t block;
        int r;

        if (dma_client_parse(first, &block) < 0)
                return -EINVAL;
        r = disk_read(disk, block, 1, disk->data_iova);
        if (r != 0)
                return r < 0 ? r : -EIO;

        printf("text %.*s\n", (int) disk->block_size, (const char *) disk->data);
        return 0;
}

/* Page by page */
static int do_save(Disk *disk, const char *first, const char *second, _unused_ const char *third) {
        uint32_t n_page = DMA_CLIENT_PAGE / disk->block_size;
        _cleanup_close_ int fd = -EBADF;
        uint64_t n_blocks;
        int r;

        if (dma_client_parse(first, &n_blocks) < 0)
                return -EINVAL;
        fd = open(second, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;

        for (uint64_t block = 0; block < n_blocks; block += n_page) {
                uint32_t n = n_blocks - block < n_page ? (uint32_t) (n_blocks - block) : n_page;

                r = disk_read(disk, block, n, disk->data_iova);
                if (r != 0)
                        return r < 0 ? r : -EIO;
                if (write(fd, disk->data, (size_t) n * disk->block_size) !=
                    (ssize_t) ((size_t) n * disk->block_size))
                        return errno > 0 ? -errno : -ENOSPC;
        }

        printf("saved %" PRIu64 "\n", n_blocks * disk->block_size);
        return 0;
}

static size_t disk_data_size(const Disk *disk) {
        return disk->client.size - (size_t) (disk->data - disk->client.memory);
}

static size_t count_changed(const Disk *disk) {
        size_t n = 0, last = SIZE_MAX;

        for (size_t i = 0; i < disk_data_size(disk); i++)
                if (disk->data[i] != PAINT && i / DMA_CLIENT_PAGE != last) {
                        last = i / DMA_CLIENT_PAGE;
                        n++;
                }

        return n;
}

static int do_read(Disk *disk, const char *first, const char *second, _unused_ const char *third) {
        uint64_t block, iova;
        int r;

        if (dma_client_parse(first, &block) < 0 || dma_client_parse(second, &iova) < 0)
                return -EINVAL;

        memset(disk->data, PAINT, disk_data_size(disk));
        r = disk_read(disk, block, 1, iova);
        if (r < 0)
                return r;

        if (r > 0)
                printf("failed 0x%x\n", (unsigned) r);
        else
                printf("changed %zu\n", count_changed(disk));
        return 0;
}

static int do_map(Disk *disk, const char *first, _unused_ const char *second, _unused_ const char *third) {
        const DmaClient *client = &disk->client;
        uint64_t ioas;
        int r;

        if (dma_client_parse(first, &ioas) < 0)
                return -EINVAL;
        r = dma_client_map(client, (uint32_t) ioas, client->iova, client->memory, client->size);
        if (r >= 0)
                puts("mapped");
        return r;
}

/* ---- many reads, while something is done with the domain */

typedef struct Reads {
        unsigned char expected[DMA_CLIENT_PAGE];       /* what the block has */
        uint64_t n, n_failed, n_unchanged, n_lost;
} Reads;

static int reads_begin(Disk *disk, Reads *reads) {
        int r;

        *reads = (Reads) {};
        r = disk_read(disk, 0, 1, disk->data_iova);
        if (r != 0)
                return r < 0 ? r : -EIO;

        memcpy(reads->expected, disk->data, disk->block_size);
        return 0;
}

/* One of them, with a move to @target under way if that is not 0. */
static int reads_next(Disk *disk, Reads *reads, uint32_t target) {
        struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach), .pt_id = target };
        const NvmeCommand command = read_command(0, 1, disk->data_iova);
        int r;

        memset(disk->data, PAINT, disk->block_size);
        r = nvme_begin(&disk->nvme, NVME_IO, &command);
        if (r < 0)
                return r;
        if (target != 0 && ioctl(disk->client.device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) < 0)
                return -errno;

        r = nvme_end(&disk->nvme, NVME_IO);
        if (r < 0 && r != -EIO && r != -ETIMEDOUT)
                return r;

        reads->n++;
        if (r < 0)
                reads->n_lost++;
        else if (r > 0)
                reads->n_failed++;
        else if (memcmp(disk->data, reads->expected, disk->block_size) != 0)
                reads->n_unchanged++;
        return 0;
}

static void reads_print(const Reads *reads) {
        printf("reads %" PRIu64 " failed %" PRIu64 " unchanged %" PRIu64 " lost %" PRIu64 "\n", reads->n,
               reads->n_failed, reads->n_unchanged, reads->n_lost);
}

static int do_stream(Disk *disk, _unused_ const char *first, _unused_ const char *second,
                     _unused_ const char *third) {
        struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
        char line[32];
        Reads reads;
        int r;

        r = reads_begin(disk, &reads);
        if (r < 0)
                return r;
        dma_client_say("streaming", 0);

        while (reads.n_lost == 0 && poll(&input, 1, /* timeout= */ 0) == 0) {
                r = reads_next(disk, &reads, /* target= */ 0);
                if (r < 0)
                        return r;
        }
        if (!fgets(line, sizeof(line), stdin))
                return -EPIPE;

        reads_print(&reads);
        return 0;
}

static int do_race(Disk *disk, const char *first, const char *second, const char *third) {
        uint64_t n, targets[2];
        Reads reads;
        int r;

        if (dma_client_parse(first, &n) < 0 || dma_client_parse(second, &targets[0]) < 0 ||
            dma_client_parse(third, &targets[1]) < 0)
                return -EINVAL;
        r = reads_begin(disk, &reads);
        if (r < 0)
                return r;

        while (reads.n < n && reads.n_lost == 0) {
                r = reads_next(disk, &reads, (uint32_t) targets[reads.n % 2]);
                if (r < 0)
                        return r;
        }

        reads_print(&reads);
        return 0;
}

static int do_canary(Disk *disk, _unused_ const char *first, _unused_ const char *second,
                     _unused_ const char *third) {
        memset(disk->data, PAINT, disk_data_size(disk));
        puts("painted");
        return 0;
}

static int do_check(Disk *disk, _unused_ const char *first, _unused_ const char *second,
                    _unused_ const char *third) {
        printf("changed %zu\n", count_changed(disk));
        return 0;
}

static const struct {
        const char *name;
        int n_arguments;
        int (*run)(Disk *disk, const char *first, const char *second, const char *third);
} commands[] = {
        { "identify", 0, do_identify },
        { "text", 1, do_text },
        { "save", 2, do_save },
        { "read", 2, do_read },
        { "map", 1, do_map },
        { "stream", 0, do_stream },
        { "race", 3, do_race },
        { "canary", 0, do_canary },
        { "check", 0, do_check },
};

static int run_command(
        Disk *disk, const char *line, char *name, char *first, char *second, char *third) {
        int n;

        n = sscanf(line, "%15s %255s %255s %255s", name, first, second, third);
        for (size_t i = 0; n >= 1 && i < ELEMENTSOF(commands); i++)
                if (strcmp(name, commands[i].name) == 0)
                        return n == 1 + commands[i].n_arguments ? commands[i].run(disk, first, second, third)
                                                                : -EINVAL;

        return -ENOSYS;
}

int main(_unused_ int argc, char *argv[]) {
        char line[900], name[16] = "", first[256], second[256], third[256];
        Disk disk = {};
        int r;

        r = disk_open(&disk, argv + 1);
        dma_client_say("ready", r);
        if (r < 0)
                return EXIT_FAILURE;

        while (fgets(line, sizeof(line), stdin)) {
                r = run_command(&disk, line, name, first, second, third);
                if (r < 0)
                        dma_client_say(name, r);
                (void) fflush(stdout);
        }

        return EXIT_SUCCESS;
}
