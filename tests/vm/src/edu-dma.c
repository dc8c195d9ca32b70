/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A driver in userspace for QEMU's edu device, that does DMA when it is told to.
 *
 *     edu-dma WAY ARGUMENT…             see dma-client.h; a FILE must have two pages
 *
 * Says "ready", and reads commands, a line each:
 *
 *     dma            a page goes from memory to the device and from there to another page, each way with
 *                    an interrupt at its end; "dma ok" when it has arrived
 *     reach [IOVA]   the device is told to write a page to its memory, or to somewhere else: "reached 1" is
 *                    how many of the pages of this process have changed
 *     outside        the same for what is next to its memory, for 0, and for where a page is that this
 *                    process has and the device has not, in both directions: "outside ok" when none of its
 *                    pages has changed, and the device knows nothing of that one
 *     enable         the device may do DMA, if somebody has switched that off: "enabled"
 *     map            maps the device's registers and closes both descriptors: "mapped". Nothing else can be
 *                    done then.
 *     exit
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dma-client.h"
#include "kernel/uapi.h"

#define PAGE DMA_CLIENT_PAGE
#define MEMORY_PAGES 2
#define CANARY_PAGES 2

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
#define EDU_ADDRESSES UINT64_C(0xfffffff) /* it has no more of them */

typedef struct Edu {
        DmaClient client;
        int irq;
        uint64_t registers, registers_size;     /* in the device's descriptor */
        unsigned char *canaries;                /* not mapped for the device, never */
} Edu;

static int edu_write(const Edu *edu, uint64_t offset, uint64_t value, size_t size) {
        ssize_t n;

        n = pwrite(edu->client.device, &value, size, (off_t) (edu->registers + offset));
        return n < 0 ? -errno : 0;
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

        r = dma_client_wait_irq(edu->irq);
        return r < 0 ? r : edu_write(edu, EDU_IRQ_ACKNOWLEDGE, EDU_DMA_IRQ, sizeof(uint32_t));
}

static int edu_dma(const Edu *edu) {
        unsigned char *memory = edu->client.memory;
        static unsigned round = 0;
        int r;

        round++;
        for (unsigned i = 0; i < PAGE; i++)
                memory[i] = (unsigned char) (i * 7 + round);
        memset(memory + PAGE, 0, PAGE);

        r = edu_copy(edu, edu->client.iova, EDU_BUFFER, 0);
        if (r < 0)
                return r;
        r = edu_copy(edu, EDU_BUFFER, edu->client.iova + PAGE, EDU_DMA_TO_MEMORY);
        if (r < 0)
                return r;

        return memcmp(memory, memory + PAGE, PAGE) == 0 ? 0 : -EBADMSG;
}

/* Every page has a byte of its own, and the device's buffer yet another. */
static void paint(const Edu *edu) {
        for (unsigned i = 0; i < MEMORY_PAGES; i++)
                memset(edu->client.memory + (size_t) i * PAGE, (int) (0x10 + i), PAGE);
        for (unsigned i = 0; i < CANARY_PAGES; i++)
                memset(edu->canaries + (size_t) i * PAGE, (int) (0xc0 + i), PAGE);
}

static bool page_has(const unsigned char *page, unsigned char byte) {
        for (unsigned i = 0; i < PAGE; i++)
                if (page[i] != byte)
                        return false;

        return true;
}

static unsigned count_changed(const Edu *edu) {
        unsigned n = 0;

        for (unsigned i = 0; i < MEMORY_PAGES; i++)
                n += !page_has(edu->client.memory + (size_t) i * PAGE, (unsigned char) (0x10 + i));
        for (unsigned i = 0; i < CANARY_PAGES; i++)
                n += !page_has(edu->canaries + (size_t) i * PAGE, (unsigned char) (0xc0 + i));
        return n;
}

