/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A driver in userspace for the devices of ../mock-iommu.
 *
 *     mock-dma WAY ARGUMENT…            see dma-client.h
 *
 * Says "ready", and reads commands, a line each, which it answers with a line each; what fails, with the
 * command's name and an errno. The memory that it begins with, 64 pages at IOVA 0x100000, is that of the
 * domain "main". Numbers are decimal, or hexadecimal behind "0x". PASID may be left out.
 *
 * DMA, in whichever way it was started:
 *
 *     fill PATTERN IOVA LENGTH [PASID]    a number of 8 bytes, again and again: "done"; "blocked IOVA" or
 *                                         "unmapped IOVA"; "fault IOVA PASID", which wants to be answered
 *     copy FROM TO LENGTH [PASID]         from memory to the device and from there to memory; up to 64 KiB
 *     answer success|invalid              to a fault; then as the command that it has interrupted
 *     stream IOVA LENGTH [PASID]          the device writes 1, 2, 3 … to places of 8 bytes, round and
 *                                         round, all by itself: "streaming"
 *     progress N                          waits for the Nth piece of the stream: "there"
 *     stop                                "pieces N served N blocked N unmapped N", of the stream
 *     verify DOMAIN…                      after that: is the last piece of each place in the memory of one
 *                                         of them? "complete N DOMAIN=N …" of places, or "lost PIECE"
 *     number [PASID]                      of the domain that the device has now; 0 is none
 *     served NUMBER                       how many pieces that domain has served
 *     counters                            "pieces N served N blocked N unmapped N requests N resets N"
 *     features                            those of pasid, dirty, nest, fault and reset that it has
 *     reset
 *     attach DOMAIN|ID [PASID]            attaches, or replaces
 *     huge-pages IOAS                     whether pages of that address space may be combined: 1, or 0
 *     sweep N [PASID]                     tries to attach all numbers below N: "attached N" is how many
 *     detach [PASID]
 *
 * Memory, as the processor sees it:
 *
 *     set DOMAIN IOVA LENGTH PATTERN
 *     expect DOMAIN IOVA LENGTH PATTERN   "same", or "differs IOVA VALUE"
 *
 * Domains, which it must have bound the device itself for. The first three answer with an id:
 *
 *     domain NAME [empty] [dirty] [pasid] [nest] [fault]
 *                                         with an IOAS and memory of its own, which is mapped if not "empty"
 *     nested NAME PARENT FIRST LAST BASE  on a domain or a virtual IOMMU
 *     made NAME LEASE DEVICE IOAS [dirty] [pasid] [nest] [fault] [empty]
 *                                         as "domain", but by iommud, of one of its IOASes or, if that is 0,
 *                                         of a new one: "DOMAIN IOAS", its handles of both. Memory is only
 *                                         mapped in a new one, by who has the iommufd
 *     made-nested NAME LEASE DEVICE PARENT FIRST LAST BASE
 *                                         as "nested", by iommud on a domain of its: "DOMAIN"
 *     virtual NAME PARENT ID              a virtual IOMMU, with the device in it as ID
 *     event NAME                          what a virtual IOMMU tells: "event ID IOVA"
 *     invalidate NAME FIRST LAST          how many invalidations there were
 *     map NAME IOVA LENGTH                of its memory
 *     unmap NAME IOVA LENGTH
 *     track NAME on|off
 *     dirty NAME IOVA LENGTH              "dirty IOVA …", of pages, which then are clean
 */

#include <stdio.h>
#include <string.h>

#include "mock-dma.h"

#define MEMORY_SIZE ((size_t) 64 * DMA_CLIENT_PAGE)

MockDomain *mock_find_domain(Mock *mock, const char *name) {
        for (unsigned i = 0; i < mock->n_domains; i++)
                if (strcmp(mock->domains[i].name, name) == 0)
                        return &mock->domains[i];

        return NULL;
}

