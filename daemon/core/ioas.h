/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An I/O address space of a context, and what iommud has mapped in it. Where the client has the context
 * itself, it maps what it likes, and iommud knows nothing of it.
 */

#include "core/dma.h"
#include "core/forward.h"

typedef struct Mapping {
        uint64_t iova, length;               /* not empty, and does not wrap */
} Mapping;

typedef struct Ioas {
        uint64_t handle;                     /* iommud's number of it, never used again in its context */
        uint32_t id;                         /* the kernel's */
        IoasOptions options;
        Mapping *mappings;                   /* ordered by iova, none overlaps another; owned */
        size_t n_mappings;
        uint64_t pinned;                     /* bytes, of all mappings */
        unsigned n_users;                    /* domains, and emulated devices that are attached to it */
} Ioas;

int ioas_new(uint64_t handle, uint32_t id, const IoasOptions *options, Ioas **ret) _must_check_;
Ioas *ioas_free(Ioas *ioas);
DEFINE_CLEANUP_FUNC(Ioas, ioas_free);

/* Whether the range lies in one of the windows; without windows every one does. @length is not 0. */
bool ioas_allows(const Ioas *ioas, uint64_t iova, uint64_t length);

/*
 * Remembers a mapping. Returns 0; -EEXIST when it overlaps another one, -EOVERFLOW when it wraps or is
 * empty; -ENOMEM.
 */
int ioas_add_mapping(Ioas *ioas, uint64_t iova, uint64_t length) _must_check_;

/*
 * The mappings that lie in a range, which may cut none. Returns 0 with the index of the first in *ret_first
 * and their number, which may be 0, in *ret_n; -EINVAL: one is cut, or the range is empty or wraps.
 */
int ioas_find_mappings(const Ioas *ioas, uint64_t iova, uint64_t length, size_t *ret_first,
                       size_t *ret_n) _must_check_;

/*
 * The first place in @range, and in a window, for so many bytes. @alignment is a power of two. False: there
 * is none.
 */
bool ioas_find_room(const Ioas *ioas, const IovaRange *range, uint64_t length, uint64_t alignment,
                    uint64_t *ret_iova);

/* Forgets @n mappings from @first on. Returns how many bytes they had. */
uint64_t ioas_remove_mappings(Ioas *ioas, size_t first, size_t n);
