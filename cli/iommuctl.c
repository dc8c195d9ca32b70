/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "bytes.h"
#include "cli.h"
#include "since.h"

typedef enum Option {
        OPTION_JSON,
        OPTION_DEVICE,
        OPTION_MODE,
        OPTION_ACCOUNTING,
        OPTION_NO_WAIT,
        OPTION_NO_ASK_PASSWORD,
        OPTION_PERSISTENT,
        OPTION_ACCEPT,
        OPTION_TIMEOUT,
        OPTION_AS,
        OPTION_RAM,
        OPTION_SINCE,
        OPTION_LEASE,
        OPTION_UID,
        OPTION_REQUEST,
        OPTION_DEADLINE,
        OPTION_REASON,
        OPTION_KILL,
        OPTION_SUPERVISE,
        OPTION_UNIT,
        OPTION_SLICE,
        OPTION_CGROUP,
        OPTION_LABEL,
        OPTION_USERNS,
        OPTION_HELP,
        OPTION_VERSION,
        _OPTION_MAX,
        _OPTION_INVALID = -EINVAL,
} Option;

/* As bits, for the sets of them that verbs have */
#define JSON (1U << OPTION_JSON)
#define DEVICE (1U << OPTION_DEVICE)
#define REQUEST (1U << OPTION_MODE | 1U << OPTION_ACCOUNTING)
#define CLAIM (1U << OPTION_PERSISTENT | 1U << OPTION_ACCEPT)
#define NO_WAIT (1U << OPTION_NO_WAIT)
#define ASK (1U << OPTION_NO_ASK_PASSWORD)
#define TIMEOUT (1U << OPTION_TIMEOUT)
#define RAM (1U << OPTION_RAM)
#define AS (1U << OPTION_AS)
#define LOG (1U << OPTION_SINCE | 1U << OPTION_LEASE | 1U << OPTION_UID)
#define WHO                                                                                                 \
        (1U << OPTION_AS | 1U << OPTION_UNIT | 1U << OPTION_SLICE | 1U << OPTION_CGROUP |                   \
         1U << OPTION_LABEL | 1U << OPTION_USERNS | 1U << OPTION_MODE)
#define HOLDER (1U << OPTION_REQUEST | 1U << OPTION_DEADLINE | 1U << OPTION_REASON | 1U << OPTION_KILL)
#define SUPERVISE (1U << OPTION_SUPERVISE)

static const struct {
        const char *name;
        char letter;                    /* ' ': only the long one */
        const char *argument;           /* NULL: none */
        const char *help;
} option_table[] = {
        [OPTION_JSON]       = { "json", ' ', NULL,
                                "Print JSON" },
        [OPTION_DEVICE]     = { "device", 'd', "SELECTOR",
                                "run: a device to acquire; may be repeated" },
        [OPTION_MODE]       = { "mode", ' ', "MODE",
                                "What is handed over; vmm when not given" },
        [OPTION_ACCOUNTING] = { "accounting", ' ', "WHOM",
                                "Charge pinned memory to the process or the user" },
        [OPTION_NO_WAIT]    = { "no-wait", ' ', NULL,
                                "release: don't wait until the lease is gone" },
        [OPTION_NO_ASK_PASSWORD] = { "no-ask-password", ' ', NULL,
                                "Don't have anybody asked for a password" },
        [OPTION_PERSISTENT] = { "persistent", ' ', NULL,
                                "claim: again when the host starts" },
        [OPTION_ACCEPT]     = { "accept", ' ', NULL,
                                "claim: approve of devices that are new" },
        [OPTION_TIMEOUT]    = { "timeout", ' ', "SECONDS",
                                "How long to wait; release: 30, others: 300" },
        [OPTION_AS]         = { "as", ' ', "USER",
                                "[policy] explain: for this user" },
        [OPTION_RAM]        = { "ram", ' ', "SIZE",
                                "Can so much memory be pinned? 8G, 512M" },
        [OPTION_SINCE]      = { "since", ' ', "TIME",
                                "log: from then on; 2026-01-31, today, 2h (ago)" },
        [OPTION_LEASE]      = { "lease", ' ', "LEASE",
                                "log: of this lease alone" },
        [OPTION_UID]        = { "uid", ' ', "USER",
                                "log: of this user alone, by name or number" },
        [OPTION_REQUEST]    = { "request", ' ', NULL,
                                "release: ask the holder, and end nothing" },
        [OPTION_DEADLINE]   = { "deadline", ' ', "SECONDS",
                                "release --request: by when, from now on" },
        [OPTION_REASON]     = { "reason", ' ', "TEXT",
                                "release --request: why, for people" },
        [OPTION_KILL]       = { "kill", ' ', NULL,
                                "release: end whoever has a device open" },
        [OPTION_SUPERVISE]  = { "supervise", ' ', NULL,
                                "run: SIGTERM to the command when asked to release" },
        [OPTION_UNIT]       = { "unit", ' ', "UNIT",
                                "policy explain: who runs in this unit" },
        [OPTION_SLICE]      = { "slice", ' ', "SLICE",
                                "policy explain: who runs in this slice" },
        [OPTION_CGROUP]     = { "cgroup", ' ', "PATH",
                                "policy explain: who runs in this control group" },
        [OPTION_LABEL]      = { "label", ' ', "LABEL",
                                "policy explain: who has this security label" },
        [OPTION_USERNS]     = { "userns", ' ', "WHICH",
                                "policy explain: own (default) or other" },
        [OPTION_HELP]       = { "help", 'h', NULL,
                                "Show this help" },
        [OPTION_VERSION]    = { "version", ' ', NULL,
                                "Show the version of iommuctl" },
};

