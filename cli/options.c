/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "bytes.h"
#include "options.h"
#include "since.h"

static int set_seconds(uint64_t *usec, const char *name, const char *text) {
        uint32_t seconds;

        if (parse_u32(text, &seconds) < 0 || seconds == 0) {
                complain("--%s takes a number of seconds, which '%s' is not", name, text);
                return -EINVAL;
        }

        *usec = seconds * UINT64_C(1000000);
        return 0;
}

static int set_address(uint64_t *number, const char *name, const char *text) {
        if (parse_address(text, number) < 0) {
                complain("--%s takes a number, such as 0x100000, 4096 or 2M, which '%s' is not", name, text);
                return -EINVAL;
        }

        return 0;
}

static int set_device(Options *options, char *text) {
        options->devices = need(
                        reallocarray(options->devices, options->n_devices + 2, sizeof(*options->devices)));
        options->devices[options->n_devices++] = text;
        options->devices[options->n_devices] = NULL;
        return 0;
}

static int set_window(Options *options, char *text) {
        IovaWindow *window = &options->windows[options->n_windows];
        char *last = strchr(text, '-');

        if (options->n_windows == ELEMENTSOF(options->windows)) {
                complain("there can be %zu of --window", ELEMENTSOF(options->windows));
                return -EINVAL;
        }

        if (last)
                *last++ = '\0';
        if (!last || parse_address(text, &window->first) < 0 || parse_address(last, &window->last) < 0 ||
            window->first >= window->last) {
                complain("--window takes the first and the last address, such as 0x100000-0x1fffff");
                return -EINVAL;
        }

        options->n_windows++;
        return 0;
}

