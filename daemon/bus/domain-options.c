/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "bus/domain-options.h"
#include "bus/options.h"
#include "names.h"

typedef struct Both {
        IoasOptions ioas;
        DomainOptions domain;
        bool huge_pages;
        bool has_data;
} Both;

static bool overlaps(const IoasOptions *options, const IovaRange *window) {
        for (unsigned i = 0; i < options->n_windows; i++)
                if (window->first <= options->windows[i].last && options->windows[i].first <= window->last)
                        return true;

        return false;
}

static int read_windows(sd_bus_message *message, void *target, Refusal *reterr) {
        IoasOptions *options = &((Both *) target)->ioas;
        IovaRange window;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "(tt)");
        if (r < 0)
                return r;

        options->n_windows = 0;
        while ((r = sd_bus_message_read(message, "(tt)", &window.first, &window.last)) > 0) {
                if (window.first >= window.last || overlaps(options, &window))
                        return refuse(reterr, OUTCOME_INVALID_OPTION,
                                      "iova_windows are pairs of a first and a last address, and do not "
                                      "overlap");
                if (options->n_windows == IOVA_WINDOWS_MAX)
                        return refuse(reterr, OUTCOME_INVALID_OPTION, "There are %u iova_windows at most",
                                      IOVA_WINDOWS_MAX);
                options->windows[options->n_windows++] = window;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(message) < 0 ? -EBADMSG : 0;
}

static int read_kind(sd_bus_message *message, void *target, Refusal *reterr) {
        DomainOptions *options = &((Both *) target)->domain;
        const char *value;
        int r;

        r = sd_bus_message_read_basic(message, 's', &value);
        if (r < 0)
                return r;

        r = domain_kind_from_string(value);
        if (r < 0)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "There is no kind of domain \"%.32s\": it is \"paging\", \"nest-parent\" or "
                              "\"nested\"",
                              value);

        options->kind = r;
        return 0;
}

static int read_data(sd_bus_message *message, void *target, Refusal *reterr) {
        Both *both = target;
        int r;

        r = option_read_data(
                message, both->domain.data, sizeof(both->domain.data), &both->domain.data_length, reterr);
        both->has_data = r == 0;
        return r;
}

#define IOAS_OPTIONS                                                                                        \
        { IOMMUD_DOMAIN_IOVA_WINDOWS, "a(tt)", 0, read_windows },                                           \
        { IOMMUD_DOMAIN_HUGE_PAGES, "b", offsetof(Both, huge_pages), NULL }

#define FIRST_OPTIONS                                                                                       \
        { IOMMUD_DOMAIN_KIND, "s", 0, read_kind },                                                          \
        { IOMMUD_DOMAIN_DIRTY_TRACKING, "b", offsetof(Both, domain.dirty_tracking), NULL },                 \
        { IOMMUD_DOMAIN_PASID, "b", offsetof(Both, domain.pasid), NULL },                                   \
        { IOMMUD_DOMAIN_FAULT_QUEUE, "b", offsetof(Both, domain.fault_queue), NULL }

int ioas_options_read(sd_bus_message *message, IoasOptions *ret, Refusal *reterr) {
        static const Option options[] = { IOAS_OPTIONS, {} };
        Both both = { .huge_pages = true };
        int r;

        r = options_read(message, options, &both, reterr);
        if (r != 0)
                return r;

        both.ioas.small_pages = !both.huge_pages;
        *ret = both.ioas;
        return 0;
}

int domain_options_read(sd_bus_message *message, DomainOptions *ret, Refusal *reterr) {
        static const Option options[] = {
                FIRST_OPTIONS,
                { IOMMUD_DOMAIN_DATA_TYPE, "u", offsetof(Both, domain.data_type), NULL },
                { IOMMUD_DOMAIN_DATA, "ay", 0, read_data },
                {},
        };
        Both both = {};
        int r;

        r = options_read(message, options, &both, reterr);
        if (r != 0)
                return r;

        if ((both.domain.kind == DOMAIN_NESTED) != both.has_data)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "A nested domain has the options data_type and data, and no other has");

        *ret = both.domain;
        return 0;
}

int first_options_read(
        sd_bus_message *message, IoasOptions *ret_ioas, DomainOptions *ret_domain, Refusal *reterr) {
        static const Option options[] = { FIRST_OPTIONS, IOAS_OPTIONS, {} };
        Both both = { .huge_pages = true };
        int r;

        r = options_read(message, options, &both, reterr);
        if (r != 0)
                return r;

        if (both.domain.kind == DOMAIN_NESTED)
                return refuse(reterr, OUTCOME_INVALID_OPTION,
                              "The first domain can't be nested, there is nothing to nest it on: it is "
                              "\"paging\" or \"nest-parent\"");

        both.ioas.small_pages = !both.huge_pages;
        *ret_ioas = both.ioas;
        *ret_domain = both.domain;
        return 0;
}