static_assert(ELEMENTSOF(option_table) == _OPTION_MAX, "option_table does not have every option");

static Status verb_help(const Options *options, char **arguments);

typedef struct Verb {
        const char *name;
        int min_arguments;
        int max_arguments;
        unsigned options;
        VerbFunction function;
        const char *usage;
        const char *help;
} Verb;

static const Verb verb_table[] = {
        { "list",    0, 0,       JSON,                     verb_list,
          "",                                 "List the devices that are in IOMMU groups" },
        { "groups",  0, 0,       JSON,                     verb_groups,
          "",                                 "List the IOMMU groups" },
        { "leases",  0, 0,       JSON,                     verb_leases,
          "",                                 "List what has been handed out, and to whom" },
        { "ps",      0, 0,       JSON,                     verb_ps,
          "",                                 "Show which process has what, and pins how much" },
        { "domain",  0, 1,       JSON,                     verb_domain,
          " [LEASE|SELECTOR]",                "Show what the DMA of a lease reaches" },
        { "show",    1, 1,       JSON,                     verb_show,
          " SELECTOR",                        "Show a device with its group and lease" },
        { "find",    1, 1,       JSON,                     verb_find,
          " SELECTOR",                        "Print the names of the devices" },
        { "explain", 1, INT_MAX, JSON | REQUEST | RAM | AS, verb_explain,
          " SELECTOR...",                     "Say what speaks for and against getting it" },
        { "plan",    1, INT_MAX, JSON | REQUEST | RAM,     verb_plan,
          " SELECTOR...",                     "Show what acquire would do, and change nothing" },
        { "acquire", 1, INT_MAX, JSON | REQUEST | ASK | TIMEOUT, verb_acquire,
          " SELECTOR...",                     "Hold devices until the end of input" },
        { "run",     1, INT_MAX, DEVICE | REQUEST | ASK | RAM | TIMEOUT | SUPERVISE, verb_run,
          " -d SELECTOR... -- COMMAND...",    "Run a command that gets devices" },
        { "release", 1, 1,       JSON | NO_WAIT | TIMEOUT | HOLDER, verb_release,
          " LEASE|SELECTOR",                  "End a lease, ask for its end, end its holders" },
        { "claim",   1, 1,       JSON | CLAIM,             verb_claim,
          " SELECTOR",                        "Park the group, for clients to come" },
        { "unclaim", 1, 1,       JSON,                     verb_unclaim,
          " SELECTOR",                        "Give a claimed group back to its drivers" },
        { "quarantine", 0, 2,    JSON,                     verb_quarantine,
          " [clear SELECTOR]",                "List or clear devices that were not reset" },
        { "log",     0, 1,       JSON | LOG,               verb_log,
          " [SELECTOR]",                      "Show what was handed out, refused, given back" },
        { "policy",  1, INT_MAX, JSON | WHO,               verb_policy,
          " check|explain ARGUMENT...",       "Find mistakes in the policy; say what decides" },
        { "reload",  0, 0,       0,                        verb_reload,
          "",                                 "Load the policy again" },
        { "version", 0, 0,       JSON,                     verb_version,
          "",                                 "Show the versions of iommuctl and iommud" },
        { "help",    0, 0,       0,                        verb_help,
          "",                                 "Show this help" },
};