static int set_since(Options *options, char *text) {
        struct timespec now;

        (void) clock_gettime(CLOCK_REALTIME, &now);            /* can't fail for this clock */
        if (parse_since(text, (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000,
                        &options->since_usec) < 0) {
                complain("--since takes a time, such as 2026-01-31, '2026-01-31 23:59', today, 90s, 15min, "
                         "2h or 3d, which '%s' is not", text);
                return -EINVAL;
        }

        return 0;
}

static int set_lease(Options *options, char *text) {
        if (parse_u64(text, &options->lease) < 0 || options->lease == 0) {
                complain("--lease takes the number of a lease, which '%s' is not", text);
                return -EINVAL;
        }

        return 0;
}

static int set_ram(Options *options, char *text) {
        if (parse_bytes(text, &options->ram) < 0 || options->ram == 0) {
                complain("--ram takes an amount of memory, such as 8G or 512M, which '%s' is not", text);
                return -EINVAL;
        }

        return 0;
}

static int find_user(const char *text, uid_t *ret) {
        const struct passwd *user;
        uint32_t uid;

        user = getpwnam(text);
        if (!user && (parse_u32(text, &uid) < 0 || uid == UINT32_MAX)) {
                complain("there is no user '%s'", text);
                return -EINVAL;
        }

        *ret = user ? user->pw_uid : uid;
        return 0;
}

static int set_uid(Options *options, char *text) {
        options->has_uid = true;
        return find_user(text, &options->uid);
}

static int set_as(Options *options, char *text) {
        options->has_as = true;
        return find_user(text, &options->as);
}

/* What an option does */
#define NOTHING SET_NOTHING, 0, NULL
#define FLAG(member) SET_FLAG, offsetof(Options, member), NULL
#define TEXT(member) SET_TEXT, offsetof(Options, member), NULL
#define SECONDS(member) SET_SECONDS, offsetof(Options, member), NULL
#define ADDRESS(member) SET_ADDRESS, offsetof(Options, member), NULL
#define BY(function) SET_BY_FUNCTION, 0, function

static const struct {
        const char *name;
        char letter;                    /* ' ': only the long one */
        const char *argument;           /* NULL: none */
        enum {
                SET_NOTHING,
                SET_FLAG,
                SET_TEXT,               /* of argv */
                SET_SECONDS,            /* in microseconds */
                SET_ADDRESS,            /* or a number of bytes */
                SET_BY_FUNCTION,
        } set;
        size_t member;                  /* of Options */
        int (*function)(Options *options, char *argument);
        const char *help;
} option_table[] = {
        [OPTION_JSON]       = { "json", ' ', NULL, FLAG(json),
                                "Print JSON" },
        [OPTION_DEVICE]     = { "device", 'd', "SELECTOR", BY(set_device),
                                "run: a device to acquire; may be repeated" },
        [OPTION_MODE]       = { "mode", ' ', "MODE", TEXT(mode),
                                "What is handed over; vmm when not given" },
        [OPTION_ACCOUNTING] = { "accounting", ' ', "WHOM", TEXT(accounting),
                                "Charge pinned memory to the process or the user" },
        [OPTION_NO_WAIT]    = { "no-wait", ' ', NULL, FLAG(no_wait),
                                "release: don't wait until the lease is gone" },
        [OPTION_NO_ASK_PASSWORD] = { "no-ask-password", ' ', NULL, FLAG(no_ask_password),
                                "Don't have anybody asked for a password" },
        [OPTION_PERSISTENT] = { "persistent", ' ', NULL, FLAG(persistent),
                                "claim: again when the host starts" },
        [OPTION_ACCEPT]     = { "accept", ' ', NULL, FLAG(accept),
                                "claim: approve of devices that are new" },
        [OPTION_TIMEOUT]    = { "timeout", ' ', "SECONDS", SECONDS(timeout_usec),
                                "How long to wait; release: 30, others: 300" },
        [OPTION_AS]         = { "as", ' ', "USER", BY(set_as),
                                "[policy] explain: for this user" },
        [OPTION_RAM]        = { "ram", ' ', "SIZE", BY(set_ram),
                                "Can so much memory be pinned? 8G, 512M" },
        [OPTION_SINCE]      = { "since", ' ', "TIME", BY(set_since),
                                "log: from then on; 2026-01-31, today, 2h (ago)" },
        [OPTION_LEASE]      = { "lease", ' ', "LEASE", BY(set_lease),
                                "log: of this lease alone" },
        [OPTION_UID]        = { "uid", ' ', "USER", BY(set_uid),
                                "log: of this user alone, by name or number" },
        [OPTION_REQUEST]    = { "request", ' ', NULL, FLAG(request),
                                "release: ask the holder, and end nothing" },
        [OPTION_DEADLINE]   = { "deadline", ' ', "SECONDS", SECONDS(deadline_usec),
                                "release --request: by when, from now on" },
        [OPTION_REASON]     = { "reason", ' ', "TEXT", TEXT(reason),
                                "release --request: why, for people" },
        [OPTION_KILL]       = { "kill", ' ', NULL, FLAG(kill),
                                "release: end whoever has a device open" },
        [OPTION_SUPERVISE]  = { "supervise", ' ', NULL, FLAG(supervise),
                                "run: SIGTERM to the command when asked to release" },
        [OPTION_UNIT]       = { "unit", ' ', "UNIT", TEXT(unit),
                                "policy explain: who runs in this unit" },
        [OPTION_SLICE]      = { "slice", ' ', "SLICE", TEXT(slice),
                                "policy explain: who runs in this slice" },
        [OPTION_CGROUP]     = { "cgroup", ' ', "PATH", TEXT(cgroup),
                                "policy explain: who runs in this control group" },
        [OPTION_LABEL]      = { "label", ' ', "LABEL", TEXT(label),
                                "policy explain: who has this security label" },
        [OPTION_USERNS]     = { "userns", ' ', "WHICH", TEXT(userns),
                                "policy explain: own (default) or other" },
        [OPTION_KIND]       = { "kind", ' ', "KIND", TEXT(kind),
                                "domain alloc: paging (default), nest-parent, nested" },
        [OPTION_DIRTY_TRACKING] = { "dirty-tracking", ' ', NULL, FLAG(dirty_tracking),
                                "domain alloc: it knows which pages were written to" },
        [OPTION_PASID_CAPABLE] = { "pasid-capable", ' ', NULL, FLAG(pasid_capable),
                                "domain alloc: it can be attached to PASIDs" },
        [OPTION_DATA]       = { "data", ' ', "TYPE[:HEX]", TEXT(data),
                                "domain alloc, alloc-viommu: for the IOMMU's driver" },
        [OPTION_WINDOW]     = { "window", ' ', "FIRST-LAST", BY(set_window),
                                "domain alloc-ioas: what can be mapped; up to 8 times" },
        [OPTION_SMALL_PAGES] = { "small-pages", ' ', NULL, FLAG(small_pages),
                                "domain alloc-ioas: none are combined to bigger ones" },
        [OPTION_ANSWER]     = { "answer", ' ', "HOW", TEXT(answer),
                                "domain faults: invalid (default), or ask" },
        [OPTION_DEPTH]      = { "depth", ' ', "EVENTS", ADDRESS(depth),
                                "domain events: so many are kept; 64 when not given" },
        [OPTION_PASID]      = { "pasid", ' ', "PASID", TEXT(pasid),
                                "domain attach, detach: not the device; number or any" },
        [OPTION_OFFSET]     = { "offset", ' ', "BYTES", ADDRESS(offset),
                                "domain map: from there on; 0 when not given" },
        [OPTION_LENGTH]     = { "length", ' ', "BYTES", ADDRESS(length),
                                "domain map: so much; to the end when not given" },
        [OPTION_IOVA]       = { "iova", ' ', "ADDRESS", ADDRESS(iova),
                                "domain map: there, not where there is room" },
        [OPTION_READ_ONLY]  = { "read-only", ' ', NULL, FLAG(read_only),
                                "domain map: devices can't write" },
        [OPTION_COPY]       = { "copy", ' ', NULL, FLAG(copy),
                                "domain map: a copy of the file, not the file" },
        [OPTION_PAGE_SIZE]  = { "page-size", ' ', "BYTES", ADDRESS(page_size),
                                "domain bitmap: what is told apart; 4096 when not given" },
        [OPTION_KEEP]       = { "keep", ' ', NULL, FLAG(keep),
                                "domain bitmap: what is dirty stays so" },
        [OPTION_HELP]       = { "help", 'h', NULL, NOTHING,
                                "Show this help" },
        [OPTION_VERSION]    = { "version", ' ', NULL, NOTHING,
                                "Show the version of iommuctl" },
};

static_assert(ELEMENTSOF(option_table) == _OPTION_MAX, "option_table does not have every option");

static int set_option(Options *options, Option option, char *argument) {
        void *member = (char *) options + option_table[option].member;

        switch (option_table[option].set) {

        case SET_FLAG:
                *(bool *) member = true;
                return 0;
        case SET_TEXT:
                *(const char **) member = argument;
                return 0;
        case SET_SECONDS:
                return set_seconds(member, option_table[option].name, argument);
        case SET_ADDRESS:
                return set_address(member, option_table[option].name, argument);
        case SET_BY_FUNCTION:
                return option_table[option].function(options, argument);
        case SET_NOTHING:
                break;
        }

        return 0;
}

int options_parse(int argc, char **argv, bool first, Options *options) {
        struct option table[_OPTION_MAX + 1] = {};
        int c, r;

        for (int i = 0; i < _OPTION_MAX; i++)
                table[i] = (struct option) {
                        .name = option_table[i].name,
                        .has_arg = option_table[i].argument ? required_argument : no_argument,
                        .val = option_table[i].letter != ' ' ? option_table[i].letter : UCHAR_MAX + i,
                };

        optind = 0;                     /* starts anew */
        while ((c = getopt_long(argc, argv, first ? "+d:h" : "d:h", table, NULL)) >= 0) {
                Option option = _OPTION_INVALID;

                for (int i = 0; i < _OPTION_MAX; i++)
                        if (table[i].val == c)
                                option = (Option) i;
                if (option == _OPTION_INVALID)
                        return -EINVAL; /* getopt_long() has said why */

                r = set_option(options, option, optarg);
                if (r < 0)
                        return r;
                options->given |= UINT64_C(1) << option;
        }

        return 0;
}

bool options_check(const Options *options, const char *what, uint64_t allowed) {
        for (int i = 0; i < _OPTION_MAX; i++)
                if (options->given & ~allowed & UINT64_C(1) << i) {
                        complain("%s has no option --%s", what, option_table[i].name);
                        return false;
                }

        return true;
}

void options_print_help(void) {
        for (size_t i = 0; i < ELEMENTSOF(option_table); i++) {
                const char *argument = option_table[i].argument;
                bool letter = option_table[i].letter != ' ';
                _cleanup_free_ char *left = print_string(
                                "%c%c%c --%s%s%s",
                                letter ? '-' : ' ', option_table[i].letter, letter ? ',' : ' ',
                                option_table[i].name, argument ? "=" : "", argument ?: "");

                printf("  %-33s %s\n", left, option_table[i].help);
        }
}
