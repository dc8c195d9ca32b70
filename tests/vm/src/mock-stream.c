/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kernel/uapi.h"
#include "mock-dma.h"

static const uint64_t counters[] = {
        MOCK_REG_PIECES, MOCK_REG_SERVED, MOCK_REG_BLOCKED, MOCK_REG_UNMAPPED,
};

static int read_counters(const Mock *mock, uint64_t *ret) {
        int r;

        for (size_t i = 0; i < ELEMENTSOF(counters); i++) {
                r = mock_engine_read(&mock->engine, counters[i], &ret[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

int mock_stream(Mock *mock, char **words) {
        uint64_t v[3]; /* iova, length, pasid */
        int r;

        if (mock_parse(words, 3, v) < 0 || v[1] < sizeof(uint64_t))
                return -EINVAL;
        r = read_counters(mock, mock->before);
        if (r < 0)
                return r;

        r = mock_engine_start(&mock->engine, MOCK_COMMAND_STREAM, v[0], v[1], v[2]);
        if (r < 0)
                return r;

        mock->stream_iova = v[0];
        mock->stream_length = v[1];
        puts("streaming");
        return 0;
}

int mock_stop(Mock *mock, _unused_ char **words) {
        uint64_t now[ELEMENTSOF(counters)];
        int r;

        r = mock_engine_write(&mock->engine, MOCK_REG_COMMAND, MOCK_COMMAND_STOP);
        if (r < 0)
                return r;
        r = dma_client_wait_irq(mock->engine.irq);
        if (r < 0)
                return r;
        r = read_counters(mock, now);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(counters); i++)
                now[i] -= mock->before[i];
        mock->pieces = now[0];
        printf("pieces %" PRIu64 " served %" PRIu64 " blocked %" PRIu64 " unmapped %" PRIu64 "\n", now[0],
               now[1], now[2], now[3]);
        return 0;
}

/* It comes there by itself, and tells nobody. */
int mock_progress(Mock *mock, char **words) {
        uint64_t pieces, wanted;
        int r;

        if (dma_client_parse(words[0], &wanted) < 0)
                return -EINVAL;

        do {
                r = mock_engine_read(&mock->engine, MOCK_REG_PIECES, &pieces);
                if (r < 0)
                        return r;
        } while (pieces - mock->before[0] < wanted);

        puts("there");
        return 0;
}

/* The last piece that the stream has written to a place, of which there are @n. */
static uint64_t last_piece(uint64_t pieces, uint64_t place, uint64_t n) {
        return pieces <= place ? 0 : place + 1 + (pieces - 1 - place) / n * n;
}

int mock_verify(Mock *mock, char **words) {
        uint64_t n = mock->stream_length / sizeof(uint64_t), found[MOCK_WORDS_MAX] = {};
        const MockDomain *domains[MOCK_WORDS_MAX] = {};
        const unsigned char *memory[MOCK_WORDS_MAX];

        for (unsigned i = 0; words[i]; i++) {
                domains[i] = mock_find_domain(mock, words[i]);
                if (!domains[i])
                        return -EINVAL;
                memory[i] = mock_domain_at(domains[i], mock->stream_iova, mock->stream_length);
                if (!memory[i])
                        return -ERANGE;
        }

        for (uint64_t place = 0; place < n; place++) {
                uint64_t piece = last_piece(mock->pieces, place, n), value;
                unsigned i;

                for (i = 0; domains[i]; i++) {
                        memcpy(&value, memory[i] + place * sizeof(value), sizeof(value));
                        if (piece > 0 && value == piece)
                                break;
                }
                if (piece > 0 && !domains[i]) {
                        printf("lost %" PRIu64 "\n", piece);
                        return 0;
                }
                if (domains[i])
                        found[i]++;
        }

        printf("complete %" PRIu64, mock->pieces < n ? mock->pieces : n);
        for (unsigned i = 0; domains[i]; i++)
                printf(" %s=%" PRIu64, domains[i]->name, found[i]);
        puts("");
        return 0;
}

int mock_number(Mock *mock, char **words) {
        uint64_t pasid, number;
        int r;

        if (mock_parse(words, 1, &pasid) < 0)
                return -EINVAL;
        r = mock_engine_write(&mock->engine, MOCK_REG_PASID, pasid);
        if (r < 0)
                return r;
        r = mock_engine_read(&mock->engine, MOCK_REG_DOMAIN, &number);
        if (r < 0)
                return r;

        printf("%" PRIu64 "\n", number);
        return 0;
}

int mock_served(Mock *mock, char **words) {
        uint64_t number, served;
        int r;

        if (dma_client_parse(words[0], &number) < 0)
                return -EINVAL;
        r = mock_engine_write(&mock->engine, MOCK_REG_SELECT, number);
        if (r < 0)
                return r;
        r = mock_engine_read(&mock->engine, MOCK_REG_SELECTED, &served);
        if (r < 0)
                return r;

        printf("%" PRIu64 "\n", served);
        return 0;
}

int mock_counters(Mock *mock, _unused_ char **words) {
        uint64_t now[ELEMENTSOF(counters)], requests, resets;
        int r;

        r = read_counters(mock, now);
        if (r < 0)
                return r;
        r = mock_engine_read(&mock->engine, MOCK_REG_PAGE_REQUESTS, &requests);
        if (r < 0)
                return r;
        r = mock_engine_read(&mock->engine, MOCK_REG_RESETS, &resets);
        if (r < 0)
                return r;

        printf("pieces %" PRIu64 " served %" PRIu64 " blocked %" PRIu64 " unmapped %" PRIu64
               " requests %" PRIu64 " resets %" PRIu64 "\n",
               now[0], now[1], now[2], now[3], requests, resets);
        return 0;
}

int mock_features(Mock *mock, _unused_ char **words) {
        static const char *const names[] = { "pasid", "dirty", "nest", "fault", "reset" };
        const char *space = "";
        uint64_t features;
        int r;

        r = mock_engine_read(&mock->engine, MOCK_REG_FEATURES, &features);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (features & UINT64_C(1) << i) {
                        printf("%s%s", space, names[i]);
                        space = " ";
                }
        puts("");
        return 0;
}

int mock_reset(Mock *mock, _unused_ char **words) {
        if (ioctl(mock->client.device, VFIO_DEVICE_RESET) < 0)
                return -errno;

        puts("done");
        return 0;
}
