/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "sys/scan.h"

/* One page of any architecture: an attribute is never larger. */
#define ATTRIBUTE_MAX 65536

static int parse_address(const char *s, uint64_t *ret) {
        uint32_t high, low;

        /* "0x" and 16 digits, always */
        if (strlen(s) != 18 || s[0] != '0' || s[1] != 'x')
                return -EINVAL;
        if (parse_hex_digits(s + 2, 8, &high) < 0 || parse_hex_digits(s + 10, 8, &low) < 0)
                return -EINVAL;

        *ret = (uint64_t) high << 32 | low;
        return 0;
}

/* "0x00000000fee00000 0x00000000feefffff msi" */
static int parse_region(char *line, ReservedRegion *ret) {
        ReservedRegion region = {};
        char *last, *kind;

        last = strchr(line, ' ');
        if (!last)
                return -EINVAL;
        *last++ = '\0';

        kind = strchr(last, ' ');
        if (!kind)
                return -EINVAL;
        *kind++ = '\0';

        if (parse_address(line, &region.first) < 0 || parse_address(last, &region.last) < 0 ||
            copy_string(region.kind, sizeof(region.kind), kind) < 0)
                return -EINVAL;

        *ret = region;
        return 0;
}

static size_t count_lines(const char *text) {
        size_t n = *text ? 1 : 0;

        for (; *text; text++)
                n += *text == '\n';

        return n;
}

int scan_reserved_regions(int sysfs, uint32_t id, ReservedRegion **ret, size_t *ret_n) {
        char path[64], text[ATTRIBUTE_MAX + 1], *next = text;
        _cleanup_free_ ReservedRegion *regions = NULL;
        size_t n = 0;
        ssize_t r;

        snprintf(path, sizeof(path), "kernel/iommu_groups/%u/reserved_regions", id);
        r = read_text_at(sysfs, path, text, sizeof(text));
        if (r < 0)
                return r == -ENOENT ? -ENODEV : (int) r;

        if (r > 0) {
                regions = calloc(count_lines(text), sizeof(*regions));
                if (!regions)
                        return -ENOMEM;
        }

        while (next && *next) {
                char *line = next;

                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                if (parse_region(line, &regions[n]) < 0)
                        return -EBADMSG;
                n++;
        }

        *ret = TAKE_PTR(regions);
        *ret_n = n;
        return 0;
}