static int edu_reach(const Edu *edu, const char *where) {
        uint64_t iova = edu->client.iova;
        int r;

        if (where && dma_client_parse(where, &iova) < 0)
                return -EINVAL;

        /* whatever is in the device's buffer: it had not all of these bytes from us */
        paint(edu);
        r = edu_copy(edu, EDU_BUFFER, iova, EDU_DMA_TO_MEMORY);
        if (r < 0)
                return r;

        printf("reached %u\n", count_changed(edu));
        return 0;
}

/* What the device reads there, it would write to its memory afterwards. */
static int try_outside(const Edu *edu, uint64_t iova) {
        const unsigned char *memory = edu->client.memory;
        int r;

        paint(edu);
        r = edu_copy(edu, EDU_BUFFER, iova, EDU_DMA_TO_MEMORY);
        if (r < 0)
                return r;
        if (count_changed(edu) > 0)
                return -EXFULL;

        r = edu_copy(edu, iova, EDU_BUFFER, 0);
        if (r < 0)
                return r;
        r = edu_copy(edu, EDU_BUFFER, edu->client.iova, EDU_DMA_TO_MEMORY);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < CANARY_PAGES; i++)
                if (page_has(memory, (unsigned char) (0xc0 + i)))
                        return -EXFULL;

        return 0;
}

static int edu_outside(const Edu *edu) {
        const uint64_t places[] = {
                edu->client.iova - PAGE,
                edu->client.iova + edu->client.size,
                0,
                (uintptr_t) edu->canaries & EDU_ADDRESSES,
        };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                r = try_outside(edu, places[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int edu_map(Edu *edu) {
        void *p;

        p = mmap(NULL, edu->registers_size, PROT_READ | PROT_WRITE, MAP_SHARED, edu->client.device,
                (off_t) edu->registers);
        if (p == MAP_FAILED)
                return -errno;

        edu->client.device = close_fd(edu->client.device);
        edu->client.iommufd = close_fd(edu->client.iommufd);
        return 0;
}

static int edu_open(Edu *edu, char **arguments) {
        int n, r;

        n = dma_client_open(arguments, (size_t) MEMORY_PAGES * PAGE, &edu->client);
        if (n < 0)
                return n;
        if (arguments[n])
                return -EINVAL;

        r = dma_client_allocate((size_t) CANARY_PAGES * PAGE, &edu->canaries);
        if (r < 0)
                return r;
        r = dma_client_enable_pci(&edu->client);
        if (r < 0)
                return r;
        r = dma_client_find_region(
                &edu->client, VFIO_PCI_BAR0_REGION_INDEX, &edu->registers, &edu->registers_size);
        if (r < 0)
                return r;
        return dma_client_open_irq(&edu->client, VFIO_PCI_MSI_IRQ_INDEX, &edu->irq);
}

int main(_unused_ int argc, char *argv[]) {
        Edu edu = { .client = { .iommufd = -EBADF, .device = -EBADF }, .irq = -EBADF };
        char line[64];
        int r;

        r = edu_open(&edu, argv + 1);
        dma_client_say("ready", r);
        if (r < 0)
                return EXIT_FAILURE;

        while (fgets(line, sizeof(line), stdin)) {
                line[strcspn(line, "\n")] = '\0';
                if (strcmp(line, "dma") == 0)
                        dma_client_say("dma ok", edu_dma(&edu));
                else if (strcmp(line, "outside") == 0)
                        dma_client_say("outside ok", edu_outside(&edu));
                else if (strcmp(line, "enable") == 0)
                        dma_client_say("enabled", dma_client_enable_pci(&edu.client));
                else if (strcmp(line, "map") == 0)
                        dma_client_say("mapped", edu_map(&edu));
                else if (strncmp(line, "reach", 5) == 0) {
                        r = edu_reach(&edu, line[5] == ' ' ? line + 6 : NULL);
                        if (r < 0)
                                dma_client_say("reached", r);
                        (void) fflush(stdout);
                } else if (strcmp(line, "exit") == 0)
                        break;
        }

        return EXIT_SUCCESS;
}
