/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The commands of mock-dma, which mock-dma.c explains.
 */

#include <poll.h>

#include "iommud.h"
#include "mock-domain.h"
#include "mock-engine.h"

#define MOCK_DOMAINS_MAX 16
#define MOCK_WORDS_MAX 16

typedef struct Mock {
        DmaClient client;
        iommud_client *iommud;              /* for domains that it makes; NULL: there were none yet */
        MockEngine engine;
        MockDomain domains[MOCK_DOMAINS_MAX];
        unsigned n_domains;
        struct pollfd faults;               /* of the fault that is not answered yet */
        uint32_t cookie;
        uint64_t stream_iova, stream_length;
        uint64_t before[4];                 /* the counters when the stream began */
        uint64_t pieces;                    /* of the stream */
} Mock;

MockDomain *mock_find_domain(Mock *mock, const char *name);

/* @n numbers; those that are left out at the end are 0. */
int mock_parse(char **words, unsigned n, uint64_t *ret) _must_check_;

/* Words that are options of a domain, as a set. */
int mock_parse_options(char **words, unsigned *ret) _must_check_;

/*
 * Each prints its answer, a line, or returns a negative errno. @words are what follows its name, then a
 * NULL.
 */
int mock_fill(Mock *mock, char **words) _must_check_;
int mock_copy(Mock *mock, char **words) _must_check_;
int mock_stream(Mock *mock, char **words) _must_check_;
int mock_stop(Mock *mock, char **words) _must_check_;
int mock_progress(Mock *mock, char **words) _must_check_;
int mock_verify(Mock *mock, char **words) _must_check_;
int mock_answer(Mock *mock, char **words) _must_check_;
int mock_number(Mock *mock, char **words) _must_check_;
int mock_served(Mock *mock, char **words) _must_check_;
int mock_counters(Mock *mock, char **words) _must_check_;
int mock_features(Mock *mock, char **words) _must_check_;
int mock_reset(Mock *mock, char **words) _must_check_;
int mock_attach(Mock *mock, char **words) _must_check_;
int mock_huge_pages(Mock *mock, char **words) _must_check_;
int mock_sweep(Mock *mock, char **words) _must_check_;
int mock_detach(Mock *mock, char **words) _must_check_;
int mock_set(Mock *mock, char **words) _must_check_;
int mock_expect(Mock *mock, char **words) _must_check_;
int mock_domain(Mock *mock, char **words) _must_check_;
int mock_nested(Mock *mock, char **words) _must_check_;
int mock_made(Mock *mock, char **words) _must_check_;
int mock_made_nested(Mock *mock, char **words) _must_check_;
int mock_virtual(Mock *mock, char **words) _must_check_;
int mock_event(Mock *mock, char **words) _must_check_;
int mock_invalidate(Mock *mock, char **words) _must_check_;
int mock_map(Mock *mock, char **words) _must_check_;
int mock_unmap(Mock *mock, char **words) _must_check_;
int mock_track(Mock *mock, char **words) _must_check_;
int mock_dirty(Mock *mock, char **words) _must_check_;
