/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verbs of "domain" that are about what is mapped. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "domain-verb.h"
#include "memory-file.h"
#include "options.h"
#include "table.h"
#include "to-json.h"

#define PAGE UINT64_C(4096)

static json_object *json_of_range(const char *first, uint64_t a, const char *second, uint64_t b) {
        json_object *o = need(json_object_new_object());

        json_put_number(o, first, a);
        json_put_number(o, second, b);
        return o;
}

static void add_row(Table *table, uint64_t a, uint64_t b) {
        table_add(table, print_string("0x%" PRIx64, a));
        table_add(table, print_string("0x%" PRIx64, b));
}

/* Prints what was put into the two, and frees both. */
static Status answer_table(const DomainCall *call, json_object *o, Table *table) {
        if (!call->options->json)
                table_print(table);
        table_done(table);
        return domain_answer(call, o, /* text= */ NULL);
}

/* ---- map, unmap */

Status domain_map(const DomainCall *call) {
        const Options *options = call->options;
        unsigned flags = IOMMUD_MAP_READ;
        uint64_t ioas, size, iova = options->iova, length = options->length;
        _cleanup_close_ int fd = -EBADF;
        json_object *o;
        Status status;
        int r;

        status = domain_handle("the IOAS", call->arguments[0], &ioas);
        if (status == STATUS_OK)
                status = memory_file_open(call->arguments[1], options->copy, options->read_only, &fd, &size);
        if (status != STATUS_OK)
                return status;

        if (!options->read_only)
                flags |= IOMMUD_MAP_WRITE;
        if (options->given & OPTION_BIT(IOVA))
                flags |= IOMMUD_MAP_FIXED;
        if (!(options->given & OPTION_BIT(LENGTH)) && options->offset < size)
                length = size - options->offset;

        r = iommud_map_file(call->client, call->lease, ioas, fd, options->offset, length, flags, &iova);
        if (r != 0)
                return domain_failed(call, r);

        o = json_of_range("iova", iova, "length", length);
        json_put_number(o, "ioas", ioas);
        return domain_answer(call, o, print_string("0x%" PRIx64, iova));
}

static Status read_range(char *const *arguments, uint64_t *ret_iova, uint64_t *ret_length) {
        Status status;

        if (!arguments[1] && strcmp(arguments[0], "all") == 0) {
                *ret_iova = 0;
                *ret_length = UINT64_MAX;
                return STATUS_OK;
        }
        if (!arguments[1]) {
                complain("it is 'iommuctl domain unmap LEASE IOAS ADDRESS BYTES', or 'all' of it");
                return STATUS_USAGE;
        }

        status = domain_address(arguments[0], ret_iova);
        return status == STATUS_OK ? domain_address(arguments[1], ret_length) : status;
}

Status domain_unmap(const DomainCall *call) {
        uint64_t ioas, iova, length, unmapped;
        json_object *o;
        Status status;
        int r;

        status = domain_handle("the IOAS", call->arguments[0], &ioas);
        if (status == STATUS_OK)
                status = read_range(call->arguments + 1, &iova, &length);
        if (status != STATUS_OK)
                return status;

        r = iommud_unmap(call->client, call->lease, ioas, iova, length, &unmapped);
        if (r != 0)
                return domain_failed(call, r);

        o = json_of_range("ioas", ioas, "unmapped", unmapped);
        return domain_answer(call, o, print_string("%" PRIu64, unmapped));
}

Status domain_ranges(const DomainCall *call) {
        static const char *const headers[] = { ">FIRST", ">LAST", NULL };
        json_object *o, *array;
        _cleanup_free_ iommud_iova_range *ranges = NULL;
        uint64_t ioas, alignment;
        Status status;
        Table table;
        size_t n;
        int r;

        status = domain_handle("the IOAS", call->arguments[0], &ioas);
        if (status != STATUS_OK)
                return status;

        r = iommud_get_iova_ranges(call->client, call->lease, ioas, &ranges, &n, &alignment);
        if (r != 0)
                return domain_failed(call, r);

        o = json_of_range("ioas", ioas, "alignment", alignment);
        array = need(json_object_new_array());
        table_init(&table, headers);
        for (size_t i = 0; i < n; i++) {
                add_row(&table, ranges[i].first, ranges[i].last);
                json_array_put(array, json_of_range("first", ranges[i].first, "last", ranges[i].last));
        }
        json_put(o, "ranges", array);
        return answer_table(call, o, &table);
}

