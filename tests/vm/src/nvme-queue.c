/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <endian.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/uapi.h"
#include "nvme-queue.h"

/* NVM Express Base Specification: controller properties, and commands to make queues with */
#define NVME_CAPABILITIES 0x00
#define NVME_CONFIGURATION 0x14
#define NVME_STATUS 0x1c
#define NVME_ADMIN_ATTRIBUTES 0x24
#define NVME_ADMIN_SUBMISSIONS 0x28
#define NVME_ADMIN_COMPLETIONS 0x30
#define NVME_DOORBELLS 0x1000

#define NVME_ENABLE 1U
#define NVME_ENTRY_SIZES (4U << 20 | 6U << 16) /* 16 bytes of a completion, 64 of a submission */
#define NVME_READY 1U
#define NVME_FATAL 2U

#define NVME_CREATE_SUBMISSIONS 0x01
#define NVME_CREATE_COMPLETIONS 0x05
#define NVME_CONTIGUOUS 1U
#define NVME_INTERRUPTS 2U

#define SUBMISSION_SIZE 64
#define COMPLETION_SIZE 16

#define READY_SEC 30
#define LOOK_MSEC 100
#define LOOKS (30 * 1000 / LOOK_MSEC)

static int register_read(const Nvme *nvme, uint64_t offset, uint32_t *ret) {
        ssize_t n;

        n = pread(nvme->client->device, ret, sizeof(*ret), (off_t) (nvme->registers + offset));
        return n < 0 ? -errno : 0;
}

static int register_write(const Nvme *nvme, uint64_t offset, uint32_t value) {
        ssize_t n;

        n = pwrite(nvme->client->device, &value, sizeof(value), (off_t) (nvme->registers + offset));
        return n < 0 ? -errno : 0;
}

static int register_write_address(const Nvme *nvme, uint64_t offset, uint64_t value) {
        int r;

        r = register_write(nvme, offset, (uint32_t) value);
        return r < 0 ? r : register_write(nvme, offset + sizeof(uint32_t), (uint32_t) (value >> 32));
}

/* It gets there by itself, and no interrupt says so. */
static int wait_ready(const Nvme *nvme, uint32_t ready) {
        struct timespec begin, now;
        uint32_t status;
        int r;

        (void) clock_gettime(CLOCK_MONOTONIC, &begin);
        do {
                r = register_read(nvme, NVME_STATUS, &status);
                if (r < 0)
                        return r;
                if ((status & NVME_READY) == ready)
                        return 0;

                (void) sched_yield();
                (void) clock_gettime(CLOCK_MONOTONIC, &now);
        } while (now.tv_sec - begin.tv_sec < READY_SEC);

        return -ETIMEDOUT;
}

static uint64_t iova_of(const Nvme *nvme, const unsigned char *memory) {
        return nvme->client->iova + (uint64_t) (memory - nvme->client->memory);
}

static int ring(const Nvme *nvme, unsigned queue, bool completions, unsigned value) {
        uint64_t offset = NVME_DOORBELLS + (uint64_t) (2 * queue + completions) * nvme->doorbell_stride;

        return register_write(nvme, offset, value);
}

static void put_command(NvmeQueue *queue, const NvmeCommand *command) {
        unsigned char *entry = queue->submissions + (size_t) queue->tail * SUBMISSION_SIZE;
        const struct {
                unsigned offset;
                uint64_t value;
        } wide[] = { { 24, command->prp1 }, { 32, command->prp2 } };
        const struct {
                unsigned offset;
                uint32_t value;
        } narrow[] = {
                { 0, command->opcode | (uint32_t) queue->tail << 16 }, /* and an id, which nobody needs */
                { 4, command->namespace },
                { 40, command->cdw10 },
                { 44, command->cdw11 },
                { 48, command->cdw12 },
        };

        memset(entry, 0, SUBMISSION_SIZE);
        for (size_t i = 0; i < ELEMENTSOF(wide); i++) {
                uint64_t value = htole64(wide[i].value);

                memcpy(entry + wide[i].offset, &value, sizeof(value));
        }
        for (size_t i = 0; i < ELEMENTSOF(narrow); i++) {
                uint32_t value = htole32(narrow[i].value);

                memcpy(entry + narrow[i].offset, &value, sizeof(value));
        }

        queue->tail = (queue->tail + 1) % NVME_QUEUE_ENTRIES;
}

/* The status of the next completion, with the bit of its phase; false: there is none yet. */
static bool take_completion(NvmeQueue *queue, uint16_t *ret_status) {
        const uint16_t *word = (const uint16_t *) (const void *) (queue->completions +
                (size_t) queue->head * COMPLETION_SIZE + 14);
        uint16_t status = le16toh(__atomic_load_n(word, __ATOMIC_ACQUIRE));

        if ((status & 1) != queue->phase)
                return false;

        queue->head = (queue->head + 1) % NVME_QUEUE_ENTRIES;
        if (queue->head == 0)
                queue->phase = !queue->phase;
        *ret_status = status;
        return true;
}

