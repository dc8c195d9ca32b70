/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "core/ioas.h"

int ioas_new(uint64_t handle, uint32_t id, const IoasOptions *options, Ioas **ret) {
        Ioas *ioas;

        ioas = calloc(1, sizeof(*ioas));
        if (!ioas)
                return -ENOMEM;

        ioas->handle = handle;
        ioas->id = id;
        ioas->options = *options;
        *ret = ioas;
        return 0;
}

Ioas *ioas_free(Ioas *ioas) {
        if (!ioas)
                return NULL;

        free(ioas->mappings);
        free(ioas);
        return NULL;
}

/* The last address of a range. Returns false when it has none. */
static bool range_last(uint64_t iova, uint64_t length, uint64_t *ret) {
        return length > 0 && !__builtin_add_overflow(iova, length - 1, ret);
}

bool ioas_allows(const Ioas *ioas, uint64_t iova, uint64_t length) {
        uint64_t last;

        if (!range_last(iova, length, &last))
                return false;
        if (ioas->options.n_windows == 0)
                return true;

        for (unsigned i = 0; i < ioas->options.n_windows; i++)
                if (ioas->options.windows[i].first <= iova && last <= ioas->options.windows[i].last)
                        return true;

        return false;
}

/* The index of the first mapping that does not end before @iova. */
static size_t ioas_lower_bound(const Ioas *ioas, uint64_t iova) {
        size_t low = 0, high = ioas->n_mappings;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const Mapping *mapping = &ioas->mappings[middle];

                if (mapping->iova + (mapping->length - 1) < iova)
                        low = middle + 1;
                else
                        high = middle;
        }

        return low;
}

int ioas_add_mapping(Ioas *ioas, uint64_t iova, uint64_t length) {
        Mapping *mappings;
        uint64_t last;
        size_t i;

        if (!range_last(iova, length, &last))
                return -EOVERFLOW;

        i = ioas_lower_bound(ioas, iova);
        if (i < ioas->n_mappings && ioas->mappings[i].iova <= last)
                return -EEXIST;

        mappings = reallocarray(ioas->mappings, ioas->n_mappings + 1, sizeof(*mappings));
        if (!mappings)
                return -ENOMEM;

        ioas->mappings = mappings;
        memmove(mappings + i + 1, mappings + i, (ioas->n_mappings - i) * sizeof(*mappings));
        mappings[i] = (Mapping) { .iova = iova, .length = length };
        ioas->n_mappings++;
        ioas->pinned += length;
        return 0;
}

int ioas_find_mappings(
        const Ioas *ioas, uint64_t iova, uint64_t length, size_t *ret_first, size_t *ret_n) {
        uint64_t last;
        size_t first, i;

        if (!range_last(iova, length, &last))
                return -EINVAL;

        first = ioas_lower_bound(ioas, iova);
        for (i = first; i < ioas->n_mappings && ioas->mappings[i].iova <= last; i++)
                if (ioas->mappings[i].iova < iova ||
                    ioas->mappings[i].iova + (ioas->mappings[i].length - 1) > last)
                        return -EINVAL;

        *ret_first = first;
        *ret_n = i - first;
        return 0;
}

static bool align_up(uint64_t *iova, uint64_t alignment) {
        uint64_t up;

        if (__builtin_add_overflow(*iova, alignment - 1, &up))
                return false;

        *iova = up & ~(alignment - 1);
        return true;
}

static bool ioas_find_room_between(const Ioas *ioas, uint64_t first, uint64_t last, uint64_t length,
                                   uint64_t alignment, uint64_t *ret_iova) {
        uint64_t iova = first, end;

        while (align_up(&iova, alignment) && range_last(iova, length, &end) && end <= last) {
                size_t i = ioas_lower_bound(ioas, iova);

                if (i == ioas->n_mappings || ioas->mappings[i].iova > end) {
                        *ret_iova = iova;
                        return true;
                }
                /* behind it */
                if (__builtin_add_overflow(ioas->mappings[i].iova, ioas->mappings[i].length, &iova))
                        break;
        }

        return false;
}

bool ioas_find_room(const Ioas *ioas, const IovaRange *range, uint64_t length, uint64_t alignment,
                    uint64_t *ret_iova) {
        const IoasOptions *options = &ioas->options;

        if (options->n_windows == 0)
                return ioas_find_room_between(
                        ioas, range->first, range->last, length, alignment, ret_iova);

        for (unsigned i = 0; i < options->n_windows; i++) {
                const IovaRange *window = &options->windows[i];
                uint64_t first = window->first > range->first ? window->first : range->first;
                uint64_t last = window->last < range->last ? window->last : range->last;

                if (first <= last &&
                    ioas_find_room_between(ioas, first, last, length, alignment, ret_iova))
                        return true;
        }

        return false;
}

uint64_t ioas_remove_mappings(Ioas *ioas, size_t first, size_t n) {
        uint64_t bytes = 0;

        assert(first <= ioas->n_mappings && n <= ioas->n_mappings - first);

        for (size_t i = first; i < first + n; i++)
                bytes += ioas->mappings[i].length;

        memmove(ioas->mappings + first, ioas->mappings + first + n,
                (ioas->n_mappings - first - n) * sizeof(*ioas->mappings));
        ioas->n_mappings -= n;
        ioas->pinned -= bytes;
        return bytes;
}
