/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the journal and the kernel's audit log are told of each event, with its fields, and nothing else. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "bus-rig.h"
#include "bus/audit.h"
#include "core/policy.h"
#include "fake/assert.h"
#include "names.h"
#include "sys/audit-log.h"

#define DEVICE "0000:01:00.0"

static char journal[8192], audit[8192];      /* "grant device=… uid=1000", a line each */
static char text[1024];                      /* the last one, for people */

static void append_fields(char *buffer, size_t size, const char *prefix, const LogFields *fields) {
        size_t n = strlen(buffer);

        n += (size_t) snprintf(buffer + n, size - n, "%s%s", prefix, fields->event);
        if (fields->device)
                n += (size_t) snprintf(buffer + n, size - n, " device=%s", fields->device);
        for (size_t i = 0; i < fields->n_devices; i++)
                n += (size_t) snprintf(buffer + n, size - n, " device=%s", fields->devices[i]);
        if (fields->lease)
                n += (size_t) snprintf(buffer + n, size - n, " lease=%s", fields->lease);
        for (size_t i = 0; i < fields->n_groups; i++)
                n += (size_t) snprintf(buffer + n, size - n, " group=%u", fields->groups[i]);
        if (fields->uid)
                n += (size_t) snprintf(buffer + n, size - n, " uid=%u", *fields->uid);
        if (fields->mode)
                n += (size_t) snprintf(buffer + n, size - n, " mode=%s", fields->mode);
        if (fields->refusal)
                n += (size_t) snprintf(buffer + n, size - n, " refusal=%s", fields->refusal);
        if (fields->by)
                n += (size_t) snprintf(buffer + n, size - n, " by=%u", *fields->by);
        snprintf(buffer + n, size - n, "\n");
}

/* Each event has its message id, and is known by both. */
static const char *event_of_message(const char *id) {
        static const struct {
                const char *id, *event;
        } ids[] = {
                { IOMMUD_MESSAGE_GRANT, IOMMUD_EVENT_GRANT },
                { IOMMUD_MESSAGE_DENIAL, IOMMUD_EVENT_DENIAL },
                { IOMMUD_MESSAGE_FAILURE, IOMMUD_EVENT_FAILURE },
                { IOMMUD_MESSAGE_END, IOMMUD_EVENT_END },
                { IOMMUD_MESSAGE_REVOKE, IOMMUD_EVENT_REVOKE },
                { IOMMUD_MESSAGE_RESET, IOMMUD_EVENT_RESET },
                { IOMMUD_MESSAGE_RELEASE, IOMMUD_EVENT_RELEASE },
                { IOMMUD_MESSAGE_STUCK, IOMMUD_EVENT_STUCK },
                { IOMMUD_MESSAGE_STALE, IOMMUD_EVENT_STALE },
                { IOMMUD_MESSAGE_REQUEST, IOMMUD_EVENT_REQUEST },
                { IOMMUD_MESSAGE_KILL, IOMMUD_EVENT_KILL },
                { IOMMUD_MESSAGE_GROWTH, IOMMUD_EVENT_GROWTH },
                { IOMMUD_MESSAGE_QUARANTINE, IOMMUD_EVENT_QUARANTINE },
                { IOMMUD_MESSAGE_CLEARANCE, IOMMUD_EVENT_CLEARANCE },
                { IOMMUD_MESSAGE_CLAIM, IOMMUD_EVENT_CLAIM },
                { IOMMUD_MESSAGE_CLAIM_FAILED, IOMMUD_EVENT_CLAIM_FAILED },
                { IOMMUD_MESSAGE_CLAIM_RELEASED, IOMMUD_EVENT_CLAIM_RELEASED },
                { IOMMUD_MESSAGE_MEMLOCK, IOMMUD_EVENT_MEMLOCK },
                { IOMMUD_MESSAGE_POLICY, IOMMUD_EVENT_POLICY },
        };

        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                if (strcmp(ids[i].id, id) == 0)
                        return ids[i].event;

        return "";
}

_printf_(4, 5) void __wrap_log_event(
        const char *message_id, int priority, const LogFields *fields, const char *format, ...);
void __wrap_log_event(
        const char *message_id, int priority, const LogFields *fields, const char *format, ...) {
        va_list ap;

        if (!message_id)
                return;                      /* no event, only for people */

        va_start(ap, format);
        vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);

        assert_eq_str(fields->event, event_of_message(message_id));
        append_fields(journal, sizeof(journal), "", fields);
}

void __wrap_audit_log_send(AuditType type, const LogFields *fields, bool success);
void __wrap_audit_log_send(AuditType type, const LogFields *fields, bool success) {
        char prefix[64];

        snprintf(prefix, sizeof(prefix), "%d %s ", type, success ? "success" : "failed");
        append_fields(audit, sizeof(audit), prefix, fields);
}

static void assert_logged(const char *expected_journal, const char *expected_audit) {
        assert_eq_str(journal, expected_journal);
        assert_eq_str(audit, expected_audit);
        journal[0] = audit[0] = '\0';
}

#define LEASE "device=" DEVICE " lease=1 group=1 uid=1000 mode=vmm"

