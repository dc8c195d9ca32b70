/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Policy files: what holds for every file that is accepted, and for every message about one that is not. */

#include <string.h>

#include "config/catalog-file.h"
#include "config/policy-parse.h"
#include "core/device.h"
#include "core/policy.h"
#include "core/subject.h"
#include "fuzz.h"

/* Not the accounts of the host: the same input must do the same everywhere. */
static int fake_lookup(const char *name, uint32_t *ret) {
        if (!*name)
                return -ESRCH;

        *ret = (uint32_t) (unsigned char) name[0] * 10;
        return 0;
}

static const NameLookup names = { .user = fake_lookup, .group = fake_lookup };

#define EVERYTHING                                                                                         \
        (SUBJECT_KNOWS_GIDS | SUBJECT_KNOWS_USERNS | SUBJECT_KNOWS_CGROUP | SUBJECT_KNOWS_LABEL |           \
         SUBJECT_KNOWS_ENFORCED)

static const Subject subjects[] = {
        { .uid = 0, .known = EVERYTHING, .gids = { 0 }, .n_gids = 1, .own_userns = true },
        { .uid = 0, .known = SUBJECT_KNOWS_GIDS, .gids = { 0 }, .n_gids = 1 },
        { .uid = 1000,
          .known = EVERYTHING,
          .gids = { 1000, 104 },
          .n_gids = 2,
          .own_userns = true,
          .unit = "a.service",
          .slice = "a-b.slice",
          .cgroup = "/a.slice/a-b.slice/a.service",
          .label = "a:b:c" },
        { .uid = 1000, .known = EVERYTHING, .unit = "a.service", .label = "a//&b (enforce)" },
        { .uid = 970, .known = SUBJECT_KNOWS_GIDS, .gids = { 0, 1070 }, .n_gids = 2 },
        { .uid = 970 },
        { .uid = UINT32_MAX - 1, .known = EVERYTHING },
        SUBJECT_INIT,
};

static const DeviceFacts devices[] = {
        { .subsystem = "pci",
          .name = "0000:01:00.0",
          .vendor = 0x8086,
          .device = 0x10d3,
          .class = 0x020000 },
        { .subsystem = "pci",
          .name = "10000:e1:00.0",
          .serial = "S4EW",
          .reset_methods = "flr",
          .vendor = 0x144d,
          .device = 0xa808,
          .class = 0x010802 },
        { .subsystem = "platform", .name = "fe200000.dma" },
        DEVICE_FACTS_INIT,
};

static void check_rule(const PolicyRule *rule) {
        assert(rule->verdict >= 0 && rule->verdict < _VERDICT_MAX);
        assert(rule->origin && strncmp(rule->origin, "fuzz.json: rules[", strlen("fuzz.json: rules[")) == 0);
        assert(rule->n_devices > 0);
        assert(rule->subject.any != subject_match_is_set(&rule->subject));
        assert(rule->verdict != VERDICT_DENY || (!rule->whole_group && !rule->needs_reset));
        assert(rule->modes < 1U << _MODE_MAX);
        assert(rule->features < 1U << _DOMAIN_FEATURE_MAX);
        assert(rule->limits.set < 1U << _ACCOUNT_SLOT_MAX);
        assert(rule->verdict != VERDICT_DENY ||
               (!rule->host_use && rule->limits.set == 0 && rule->memlock == 0));

        for (size_t i = 0; i < rule->subject.n_uids; i++)
                assert(rule->subject.uids[i] != (uid_t) -1);
        for (size_t i = 0; i < rule->subject.n_gids; i++)
                assert(rule->subject.gids[i] != (gid_t) -1);
        for (size_t i = 0; i < rule->n_devices; i++)
                assert(rule->devices[i].any == (rule->devices[i].keys == 0));
}

static Verdict decide(const Policy *policy, const Subject *subject, const DeviceFacts *device) {
        return policy_decide(policy, &(PolicyQuestion) { .subject = subject, .device = device }).verdict;
}

/* A rule that decides for sure is one whose conditions are met. */
static void check_conditions(const PolicyRule *rule, const PolicyQuestion *question) {
        assert(rule->modes == 0 || rule->modes & 1U << question->mode);
        assert(!rule->whole_group || question->whole_group);
        assert(!rule->needs_reset || question->device->reset_methods[0]);
}

static void check_answer(const Policy *policy, const Subject *subject, const DeviceFacts *device, Mode mode,
                         bool whole_group) {
        const PolicyQuestion question = {
                .subject = subject, .device = device, .mode = mode, .whole_group = whole_group,
        };
        PolicyAnswer answer, again;

        answer = policy_decide(policy, &question);
        again = policy_decide(policy, &question);
        assert(answer.verdict == again.verdict && answer.rule == again.rule);

        if (answer.rule) {
                assert(answer.rule >= policy->rules && answer.rule < policy->rules + policy->n_rules);
                assert(answer.verdict ==
                       (answer.match == MATCH_UNKNOWN ? VERDICT_DENY : answer.rule->verdict));
                assert(answer.match == MATCH_YES || answer.rule->verdict != VERDICT_ALLOW);
                assert(!answer.missed);
                if (answer.match == MATCH_YES)
                        check_conditions(answer.rule, &question);
        } else {
                assert(answer.verdict == decide(NULL, subject, device));
                assert(answer.verdict == VERDICT_DENY || subject_is_root(subject));
        }

        /* Nobody identified, nobody allowed */
        assert(subject->uid != (uid_t) -1 || answer.verdict == VERDICT_DENY);
}

