/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The limit of locked memory of a client: whose is raised, when, how far, and that it is nobody else's. */

#include <sys/resource.h>

#include "base/fd.h"
#include "bus-rig.h"
#include "bus/memlock.h"
#include "core/policy.h"
#include "fake/assert.h"
#include "fake/child.h"
#include "names.h"
#include "sys/journal.h"

#define DEVICE "0000:01:00.0"
#define MIB (UINT64_C(1) << 20)

/* The limits of every process; how often they were set; who ends when they are set for the first time. */
static struct rlimit limits;
static unsigned n_set;
static int set_error;
static Child *ends;
static pid_t asked_for;

int __wrap_prlimit64(pid_t pid, int resource, const struct rlimit *new, struct rlimit *old);
int __wrap_prlimit64(pid_t pid, int resource, const struct rlimit *new, struct rlimit *old) {
        assert_eq_int(resource, RLIMIT_MEMLOCK);
        asked_for = pid;
        if (new && set_error) {
                errno = set_error;
                return -1;
        }

        if (old)
                *old = limits;
        if (new) {
                assert(new->rlim_cur <= new->rlim_max);
                limits = *new;
                n_set++;
                if (ends)
                        child_end(ends);
        }
        return 0;
}

/* What was said of it in the journal */
static char said[512];

_printf_(4, 5) void __wrap_log_event(
        const char *message_id, int priority, const LogFields *fields, const char *format, ...);
void __wrap_log_event(
        const char *message_id, int priority, const LogFields *fields, const char *format, ...) {
        va_list ap;

        if (strcmp(message_id, IOMMUD_MESSAGE_MEMLOCK) != 0)
                return;
        assert_eq_str(fields->event, IOMMUD_EVENT_MEMLOCK);
        va_start(ap, format);
        vsnprintf(said, sizeof(said), format, ap);
        va_end(ap);
}

static void reset(uint64_t soft, uint64_t hard) {
        limits = (struct rlimit) { soft, hard };
        n_set = 0;
        set_error = 0;
        ends = NULL;
        asked_for = 0;
        said[0] = '\0';
}

static void test_raise(void) {
        static const struct {
                uint64_t soft, hard, bytes;
                int result;
                uint64_t new_soft, new_hard;
        } table[] = {
                { 8 * MIB, 8 * MIB, 64 * MIB, 1, 64 * MIB, 64 * MIB },
                /* what he may have anyway stays what it is */
                { 8 * MIB, 256 * MIB, 64 * MIB, 1, 64 * MIB, 256 * MIB },
                { 8 * MIB, RLIM_INFINITY, 64 * MIB, 1, 64 * MIB, RLIM_INFINITY },
                { 8 * MIB, 8 * MIB, UINT64_MAX, 1, RLIM_INFINITY, RLIM_INFINITY },
                /* and no limit becomes lower */
                { 64 * MIB, 64 * MIB, 64 * MIB, 0, 64 * MIB, 64 * MIB },
                { 128 * MIB, 128 * MIB, 64 * MIB, 0, 128 * MIB, 128 * MIB },
                { RLIM_INFINITY, RLIM_INFINITY, UINT64_MAX, 0, RLIM_INFINITY, RLIM_INFINITY },
        };
        _cleanup_(child_done) Child child = CHILD_INIT;

        if (!child_start(&child, /* flags= */ 0))
                return;

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                Memlock before = {};

                reset(table[i].soft, table[i].hard);
                assert_eq_int(memlock_raise(child.pidfd, getuid(), table[i].bytes, &before),
                              table[i].result);
                assert_eq_int(limits.rlim_cur, table[i].new_soft);
                assert_eq_int(limits.rlim_max, table[i].new_hard);
                assert_eq_int(before.limit, table[i].soft);
                assert_eq_int(before.pid, child.pid);
                assert_eq_int(asked_for, child.pid);
                assert_eq_int(n_set, table[i].result);
        }
}

/* Nothing is done to a process of somebody else's, to one that has ended, or to what is no process. */
static void test_not_raised(void) {
        _cleanup_(child_done) Child child = CHILD_INIT, dead = CHILD_INIT, dying = CHILD_INIT;
        Memlock before = {};

        /* each has what keeps those alive that were there before */
        if (!child_start(&dead, /* flags= */ 0))
                return;
        child_end(&dead);
        if (!child_start(&child, 0) || !child_start(&dying, 0))
                return;

        reset(8 * MIB, 8 * MIB);
        assert_eq_int(memlock_raise(child.pidfd, getuid() + 1, 64 * MIB, &before), -EPERM);
        assert_eq_int(memlock_raise(dead.pidfd, getuid(), 64 * MIB, &before), -ESRCH);
        assert_eq_int(memlock_raise(-EBADF, getuid(), 64 * MIB, &before), -EBADF);
        assert_eq_int(asked_for, 0);

        set_error = EPERM;
        assert_eq_int(memlock_raise(child.pidfd, (uid_t) -1, 64 * MIB, &before), -EPERM);
        assert_eq_int(limits.rlim_cur, 8 * MIB);

        /* it ends when it is raised: whoever has its number by now has back what he had */
        reset(8 * MIB, 16 * MIB);
        ends = &dying;
        assert_eq_int(memlock_raise(dying.pidfd, getuid(), 64 * MIB, &before), -ESRCH);
        assert_eq_int(n_set, 2);
        assert_eq_int(limits.rlim_cur, 8 * MIB);
        assert_eq_int(limits.rlim_max, 16 * MIB);
}