/* A lease of ALICE's, granted. */
static BusRig *rig_granted(Client *ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        BusRig *rig = bus_rig_new();
        uint64_t lease;

        scene_add(rig->scene, DEVICE, 1, "vfio-pci");
        bus_rig_commit(rig);
        assert_logged("", "");

        reply = bus_rig_acquire(rig, DEVICE);
        bus_rig_take_fds(rig, reply, &lease, ret);
        assert_eq_int(lease, 1);
        assert_logged("grant " LEASE "\n", "2307 success grant " LEASE "\n");
        return rig;
}

static void test_life(void) {
        Client client;
        _cleanup_rig_ BusRig *rig = rig_granted(&client);

        client_close(&client);
        bus_rig_watch(rig);
        assert_logged("end " LEASE "\n", "");
        bus_rig_run_tasks(rig);
        assert_logged("reset device=" DEVICE " lease=1\nrelease " LEASE "\n",
                "2308 success reset device=" DEVICE " lease=1\n2308 success release " LEASE "\n");
}

/* What root ends for another user is something else than what that user ends. */
static void test_released(const Subject *subject, const char *expected, const char *expected_audit) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        Client client;
        _cleanup_rig_ BusRig *rig = rig_granted(&client);

        rig->subject = *subject;
        reply = bus_rig_call(rig, IOMMUD_PATH_LEASE "/1", IOMMUD_INTERFACE_LEASE, "Release", "a{sv}", 0);
        assert_reply(reply, "");
        assert_logged(expected, expected_audit);
        client_close(&client);
        bus_rig_watch(rig);
        assert_logged("", "");               /* it was over already */
}

/* What was attached when a lease ends is said. */
static void test_pasids(void) {
        LeaseDevice devices[] = { { .name = DEVICE }, { .name = FORBIDDEN } };
        const Lease lease = {
                .id = 1,
                .subject = ALICE,
                .mode = MODE_ATTACHED,
                .end_cause = "its lifeline was closed",
                .ended_by = (uid_t) -1,
                .devices = devices,
                .n_given = ELEMENTSOF(devices),
                .n_devices = ELEMENTSOF(devices),
        };

        audit_ending(&lease);
        assert_has(text, "is over: its lifeline was closed; waiting");
        devices[1].dma.n_pasids = 1;
        audit_ending(&lease);
        assert_has(text, "was closed, with 1 PASID of " FORBIDDEN " attached; waiting");
        devices[0].dma.n_pasids = 3;
        audit_ending(&lease);
        assert_has(text,
                   "was closed, with 3 PASIDs of " DEVICE " and 1 PASID of " FORBIDDEN " attached; waiting");
        journal[0] = '\0';
}

static void test_refused(void) {
        _cleanup_message_ sd_bus_message *first = NULL, *second = NULL, *third = NULL;
        _cleanup_rig_ BusRig *rig = bus_rig_new();

        scene_add(rig->scene, DEVICE, 1, "vfio-pci");
        scene_add(rig->scene, FORBIDDEN, 2, "vfio-pci");
        bus_rig_commit(rig);

        first = bus_rig_acquire(rig, FORBIDDEN);
        assert_error(first, IOMMUD_ERROR_DENIED, "");
        assert_logged("denial device=" FORBIDDEN " uid=1000 refusal=Denied\n",
                "2307 failed denial device=" FORBIDDEN " uid=1000 refusal=Denied\n");

        second = bus_rig_acquire(rig, "serial=\n\033[2J");
        assert_error(second, IOMMUD_ERROR_INVALID_SELECTOR, "");
        assert_logged("denial device=serial=??[2J uid=1000 refusal=InvalidSelector\n",
                "2307 failed denial device=serial=??[2J uid=1000 refusal=InvalidSelector\n");

        rig->scene->kernel->fail_call = "open_device";
        rig->scene->kernel->fail_error = -EIO;
        third = bus_rig_acquire(rig, DEVICE);
        assert_error(third, IOMMUD_ERROR_KERNEL_FAILED, "");
        assert_logged("failure " LEASE " refusal=KernelFailed\n",
                "2307 failed failure " LEASE " refusal=KernelFailed\n");
}

#define DENIED_LEASE " device=" DEVICE " lease=1 group=1 uid=1001 refusal=Denied\n"
#define DENIED " uid=1001 refusal=Denied\n"
#define LEASE_PATH IOMMUD_PATH_LEASE "/1", IOMMUD_INTERFACE_LEASE
#define MANAGER_PATH IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER
#define GROUP_PATH IOMMUD_PATH_GROUP "/1", IOMMUD_INTERFACE_GROUP

static void assert_denied(sd_bus_message *reply, const char *what, const char *expected) {
        char expected_journal[256], expected_audit[256];

        assert_error(reply, IOMMUD_ERROR_DENIED, "");
        snprintf(expected_journal, sizeof(expected_journal), "denial%s", expected);
        snprintf(expected_audit, sizeof(expected_audit), "%s failed denial%s", what, expected);
        assert_logged(expected_journal, expected_audit);
        sd_bus_message_unref(reply);
}