/* Nobody gains by what is not known of him: the verdict is not better than it is with the facts. */
static void check_unknown(const Policy *policy, const Subject *subject, const DeviceFacts *device) {
        Verdict verdict = decide(policy, subject, device);

        for (unsigned known = 0; known <= EVERYTHING; known++) {
                Subject less = *subject;

                less.known &= known;
                if (!(less.known & SUBJECT_KNOWS_USERNS))
                        less.own_userns = false;
                if (!(less.known & SUBJECT_KNOWS_GIDS))
                        less.n_gids = 0;
                assert(decide(policy, &less, device) <= verdict);
        }
}

/* Nobody gets higher limits by what is not known of him. */
static void check_limits(const Policy *policy, const Subject *subject) {
        for (AccountSlot slot = 0; slot < _ACCOUNT_SLOT_MAX; slot++) {
                Subject bare = { .uid = subject->uid };
                const char *origin;
                uint64_t limit;

                limit = policy_limit(policy, subject, slot, &origin);
                assert(origin || limit == account_default_limit(slot));
                assert(policy_limit(policy, &bare, slot, &origin) <= limit);
        }
}

static void check_error(const ConfigError *error, int r, size_t size) {
        _cleanup_free_ char *text = NULL;

        assert(r == -EBADMSG || r == -EFBIG);
        assert(error->message && strcmp(error->file, "fuzz.json") == 0);
        assert(r == -EFBIG || (error->line > 0 && error->line <= size + 1));
        assert(r == -EFBIG || (error->column > 0 && error->column <= size + 1));

        assert(config_error_to_string(error, &text) == 0);
        assert(strncmp(text, "fuzz.json:", strlen("fuzz.json:")) == 0);
        for (const char *p = text; *p; p++)
                assert((unsigned char) *p >= ' ' && *p != 0x7f);
}

static const char names_file[] =
        "{\"devices\":[{\"name\":\"disk0\",\"match\":\"serial=S4EW\",\"tags\":[\"lab\",\"fast\"]},"
        "{\"tags\":\"lab\",\"match\":{\"class\":\"02\"}}]}";

/* All that is wrong: the first is what is told when only that is wanted, and each is told as well as it. */
static void check_mistakes(const uint8_t *data, size_t size, const ConfigError *first) {
        _cleanup_(config_error_done) ConfigError all = { .all = true }, none = {};
        _cleanup_(policy_freep) Policy *policy = NULL;
        int r;

        assert(policy_new(&policy) == 0);
        r = catalog_parse("names", names_file, strlen(names_file), &policy->catalog, &none);
        assert(r == 0);
        r = policy_parse_with_names("fuzz.json", data, size, &names, policy, &all);
        assert(r < 0 && strcmp(all.message, first->message) == 0 && all.line == first->line);
        for (const ConfigError *error = &all; error; error = error->next)
                check_error(error, r, size);
}

/* The same bytes as a file of names. */
static void check_names(const uint8_t *data, size_t size) {
        _cleanup_(config_error_done) ConfigError error = {};
        Catalog catalog = {};
        int r;

        r = catalog_parse("fuzz.json", data, size, &catalog, &error);
        if (r < 0)
                check_error(&error, r, size);

        for (size_t i = 0; r >= 0 && i < catalog.n_entries; i++) {
                const CatalogEntry *entry = &catalog.entries[i];

                assert(entry->name[0] || entry->n_tags > 0);
                assert(!entry->name[0] || catalog_find(&catalog, entry->name) == entry);
                for (size_t j = 0; j < entry->n_tags; j++)
                        assert(stable_name_is_valid(entry->tags[j]));
        }

        catalog_done(&catalog);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(config_error_done) ConfigError error = {};
        _cleanup_(policy_freep) Policy *policy = NULL;
        int r;

        r = policy_new(&policy);
        assert(r == 0);

        check_names(data, size);
        r = catalog_parse("names", names_file, strlen(names_file), &policy->catalog, &error);
        assert(r == 0);

        r = policy_parse_with_names("fuzz.json", data, size, &names, policy, &error);
        if (r < 0) {
                check_error(&error, r, size);
                check_mistakes(data, size, &error);
                return 0;
        }

        assert(!error.file && !error.message && !error.path);
        for (size_t i = 0; i < policy->n_rules; i++)
                check_rule(&policy->rules[i]);

        for (size_t i = 0; i < ELEMENTSOF(subjects); i++) {
                check_limits(policy, &subjects[i]);
                for (size_t j = 0; j < ELEMENTSOF(devices); j++) {
                        for (Mode mode = 0; mode < _MODE_MAX; mode++) {
                                check_answer(policy, &subjects[i], &devices[j], mode, false);
                                check_answer(policy, &subjects[i], &devices[j], mode, true);
                        }
                        check_unknown(policy, &subjects[i], &devices[j]);
                }
        }

        return 0;
}
