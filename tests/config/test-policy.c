/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>
#include <string.h>

#include "core/device.h"
#include "core/policy.h"
#include "core/subject.h"

#define ALICE 1000
#define BOB 1001
#define KVM 104
#define LAB 2000

static const DeviceFacts nvme = {
        .subsystem = "pci", .name = "0000:01:00.0", .vendor = 0x144d, .device = 0xa808, .class = 0x010802,
};
static const DeviceFacts nic = {
        .subsystem = "pci", .name = "0000:02:00.0", .vendor = 0x8086, .device = 0x10d3, .class = 0x020000,
};
/* Neither ids nor class: the zeros are "unknown" */
static const DeviceFacts dma_engine = { .subsystem = "platform", .name = "fe200000.dma" };

static Subject subject(uid_t uid, gid_t gid, bool own_userns) {
        return (Subject) { .uid = uid, .gids = { 100, gid }, .n_gids = 2, .own_userns = own_userns };
}

typedef struct RuleSpec {
        bool used;
        Verdict verdict;
        bool any_subject;
        int64_t uid, gid;                    /* -1: none */
        DeviceMatch device;
} RuleSpec;

#define ALLOW(...) { true, VERDICT_ALLOW, __VA_ARGS__ }
#define DENY(...) { true, VERDICT_DENY, __VA_ARGS__ }

#define NOBODY .uid = -1, .gid = -1
#define UID(id) .uid = (id), .gid = -1
#define GID(id) .uid = -1, .gid = (id)
#define ANYBODY .any_subject = true, NOBODY

#define ANY_DEVICE .device = { .kind = DEVICE_MATCH_ANY }
#define NAMED(s) .device = { .kind = DEVICE_MATCH_NAME, .name = (s) }
#define IDS(v, d) .device = { .kind = DEVICE_MATCH_IDS, .vendor = (v), .device = (d) }
#define CLASS(c, mask) .device = { .kind = DEVICE_MATCH_CLASS, .class = (c), .class_mask = (mask) }

static void append(Policy *policy, const RuleSpec *spec) {
        PolicyRule *rule;
        int r;

        r = policy_append(policy, &rule);
        assert(r == 0);
        assert(rule->verdict == VERDICT_DENY && !rule->any_subject && rule->n_uids == 0 &&
               rule->n_gids == 0 && rule->n_devices == 0);

        rule->origin = strdup("test");
        rule->verdict = spec->verdict;
        rule->any_subject = spec->any_subject;

        if (spec->uid >= 0) {
                rule->uids = malloc(sizeof(*rule->uids));
                rule->uids[rule->n_uids++] = (uid_t) spec->uid;
        }
        if (spec->gid >= 0) {
                rule->gids = malloc(sizeof(*rule->gids));
                rule->gids[rule->n_gids++] = (gid_t) spec->gid;
        }

        rule->devices = malloc(sizeof(*rule->devices));
        rule->devices[rule->n_devices++] = spec->device;
}

/* Which rule is to decide, and how: the verdict of a rule is its own, so only "no rule" has two kinds. */
#define DENIED_BY_NONE (-1)
#define ALLOWED_BY_NONE (-2)

typedef struct Case {
        const char *what;
        int decided_by;                      /* index of the rule, or one of the above */
        uid_t uid;
        gid_t gid;
        RuleSpec rules[3];
        const DeviceFacts *device;           /* NULL: nvme */
        bool foreign;                        /* not proved to be in our user namespace */
} Case;

static const Case no_rule[] = {
        { "nobody is allowed by default", DENIED_BY_NONE, ALICE, KVM },
        { "root of the host is", ALLOWED_BY_NONE, 0, 0 },
        { "root of a container is not", DENIED_BY_NONE, 0, 0, .foreign = true },
};