static BusRig *rig_new(uint64_t memlock, const Child *child) {
        BusRig *rig = bus_rig_new();
        Policy *policy = rig->scene->manager->policy;
        PolicyRule *rule;

        /* whoever runs the test: root has no need of a rule, and gets nothing by one then */
        assert_ok(policy_append(policy, &rule));
        rule->origin = strdup("test.json: any");
        rule->verdict = VERDICT_ALLOW;
        rule->subject.any = true;
        assert_ok(policy_rule_add_device(rule, &(DeviceMatch) { .any = true }));

        scene_add(rig->scene, DEVICE, 12, "vfio-pci");
        for (size_t i = 0; i < policy->n_rules; i++)
                policy->rules[i].memlock = memlock;
        bus_rig_commit(rig);
        rig->subject.uid = getuid();
        rig->subject.own_userns = true;
        rig->pidfd = child->pidfd;
        return rig;
}

static sd_bus_message *acquire(BusRig *rig, uint64_t ram, int holder) {
        _cleanup_message_ sd_bus_message *call = bus_rig_message(rig, "Acquire");
        sd_bus_message *reply;

        assert_ok(sd_bus_message_append(call, "as", 1, DEVICE));
        assert_ok(sd_bus_message_open_container(call, 'a', "{sv}"));
        if (ram > 0)
                assert_ok(sd_bus_message_append(call, "{sv}", IOMMUD_OPTION_RAM, "t", ram));
        if (holder >= 0)
                assert_ok(sd_bus_message_append(call, "{sv}", IOMMUD_OPTION_HOLDER, "h", holder));
        assert_ok(sd_bus_message_close_container(call));
        bus_rig_send(rig, call, &reply);
        bus_rig_process(rig);
        return reply;
}

/* With the devices, as far as the rule lets it, and only if it was asked for and is a client's of his. */
static void test_acquire(void) {
        static const struct {
                uint64_t memlock, ram;
                bool unknown, other;                 /* the caller's process; it is somebody else's */
                uint64_t limit;
                const char *text;
        } table[] = {
                { UINT64_MAX, 64 * MIB, false, false, 192 * MIB,
                  "may lock 192 MiB of memory, and could lock 8" },
                { 100 * MIB, 64 * MIB, false, false, 100 * MIB, "may lock 100 MiB of memory" },
                { UINT64_MAX, UINT64_MAX, false, false, RLIM_INFINITY, "may lock any amount of memory" },
                { 4 * MIB, 64 * MIB, false, false, 8 * MIB, "" },
                { 0, 64 * MIB, false, false, 8 * MIB, "" },
                { UINT64_MAX, 0, false, false, 8 * MIB, "" },
                { UINT64_MAX, 64 * MIB, true, false, 8 * MIB, "can't be raised to 192 MiB, ignoring" },
                { UINT64_MAX, 64 * MIB, false, true, 8 * MIB, "can't be raised to 192 MiB, ignoring" },
        };
        _cleanup_(child_done) Child child = CHILD_INIT;

        if (!child_start(&child, /* flags= */ 0))
                return;

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;
                _cleanup_rig_ BusRig *rig = rig_new(table[i].memlock, &child);

                reset(8 * MIB, 8 * MIB);
                if (table[i].unknown)
                        rig->pidfd = -EBADF;
                if (table[i].other)
                        rig->subject = ALICE;
                if (table[i].other && ALICE.uid == getuid())
                        continue;
                reply = acquire(rig, table[i].ram, -EBADF);
                assert_reply(reply, "oa{sh}a{sv}");
                assert_eq_int(limits.rlim_cur, table[i].limit);
                if (table[i].text[0])
                        assert_has(said, table[i].text);
                else
                        assert_eq_str(said, "");
        }
}

/* The one that will map the memory is the holder, where there is one. */
static void test_holder(void) {
        _cleanup_(child_done) Child child = CHILD_INIT, holder = CHILD_INIT;
        _cleanup_message_ sd_bus_message *reply = NULL;
        _cleanup_rig_ BusRig *rig = NULL;

        if (!child_start(&child, 0) || !child_start(&holder, 0))
                return;

        reset(8 * MIB, 8 * MIB);
        rig = rig_new(UINT64_MAX, &child);
        reply = acquire(rig, 64 * MIB, holder.pidfd);
        assert_reply(reply, "oa{sh}a{sv}");
        assert_eq_int(limits.rlim_cur, 192 * MIB);
        assert_eq_int(asked_for, holder.pid);
}

/* What is refused has no effect. */
static void test_refused(void) {
        _cleanup_message_ sd_bus_message *reply = NULL, *refused = NULL;
        _cleanup_(child_done) Child child = CHILD_INIT;
        _cleanup_rig_ BusRig *rig = NULL;

        if (!child_start(&child, /* flags= */ 0))
                return;

        rig = rig_new(UINT64_MAX, &child);
        reply = acquire(rig, /* ram= */ 0, -EBADF);
        reset(8 * MIB, 8 * MIB);
        refused = acquire(rig, 64 * MIB, -EBADF);
        assert_error(refused, IOMMUD_ERROR_TAKEN, "");
        assert_eq_int(asked_for, 0);
}

int main(void) {
        test_raise();
        test_not_raised();
        test_acquire();
        test_holder();
        test_refused();
        return 0;
}