int nvme_begin(Nvme *nvme, unsigned queue, const NvmeCommand *command) {
        NvmeQueue *q = &nvme->queues[queue];

        put_command(q, command);
        return ring(nvme, queue, /* completions= */ false, q->tail);
}

/* A controller that could not reach its queues has no way to say so but its status. */
static int wait_irq(const Nvme *nvme) {
        struct pollfd wait = { .fd = nvme->irq, .events = POLLIN };
        uint32_t status;
        uint64_t n;
        int r;

        for (unsigned i = 0; i < LOOKS; i++) {
                r = poll(&wait, 1, LOOK_MSEC);
                if (r < 0)
                        return -errno;
                if (r > 0)
                        return read(nvme->irq, &n, sizeof(n)) < 0 ? -errno : 0;

                r = register_read(nvme, NVME_STATUS, &status);
                if (r < 0)
                        return r;
                if (status & NVME_FATAL)
                        return -EIO;
        }

        return -ETIMEDOUT;
}

int nvme_end(Nvme *nvme, unsigned queue) {
        NvmeQueue *q = &nvme->queues[queue];
        uint16_t status;
        int r;

        while (!take_completion(q, &status)) {
                r = wait_irq(nvme);
                if (r < 0)
                        return r;
        }

        r = ring(nvme, queue, /* completions= */ true, q->head);
        return r < 0 ? r : status >> 1;
}

int nvme_execute(Nvme *nvme, unsigned queue, const NvmeCommand *command) {
        int r;

        r = nvme_begin(nvme, queue, command);
        return r < 0 ? r : nvme_end(nvme, queue);
}

static int start_controller(Nvme *nvme) {
        uint32_t capabilities;
        int r;

        r = register_read(nvme, NVME_CAPABILITIES + sizeof(uint32_t), &capabilities);
        if (r < 0)
                return r;
        nvme->doorbell_stride = 4U << (capabilities & 0xf);

        r = register_write(nvme, NVME_CONFIGURATION, 0);
        if (r < 0)
                return r;
        r = wait_ready(nvme, 0);
        if (r < 0)
                return r;

        r = register_write(
                nvme, NVME_ADMIN_ATTRIBUTES, (NVME_QUEUE_ENTRIES - 1) << 16 | (NVME_QUEUE_ENTRIES - 1));
        if (r < 0)
                return r;
        r = register_write_address(
                nvme, NVME_ADMIN_SUBMISSIONS, iova_of(nvme, nvme->queues[NVME_ADMIN].submissions));
        if (r < 0)
                return r;
        r = register_write_address(
                nvme, NVME_ADMIN_COMPLETIONS, iova_of(nvme, nvme->queues[NVME_ADMIN].completions));
        if (r < 0)
                return r;

        r = register_write(nvme, NVME_CONFIGURATION, NVME_ENTRY_SIZES | NVME_ENABLE);
        return r < 0 ? r : wait_ready(nvme, NVME_READY);
}

static int create_io_queues(Nvme *nvme) {
        const NvmeQueue *queue = &nvme->queues[NVME_IO];
        const NvmeCommand commands[] = {
                {
                        .opcode = NVME_CREATE_COMPLETIONS,
                        .prp1 = iova_of(nvme, queue->completions),
                        .cdw10 = (NVME_QUEUE_ENTRIES - 1) << 16 | NVME_IO,
                        .cdw11 = NVME_INTERRUPTS | NVME_CONTIGUOUS,
                },
                {
                        .opcode = NVME_CREATE_SUBMISSIONS,
                        .prp1 = iova_of(nvme, queue->submissions),
                        .cdw10 = (NVME_QUEUE_ENTRIES - 1) << 16 | NVME_IO,
                        .cdw11 = NVME_IO << 16 | NVME_CONTIGUOUS,
                },
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
                r = nvme_execute(nvme, NVME_ADMIN, &commands[i]);
                if (r != 0)
                        return r < 0 ? r : -EIO;
        }

        return 0;
}

int nvme_open(const DmaClient *client, Nvme *ret) {
        Nvme nvme = { .client = client, .irq = -EBADF };
        uint64_t size;
        int r;

        r = dma_client_enable_pci(client);
        if (r < 0)
                return r;
        r = dma_client_find_region(client, VFIO_PCI_BAR0_REGION_INDEX, &nvme.registers, &size);
        if (r < 0)
                return r;
        r = dma_client_open_irq(client, VFIO_PCI_MSIX_IRQ_INDEX, &nvme.irq);
        if (r < 0)
                return r;

        memset(client->memory, 0, (size_t) NVME_QUEUE_PAGES * DMA_CLIENT_PAGE);
        for (unsigned i = 0; i < _NVME_QUEUES; i++)
                nvme.queues[i] = (NvmeQueue) {
                        .submissions = client->memory + (size_t) 2 * i * DMA_CLIENT_PAGE,
                        .completions = client->memory + (size_t) (2 * i + 1) * DMA_CLIENT_PAGE,
                        .phase = true,
                };

        r = start_controller(&nvme);
        if (r < 0)
                return r;
        r = create_io_queues(&nvme);
        if (r < 0)
                return r;

        *ret = nvme;
        return 0;
}