static const Case subjects[] = {
        { "a uid", 0, ALICE, KVM, { ALLOW(UID(ALICE), ANY_DEVICE) } },
        { "another uid", DENIED_BY_NONE, BOB, KVM, { ALLOW(UID(ALICE), ANY_DEVICE) } },
        { "a uid is no gid", DENIED_BY_NONE, ALICE, KVM, { ALLOW(UID(KVM), ANY_DEVICE) } },
        { "a gid is no uid", DENIED_BY_NONE, ALICE, KVM, { ALLOW(GID(ALICE), ANY_DEVICE) } },
        { "a supplementary group", 0, ALICE, KVM, { ALLOW(GID(KVM), ANY_DEVICE) } },
        { "a group of others", DENIED_BY_NONE, ALICE, LAB, { ALLOW(GID(KVM), ANY_DEVICE) } },
        { "everybody", 0, BOB, LAB, { ALLOW(ANYBODY, ANY_DEVICE) } },
        { "a rule for nobody", DENIED_BY_NONE, ALICE, KVM, { ALLOW(NOBODY, ANY_DEVICE) } },
        { "uid or gid, it is the uid", 0, ALICE, LAB, { ALLOW(.uid = ALICE, .gid = KVM, ANY_DEVICE) } },
        { "uid or gid, it is the gid", 0, BOB, KVM, { ALLOW(.uid = ALICE, .gid = KVM, ANY_DEVICE) } },
        { "uid or gid, it is neither", DENIED_BY_NONE, BOB, LAB,
          { ALLOW(.uid = ALICE, .gid = KVM, ANY_DEVICE) } },
        { "no user at all is not everybody", DENIED_BY_NONE, (uid_t) -1, KVM,
          { ALLOW(ANYBODY, ANY_DEVICE) } },
};

static const Case root[] = {
        { "root can be denied", 0, 0, 0, { DENY(UID(0), ANY_DEVICE) } },
        { "root is everybody too", 0, 0, 0, { DENY(ANYBODY, ANY_DEVICE) } },
        { "what is for uid 0", 0, 0, KVM, { ALLOW(UID(0), ANY_DEVICE) } },
        { "is for the host's", DENIED_BY_NONE, 0, KVM, { ALLOW(UID(0), ANY_DEVICE) }, .foreign = true },
        { "what is for gid 0", 0, ALICE, 0, { ALLOW(GID(0), ANY_DEVICE) } },
        { "too", DENIED_BY_NONE, ALICE, 0, { ALLOW(GID(0), ANY_DEVICE) }, .foreign = true },
        { "what is denied to uid 0 needs no proof", 0, 0, KVM,
          { DENY(UID(0), ANY_DEVICE), ALLOW(ANYBODY, ANY_DEVICE) }, .foreign = true },
        { "nor what is denied to gid 0", 0, ALICE, 0,
          { DENY(GID(0), ANY_DEVICE), ALLOW(ANYBODY, ANY_DEVICE) }, .foreign = true },
        { "nor what is for others", 0, ALICE, KVM, { ALLOW(UID(ALICE), ANY_DEVICE) }, .foreign = true },
};

static const Case devices[] = {
        { "a name", 0, ALICE, KVM, { ALLOW(ANYBODY, NAMED("0000:01:00.0")) } },
        { "another name", DENIED_BY_NONE, ALICE, KVM, { ALLOW(ANYBODY, NAMED("0000:01:00.1")) } },
        { "a part of the name", DENIED_BY_NONE, ALICE, KVM, { ALLOW(ANYBODY, NAMED("0000:01:00")) } },
        { "ids", 0, ALICE, KVM, { ALLOW(ANYBODY, IDS(0x8086, 0x10d3)) }, &nic },
        { "another vendor", DENIED_BY_NONE, ALICE, KVM, { ALLOW(ANYBODY, IDS(0x8087, 0x10d3)) }, &nic },
        { "another device", DENIED_BY_NONE, ALICE, KVM, { ALLOW(ANYBODY, IDS(0x8086, 0x10d4)) }, &nic },
        { "ids, but not of PCI", DENIED_BY_NONE, ALICE, KVM, { ALLOW(ANYBODY, IDS(0, 0)) }, &dma_engine },
        { "base class", 0, ALICE, KVM, { ALLOW(ANYBODY, CLASS(0x010000, 0xff0000)) } },
        { "subclass", 0, ALICE, KVM, { ALLOW(ANYBODY, CLASS(0x010800, 0xffff00)) } },
        { "whole class", 0, ALICE, KVM, { ALLOW(ANYBODY, CLASS(0x010802, 0xffffff)) } },
        { "class beyond its mask", 0, ALICE, KVM, { ALLOW(ANYBODY, CLASS(0x01ffff, 0xff0000)) } },
        { "another class", DENIED_BY_NONE, ALICE, KVM, { ALLOW(ANYBODY, CLASS(0x010800, 0xffff00)) }, &nic },
        { "another subclass", DENIED_BY_NONE, ALICE, KVM, { ALLOW(ANYBODY, CLASS(0x010600, 0xffff00)) } },
        { "another interface", DENIED_BY_NONE, ALICE, KVM, { ALLOW(ANYBODY, CLASS(0x010801, 0xffffff)) } },
        { "class, but not of PCI", DENIED_BY_NONE, ALICE, KVM,
          { ALLOW(ANYBODY, CLASS(0, 0xff0000)) }, &dma_engine },
        { "a mask forgotten", DENIED_BY_NONE, ALICE, KVM, { ALLOW(ANYBODY, CLASS(0x010802, 0)) } },
        { "any, on every bus", 0, ALICE, KVM, { ALLOW(ANYBODY, ANY_DEVICE) }, &dma_engine },
        { "a device forgotten", DENIED_BY_NONE, ALICE, KVM, { ALLOW(ANYBODY) } },
};