/* Parses @n numbers; what is left out is 0. */
int mock_parse(char **words, unsigned n, uint64_t *ret) {
        for (unsigned i = 0; i < n; i++) {
                ret[i] = 0;
                if (words[i] && dma_client_parse(words[i], &ret[i]) < 0)
                        return -EINVAL;
                if (!words[i])
                        words--;         /* the end: all others are left out too */
        }

        return 0;
}

static const struct {
        const char *name;
        unsigned words_min, words_max;
        int (*run)(Mock *mock, char **words);
} commands[] = {
        { "fill", 3, 4, mock_fill },
        { "copy", 3, 4, mock_copy },
        { "stream", 2, 3, mock_stream },
        { "stop", 0, 0, mock_stop },
        { "progress", 1, 1, mock_progress },
        { "verify", 1, MOCK_WORDS_MAX - 2, mock_verify },
        { "answer", 1, 1, mock_answer },
        { "number", 0, 1, mock_number },
        { "served", 1, 1, mock_served },
        { "counters", 0, 0, mock_counters },
        { "features", 0, 0, mock_features },
        { "reset", 0, 0, mock_reset },
        { "attach", 1, 2, mock_attach },
        { "huge-pages", 1, 1, mock_huge_pages },
        { "sweep", 1, 2, mock_sweep },
        { "detach", 0, 1, mock_detach },
        { "set", 4, 4, mock_set },
        { "expect", 4, 4, mock_expect },
        { "domain", 1, 6, mock_domain },
        { "nested", 5, 5, mock_nested },
        { "made", 4, 9, mock_made },
        { "made-nested", 7, 7, mock_made_nested },
        { "virtual", 3, 3, mock_virtual },
        { "event", 1, 1, mock_event },
        { "invalidate", 3, 3, mock_invalidate },
        { "map", 3, 3, mock_map },
        { "unmap", 3, 3, mock_unmap },
        { "track", 2, 2, mock_track },
        { "dirty", 3, 3, mock_dirty },
};

static int run_command(Mock *mock, char **words, unsigned n) {
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                if (strcmp(words[0], commands[i].name) == 0) {
                        if (n - 1 < commands[i].words_min || n - 1 > commands[i].words_max)
                                return -EINVAL;
                        return commands[i].run(mock, words + 1);
                }

        return -ENOSYS;
}

static unsigned split(char *line, char **ret) {
        unsigned n = 0;

        while (n < MOCK_WORDS_MAX - 1) {
                line += strspn(line, " \n");
                if (*line == '\0')
                        break;
                ret[n++] = line;
                line += strcspn(line, " \n");
                if (*line != '\0')
                        *line++ = '\0';
        }

        ret[n] = NULL;
        return n;
}

static int open_client(Mock *mock, char **arguments) {
        int n, r;

        n = dma_client_open(arguments, MEMORY_SIZE, &mock->client);
        if (n < 0)
                return n;
        if (arguments[n])
                return -EINVAL;

        r = mock_engine_open(&mock->client, &mock->engine);
        if (r < 0)
                return r;

        mock->domains[mock->n_domains++] = (MockDomain) {
                .client = &mock->client,
                .name = "main",
                .ioas = mock->client.ioas,
                .id = mock->client.ioas,
                .iova = mock->client.iova,
                .memory = mock->client.memory,
                .size = mock->client.size,
                .faults = -EBADF,
                .events = -EBADF,
        };
        return 0;
}

int main(_unused_ int argc, char *argv[]) {
        Mock mock = { .client = { .iommufd = -EBADF, .device = -EBADF } };
        char line[256], *words[MOCK_WORDS_MAX];
        unsigned n;
        int r;

        r = open_client(&mock, argv + 1);
        dma_client_say("ready", r);
        if (r < 0)
                return EXIT_FAILURE;

        while (fgets(line, sizeof(line), stdin)) {
                n = split(line, words);
                if (n == 0)
                        continue;

                r = run_command(&mock, words, n);
                if (r < 0)
                        dma_client_say(words[0], r);
                (void) fflush(stdout);
        }

        return EXIT_SUCCESS;
}