/* Whatever somebody may not do, and not only what he may not have; nothing of what he only got wrong. */
static void test_denied(void) {
        _cleanup_message_ sd_bus_message *mistake = NULL;
        Client client;
        _cleanup_rig_ BusRig *rig = rig_granted(&client);

        rig->subject = BOB;
        assert_denied(bus_rig_call(rig, LEASE_PATH, "Release", "a{sv}", 0), "2307", DENIED_LEASE);
        assert_denied(bus_rig_call(rig, LEASE_PATH, "Release", "a{sv}", 1, "request", "b", 1), "2307",
                      DENIED_LEASE);
        assert_denied(bus_rig_call(rig, LEASE_PATH, "Revoke", "a{sv}", 0), "2307", DENIED_LEASE);
        assert_denied(bus_rig_call(rig, LEASE_PATH, "IovaRanges", "t", UINT64_C(1)), "2307", DENIED_LEASE);
        assert_denied(bus_rig_call(rig, MANAGER_PATH, "Reload", NULL), "1111", DENIED);
        assert_denied(bus_rig_call(rig, MANAGER_PATH, "ClearQuarantine", "s", DEVICE), "1111", DENIED);
        assert_denied(
                bus_rig_call(rig, MANAGER_PATH, "Plan", "asa{sv}", 1, DEVICE, 1, "as", "(uau)", 1000, 0),
                "1111", DENIED);
        assert_denied(
                bus_rig_call(rig, MANAGER_PATH, "ExplainPolicy", "sa{sv}", DEVICE, 1, "uid", "u", 1000),
                "1111", DENIED);
        assert_denied(bus_rig_call(rig, GROUP_PATH, "Claim", "a{sv}", 0), "1111", " group=1" DENIED);
        assert_denied(bus_rig_call(rig, GROUP_PATH, "Release", "a{sv}", 0), "1111", " group=1" DENIED);

        rig->subject = ROOT;
        mistake = bus_rig_call(rig, MANAGER_PATH, "ClearQuarantine", "s", DEVICE);
        assert_error(mistake, IOMMUD_ERROR_NO_SUCH_DEVICE, "");
        assert_logged("", "");

        client_close(&client);
}

static unsigned count_lines(const char *text) {
        unsigned n = 0;

        for (; *text; text++)
                n += *text == '\n';

        return n;
}

/* Who asks, or tries, too often does not fill the journal with it. */
static void test_flood(const char *member) {
        _cleanup_rig_ BusRig *rig = bus_rig_new();
        PolicyLimits *limits;
        unsigned n = 40;

        scene_add(rig->scene, FORBIDDEN, 2, "vfio-pci");
        bus_rig_commit(rig);
        assert_ok(policy_append_limits(rig->scene->manager->policy, &limits));
        limits->subject.any = true;
        limits->limits.set = 1U << ACCOUNT_REQUESTS_PER_SECOND;
        limits->limits.max[ACCOUNT_REQUESTS_PER_SECOND] = 1;

        for (unsigned i = 0; i < n; i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;

                reply = member ? bus_rig_call(rig, MANAGER_PATH, member, NULL) :
                                 bus_rig_acquire(rig, FORBIDDEN);
                assert(sd_bus_message_is_method_error(reply, NULL));
        }

        /* the first, and the first that was too many; then one in a second */
        assert(count_lines(journal) >= 2 && count_lines(journal) < n);
        assert(count_lines(audit) == count_lines(journal));
        journal[0] = audit[0] = '\0';
}

static void test_quarantine(void) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        Client client;
        _cleanup_rig_ BusRig *rig = rig_granted(&client);

        fake_kernel_find(rig->scene->kernel, DEVICE)->reset = PROVE_RESET_FAILED;
        client_close(&client);
        bus_rig_watch(rig);
        bus_rig_run_tasks(rig);
        assert_logged("end " LEASE "\nquarantine device=" DEVICE " uid=1000\nrelease " LEASE "\n",
                "2308 failed quarantine device=" DEVICE " uid=1000\n2308 success release " LEASE "\n");

        rig->subject = ROOT;
        reply = bus_rig_call(rig, IOMMUD_PATH, IOMMUD_INTERFACE_MANAGER, "ClearQuarantine", "s", DEVICE);
        assert_reply(reply, "");
        assert_logged("clearance device=" DEVICE "\n", "1111 success clearance device=" DEVICE "\n");
}

static void test_policy(void) {
        audit_policy(&ROOT, /* error= */ NULL, 3);
        assert_logged("policy uid=0\n", "1111 success policy uid=0\n");
        audit_policy(/* subject= */ NULL, "50-test.json:3: no such key", 0);
        assert_logged("policy\n", "1111 failed policy\n");
}

int main(void) {
        test_life();
        test_released(&ALICE, "end " LEASE " by=1000\n", "");
        test_released(&ROOT, "revoke " LEASE " by=0\n", "2308 success revoke " LEASE " by=0\n");
        test_pasids();
        test_refused();
        test_denied();
        test_flood("Reload");
        test_flood(/* member= */ NULL);
        test_quarantine();
        test_policy();
        return 0;
}
