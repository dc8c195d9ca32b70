/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "domain-verb.h"
#include "options.h"

/* Sets of options that verbs have */
#define JSON OPTION_BIT(JSON)
#define DEVICE OPTION_BIT(DEVICE)
#define REQUEST (OPTION_BIT(MODE) | OPTION_BIT(ACCOUNTING))
#define CLAIM (OPTION_BIT(PERSISTENT) | OPTION_BIT(ACCEPT))
#define NO_WAIT OPTION_BIT(NO_WAIT)
#define ASK OPTION_BIT(NO_ASK_PASSWORD)
#define TIMEOUT OPTION_BIT(TIMEOUT)
#define RAM OPTION_BIT(RAM)
#define AS OPTION_BIT(AS)
#define LOG (OPTION_BIT(SINCE) | OPTION_BIT(LEASE) | OPTION_BIT(UID))
#define WHO                                                                                                 \
        (OPTION_BIT(AS) | OPTION_BIT(UNIT) | OPTION_BIT(SLICE) | OPTION_BIT(CGROUP) | OPTION_BIT(LABEL) |   \
         OPTION_BIT(USERNS) | OPTION_BIT(MODE))
#define HOLDER (OPTION_BIT(REQUEST) | OPTION_BIT(DEADLINE) | OPTION_BIT(REASON) | OPTION_BIT(KILL))
#define SUPERVISE OPTION_BIT(SUPERVISE)
/* of which each of its own verbs has some */
#define DOMAIN                                                                                              \
        (OPTION_BIT(KIND) | OPTION_BIT(DIRTY_TRACKING) | OPTION_BIT(PASID_CAPABLE) | OPTION_BIT(DATA) |     \
         OPTION_BIT(WINDOW) | OPTION_BIT(SMALL_PAGES) | OPTION_BIT(PASID) | OPTION_BIT(OFFSET) |            \
         OPTION_BIT(LENGTH) | OPTION_BIT(IOVA) | OPTION_BIT(READ_ONLY) | OPTION_BIT(COPY) |                 \
         OPTION_BIT(PAGE_SIZE) | OPTION_BIT(KEEP) | OPTION_BIT(ANSWER) | OPTION_BIT(DEPTH))

static Status verb_help(const Options *options, char **arguments);

typedef struct Verb {
        const char *name;
        int min_arguments;
        int max_arguments;
        uint64_t options;
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
        { "domain",  0, INT_MAX, JSON | DOMAIN,            verb_domain,
          " [LEASE|SELECTOR|VERB...]",        "Show or change what the DMA of a lease reaches" },
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

        puts("\nVerbs of domain:");
        print_domain_verbs();

        puts("\nOptions:");
        options_print_help();

        puts("\n"
             "A SELECTOR is a PCI address, VENDOR:DEVICE, group:N, pf=ADDRESS,vf=N, serial=TEXT, tag:TAG,\n"
             "or a name that the administrator or the kernel gave a device. See iommuctl(1).");
        return STATUS_OK;
}

static const Verb *find_verb(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verb_table); i++)
                if (strcmp(verb_table[i].name, name) == 0)
                        return &verb_table[i];

        complain("there is no verb '%s', see 'iommuctl --help'", name);
        return NULL;
}

static int check_usage(const Verb *verb, const Options *options, int n_arguments) {
        if (!options_check(options, verb->name, verb->options))
                return -EINVAL;

        if (n_arguments < verb->min_arguments || n_arguments > verb->max_arguments) {
                complain("too %s arguments, it is 'iommuctl %s%s'",
                         n_arguments < verb->min_arguments ? "few" : "many", verb->name, verb->usage);
                return -EINVAL;
        }

        return 0;
}

static Status run_verb(int argc, char *argv[], Options *options) {
        static char program[] = "iommuctl";
        const Verb *verb;

        if (options_parse(argc, argv, /* first= */ true, options) < 0)
                return STATUS_USAGE;
        argc -= optind;
        argv += optind;

        verb = find_verb(argc > 0 ? argv[0] : "list");
        if (!verb)
                return STATUS_USAGE;

        if (argc > 0) {
                argv[0] = program;      /* what getopt_long() complains as */
                if (options_parse(argc, argv, verb->function == verb_run, options) < 0)
                        return STATUS_USAGE;
                argc -= optind;
                argv += optind;
        }

        if (options->given & OPTION_BIT(HELP))
                return verb_help(options, argv);
        if (options->given & OPTION_BIT(VERSION)) {
                puts("iommuctl " IOMMUD_VERSION);
                return STATUS_OK;
        }

        return check_usage(verb, options, argc) < 0 ? STATUS_USAGE : verb->function(options, argv);
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