static const Case order[] = {
        { "deny first", 0, ALICE, KVM, { DENY(UID(ALICE), ANY_DEVICE), ALLOW(ANYBODY, ANY_DEVICE) } },
        { "allow first", 0, ALICE, KVM, { ALLOW(UID(ALICE), ANY_DEVICE), DENY(ANYBODY, ANY_DEVICE) } },
        { "the first that matches both", 2, ALICE, KVM,
          { DENY(UID(ALICE), NAMED("0000:02:00.0")), DENY(UID(BOB), ANY_DEVICE),
            ALLOW(GID(KVM), ANY_DEVICE) } },
};

static void test_case(const Case *c) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        const Subject s = subject(c->uid, c->gid, !c->foreign);
        const DeviceFacts *device = c->device ?: &nvme;
        PolicyAnswer answer, again, expected;
        int r;

        r = policy_new(&policy);
        assert(r == 0);
        for (size_t i = 0; i < ELEMENTSOF(c->rules) && c->rules[i].used; i++)
                append(policy, &c->rules[i]);

        expected = c->decided_by < 0 ?
                (PolicyAnswer) { c->decided_by == ALLOWED_BY_NONE ? VERDICT_ALLOW : VERDICT_DENY, NULL } :
                (PolicyAnswer) { c->rules[c->decided_by].verdict, &policy->rules[c->decided_by] };

        answer = policy_decide(policy, &s, device);
        if (answer.verdict != expected.verdict || answer.rule != expected.rule) {
                fprintf(stderr, "%s: %s by rule %td\n", c->what, verdict_to_string(answer.verdict),
                        answer.rule ? answer.rule - policy->rules : -1);
                abort();
        }

        again = policy_decide(policy, &s, device);
        assert(again.verdict == answer.verdict && again.rule == answer.rule);
}

static void test_cases(const Case *cases, size_t n_cases) {
        for (size_t i = 0; i < n_cases; i++)
                test_case(&cases[i]);
}

static void test_no_policy(void) {
        Subject admin = subject(0, 0, true), alice = subject(ALICE, ALICE, true), forgotten = SUBJECT_INIT;
        PolicyAnswer answer;

        assert(policy_decide(NULL, &admin, &nvme).verdict == VERDICT_ALLOW);
        assert(policy_decide(NULL, &alice, &nvme).verdict == VERDICT_DENY);
        assert(policy_decide(NULL, &forgotten, &nvme).verdict == VERDICT_DENY);

        answer = (PolicyAnswer) {};
        assert(answer.verdict == VERDICT_DENY);
        assert(!policy_free(NULL));
}

static void test_verdict_table(void) {
        for (int v = 0; v < _VERDICT_MAX; v++)
                assert((int) verdict_from_string(verdict_to_string((Verdict) v)) == v);

        assert(verdict_from_string("Allow") == _VERDICT_INVALID);
        assert(verdict_from_string("") == _VERDICT_INVALID);
        assert(verdict_from_string(NULL) == _VERDICT_INVALID);
}

int main(void) {
        test_cases(no_rule, ELEMENTSOF(no_rule));
        test_cases(subjects, ELEMENTSOF(subjects));
        test_cases(root, ELEMENTSOF(root));
        test_cases(devices, ELEMENTSOF(devices));
        test_cases(order, ELEMENTSOF(order));
        test_no_policy();
        test_verdict_table();
        return 0;
}
