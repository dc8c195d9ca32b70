/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Policy files: what holds for every file that is accepted, and for every message about one that is not. */

#include <string.h>

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

static const Subject subjects[] = {
        { .uid = 0, .gids = { 0 }, .n_gids = 1, .own_userns = true },
        { .uid = 0, .gids = { 0 }, .n_gids = 1 },
        { .uid = 1000, .gids = { 1000, 104 }, .n_gids = 2, .own_userns = true },
        { .uid = 970, .gids = { 0, 1070 }, .n_gids = 2 },
        { .uid = UINT32_MAX - 1 },
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
        assert(rule->any_subject != (rule->n_uids > 0 || rule->n_gids > 0));

        for (size_t i = 0; i < rule->n_uids; i++)
                assert(rule->uids[i] != (uid_t) -1);
        for (size_t i = 0; i < rule->n_gids; i++)
                assert(rule->gids[i] != (gid_t) -1);
        for (size_t i = 0; i < rule->n_devices; i++)
                assert(rule->devices[i].kind != DEVICE_MATCH_NONE);
}

static void check_answer(const Policy *policy, const Subject *subject, const DeviceFacts *device) {
        PolicyAnswer answer, again, default_answer;

        answer = policy_decide(policy, subject, device);
        again = policy_decide(policy, subject, device);
        assert(answer.verdict == again.verdict && answer.rule == again.rule);

        if (answer.rule) {
                assert(answer.rule >= policy->rules && answer.rule < policy->rules + policy->n_rules);
                assert(answer.verdict == answer.rule->verdict);
        } else {
                default_answer = policy_decide(NULL, subject, device);
                assert(answer.verdict == default_answer.verdict);
                assert(answer.verdict == VERDICT_DENY || subject_is_root(subject));
        }

        /* Nobody identified, nobody allowed */
        assert(subject->uid != (uid_t) -1 || answer.verdict == VERDICT_DENY);
}

/* A proof never takes anything away: what is allowed to somebody who may be root is allowed to root. */
static void check_proof(const Policy *policy, const Subject *subject, const DeviceFacts *device) {
        Subject proved = *subject, unproved = *subject;

        proved.own_userns = true;
        unproved.own_userns = false;

        if (policy_decide(policy, &unproved, device).verdict == VERDICT_ALLOW)
                assert(policy_decide(policy, &proved, device).verdict == VERDICT_ALLOW);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(config_error_done) ConfigError error = {};
        _cleanup_(policy_freep) Policy *policy = NULL;
        int r;

        r = policy_new(&policy);
        assert(r == 0);

        r = policy_parse_with_names("fuzz.json", data, size, &names, policy, &error);
        if (r < 0) {
                check_error(&error, r, size);
                return 0;
        }

        assert(!error.file && !error.message && !error.path);
        for (size_t i = 0; i < policy->n_rules; i++)
                check_rule(&policy->rules[i]);

        for (size_t i = 0; i < ELEMENTSOF(subjects); i++)
                for (size_t j = 0; j < ELEMENTSOF(devices); j++) {
                        check_answer(policy, &subjects[i], &devices[j]);
                        check_proof(policy, &subjects[i], &devices[j]);
                }

        return 0;
}