static Status verb_help(const Options *options, char **arguments) {
        puts("iommuctl [VERB] [OPTIONS...] [ARGUMENTS...]\n"
             "\n"
             "Devices, IOMMU groups and leases of iommud.\n"
             "\n"
             "Verbs (list, when there is none):");
        for (size_t i = 0; i < ELEMENTSOF(verb_table); i++) {
                _cleanup_free_ char *left = print_string("%s%s", verb_table[i].name, verb_table[i].usage);

                printf("  %-33s %s\n", left, verb_table[i].help);
        }

        puts("\nOptions:");
        for (size_t i = 0; i < ELEMENTSOF(option_table); i++) {
                const char *argument = option_table[i].argument;
                bool letter = option_table[i].letter != ' ';
                _cleanup_free_ char *left = print_string(
                                "%c%c%c --%s%s%s",
                                letter ? '-' : ' ', option_table[i].letter, letter ? ',' : ' ',
                                option_table[i].name, argument ? "=" : "", argument ?: "");

                printf("  %-33s %s\n", left, option_table[i].help);
        }

        puts("\n"
             "A SELECTOR is a PCI address, VENDOR:DEVICE, group:N, pf=ADDRESS,vf=N, serial=TEXT, tag:TAG,\n"
             "or a name that the administrator or the kernel gave a device. See iommuctl(1).");
        return STATUS_OK;
}

static int set_seconds(uint64_t *usec, Option option, const char *text) {
        uint32_t seconds;

        if (parse_u32(text, &seconds) < 0 || seconds == 0) {
                complain("--%s takes a number of seconds, which '%s' is not", option_table[option].name,
                         text);
                return -EINVAL;
        }

        *usec = seconds * UINT64_C(1000000);
        return 0;
}

static int set_since(Options *options, const char *text) {
        if (parse_since(text, (uint64_t) time(NULL) * 1000000, &options->since_usec) < 0) {
                complain("--since takes a time, such as 2026-01-31, '2026-01-31 23:59', today, 90s, 15min, "
                         "2h or 3d, which '%s' is not", text);
                return -EINVAL;
        }

        return 0;
}

static int set_lease(Options *options, const char *text) {
        if (parse_u64(text, &options->lease) < 0 || options->lease == 0) {
                complain("--lease takes the number of a lease, which '%s' is not", text);
                return -EINVAL;
        }

        return 0;
}