/* ---- what devices have written to */

Status domain_dirty(const DomainCall *call) {
        bool on = strcmp(call->arguments[1], "on") == 0;
        uint64_t domain;
        json_object *o;
        Status status;
        int r;

        if (!on && strcmp(call->arguments[1], "off") != 0) {
                complain("dirty tracking is on or off, and not '%s'", call->arguments[1]);
                return STATUS_USAGE;
        }

        status = domain_handle("the domain", call->arguments[0], &domain);
        if (status != STATUS_OK)
                return status;

        r = iommud_set_dirty_tracking(call->client, call->lease, domain, on);
        if (r != 0)
                return domain_failed(call, r);

        o = need(json_object_new_object());
        json_put_number(o, "domain", domain);
        json_put(o, "tracking", need(json_object_new_boolean(on)));
        return domain_answer(call, o, /* text= */ NULL);
}

/* The bit of each page, in what iommud has sent as one. */
typedef struct Bitmap {
        unsigned char *bits;
        uint64_t n_pages;
} Bitmap;

static void bitmap_done(Bitmap *bitmap) {
        free(bitmap->bits);
}

static int bitmap_read(int fd, uint64_t n_pages, Bitmap *ret) {
        _cleanup_free_ unsigned char *bits = NULL;
        size_t size = (size_t) ((n_pages + 7) / 8);

        bits = need(calloc(size + 1, 1));
        for (size_t done = 0; done < size;) {
                ssize_t n;

                n = pread(fd, bits + done, size - done, (off_t) done);
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        return -EBADMSG;        /* iommud has promised more */
                if (n > 0)
                        done += (size_t) n;
        }

        *ret = (Bitmap) { .bits = TAKE_PTR(bits), .n_pages = n_pages };
        return 0;
}

/* The first page from @page on of which the bit is as @dirty says, or the end. */
static uint64_t bitmap_next(const Bitmap *bitmap, uint64_t page, bool dirty) {
        while (page < bitmap->n_pages && ((bitmap->bits[page / 8] >> page % 8 & 1) != 0) != dirty)
                page++;

        return page;
}

static Status answer_bitmap(
                const DomainCall *call, const Bitmap *bitmap, uint64_t iova, uint64_t page_size) {

        static const char *const headers[] = { ">ADDRESS", ">BYTES", NULL };
        json_object *o = need(json_object_new_object()), *array = need(json_object_new_array());
        uint64_t first, end;
        Table table;

        table_init(&table, headers);
        for (first = bitmap_next(bitmap, 0, true); first < bitmap->n_pages;
             first = bitmap_next(bitmap, end, true)) {
                end = bitmap_next(bitmap, first, false);
                add_row(&table, iova + first * page_size, (end - first) * page_size);
                json_array_put(array, json_of_range("iova", iova + first * page_size, "length",
                                                    (end - first) * page_size));
        }

        json_put_number(o, "page_size", page_size);
        json_put(o, "dirty", array);
        return answer_table(call, o, &table);
}

Status domain_bitmap(const DomainCall *call) {
        const Options *options = call->options;
        uint64_t domain, iova, length, page_size = options->page_size > 0 ? options->page_size : PAGE;
        _cleanup_(bitmap_done) Bitmap bitmap = {};
        _cleanup_close_ int fd = -EBADF;
        Status status;
        int r;

        status = domain_handle("the domain", call->arguments[0], &domain);
        if (status == STATUS_OK)
                status = domain_address(call->arguments[1], &iova);
        if (status == STATUS_OK)
                status = domain_address(call->arguments[2], &length);
        if (status != STATUS_OK)
                return status;

        r = iommud_get_dirty_bitmap(call->client, call->lease, domain, iova, length, page_size,
                                    /* clear= */ !options->keep, &fd);
        if (r == 0)
                r = bitmap_read(fd, length / page_size, &bitmap);

        return r == 0 ? answer_bitmap(call, &bitmap, iova, page_size) : domain_failed(call, r);
}