static int set_ram(Options *options, const char *text) {
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

static int set_uid(Options *options, const char *text) {
        options->has_uid = true;
        return find_user(text, &options->uid);
}

static int set_as(Options *options, const char *text) {
        options->has_as = true;
        return find_user(text, &options->as);
}

static int set_option(Options *options, Option option, char *argument) {
        switch (option) {
        case OPTION_JSON:
                options->json = true;
                return 0;
        case OPTION_DEVICE:
                options->devices = need(reallocarray(
                                options->devices, options->n_devices + 2, sizeof(*options->devices)));
                options->devices[options->n_devices++] = argument;
                options->devices[options->n_devices] = NULL;
                return 0;
        case OPTION_MODE:
                options->mode = argument;
                return 0;
        case OPTION_ACCOUNTING:
                options->accounting = argument;
                return 0;
        case OPTION_NO_WAIT:
                options->no_wait = true;
                return 0;
        case OPTION_NO_ASK_PASSWORD:
                options->no_ask_password = true;
                return 0;
        case OPTION_PERSISTENT:
                options->persistent = true;
                return 0;
        case OPTION_ACCEPT:
                options->accept = true;
                return 0;
        case OPTION_TIMEOUT:
                return set_seconds(&options->timeout_usec, option, argument);
        case OPTION_AS:
                return set_as(options, argument);
        case OPTION_RAM:
                return set_ram(options, argument);
        case OPTION_SINCE:
                return set_since(options, argument);
        case OPTION_LEASE:
                return set_lease(options, argument);
        case OPTION_UID:
                return set_uid(options, argument);
        case OPTION_REQUEST:
                options->request = true;
                return 0;
        case OPTION_DEADLINE:
                return set_seconds(&options->deadline_usec, option, argument);
        case OPTION_REASON:
                options->reason = argument;
                return 0;
        case OPTION_KILL:
                options->kill = true;
                return 0;
        case OPTION_SUPERVISE:
                options->supervise = true;
                return 0;
        case OPTION_UNIT:
                options->unit = argument;
                return 0;
        case OPTION_SLICE:
                options->slice = argument;
                return 0;
        case OPTION_CGROUP:
                options->cgroup = argument;
                return 0;
        case OPTION_LABEL:
                options->label = argument;
                return 0;
        case OPTION_USERNS:
                options->userns = argument;
                return 0;
        case OPTION_HELP:
        case OPTION_VERSION:
                return 0;
        case _OPTION_MAX:
        case _OPTION_INVALID:
                break;
        }

        return -EINVAL;
}

/*
 * Reads options into @options and notes in @seen which there were; with @first only up to the first
 * argument, else from between the arguments too. optind is the index of the first argument afterwards.
 */
static int parse_options(int argc, char **argv, bool first, Options *options, unsigned *seen) {
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
                *seen |= 1U << option;
        }

        return 0;
}

static const Verb *find_verb(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verb_table); i++)
                if (strcmp(verb_table[i].name, name) == 0)
                        return &verb_table[i];

        complain("there is no verb '%s', see 'iommuctl --help'", name);
        return NULL;
}

static int check_usage(const Verb *verb, unsigned seen, int n_arguments) {
        for (int i = 0; i < _OPTION_MAX; i++)
                if (seen & ~verb->options & 1U << i) {
                        complain("%s has no option --%s", verb->name, option_table[i].name);
                        return -EINVAL;
                }

        if (n_arguments < verb->min_arguments || n_arguments > verb->max_arguments) {
                complain("too %s arguments, it is 'iommuctl %s%s'",
                         n_arguments < verb->min_arguments ? "few" : "many", verb->name, verb->usage);
                return -EINVAL;
        }

        return 0;
}

static Status run_verb(int argc, char *argv[], Options *options) {
        static char program[] = "iommuctl";
        unsigned seen = 0;
        const Verb *verb;

        if (parse_options(argc, argv, /* first= */ true, options, &seen) < 0)
                return STATUS_USAGE;
        argc -= optind;
        argv += optind;

        verb = find_verb(argc > 0 ? argv[0] : "list");
        if (!verb)
                return STATUS_USAGE;

        if (argc > 0) {
                argv[0] = program;      /* what getopt_long() complains as */
                if (parse_options(argc, argv, verb->function == verb_run, options, &seen) < 0)
                        return STATUS_USAGE;
                argc -= optind;
                argv += optind;
        }

        if (seen & 1U << OPTION_HELP)
                return verb_help(options, argv);
        if (seen & 1U << OPTION_VERSION) {
                puts("iommuctl " IOMMUD_VERSION);
                return STATUS_OK;
        }

        return check_usage(verb, seen, argc) < 0 ? STATUS_USAGE : verb->function(options, argv);
}

int main(int argc, char *argv[]) {
        Options options = {};
        Status status;

        status = run_verb(argc, argv, &options);
        free(options.devices);

        if (fflush(stdout) != 0 || ferror(stdout)) {
                complain("cannot write to standard output: %s", strerror(errno));
                return status == STATUS_OK ? STATUS_BROKEN : status;
        }

        return status;
}
