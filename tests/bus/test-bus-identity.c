/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who is calling, asked of a bus driver that the test plays: any answer can be given, also those of buses
 * that this host has not.
 */

#include <fcntl.h>
#include <sched.h>

#include "base/fd.h"
#include "core/subject.h"
#include "fake-driver.h"
#include "fake/assert.h"
#include "fake/child.h"
#include "fake/fake-kernel.h"
#include "names.h"

static void test_credentials(void) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();
        sd_bus_message *reply;

        fake_driver_call(d, ":1.7");
        assert_eq_int(d->n_asked, 1);
        assert_eq_int(d->n_known, 0);

        reply = fake_driver_answer_begin(d);
        assert_ok(sd_bus_message_append(reply, "{sv}", "UnixGroupIDs", "au", 3, 1000, 27, 44));
        assert_ok(sd_bus_message_append(reply, "{sv}", "LinuxSecurityLabel", "ay", 2, 'x', 0));
        assert_ok(sd_bus_message_append(reply, "{sv}", "NewerThanUs", "(si)", "y", 1));
        assert_ok(sd_bus_message_append(reply, "{sv}", "UnixUserID", "u", 1000));
        assert_ok(sd_bus_message_append(reply, "{sv}", "ProcessID", "u", 4711));
        fake_driver_answer_end(d, reply);

        assert_eq_int(d->n_calls, 2);
        assert_eq_int(d->n_known, 1);
        assert_eq_int(d->subject.uid, 1000);
        assert_eq_int(d->subject.pid, 4711);
        assert_eq_int(d->subject.n_gids, 3);
        assert_eq_int(d->subject.gids[1], 27);
        assert(!d->subject.own_userns);
        assert_eq_str(d->subject.label, "x");
        assert_eq_int(d->subject.known, SUBJECT_KNOWS_GIDS | SUBJECT_KNOWS_LABEL);

        /* the same connection is not asked about again, another one is */
        fake_driver_call(d, ":1.7");
        assert_eq_int(d->n_asked, 1);
        assert_eq_int(d->n_known, 2);
        fake_driver_call(d, ":1.8");
        assert_eq_int(d->n_asked, 2);
        assert_eq_int(d->n_known, 2);
}

/* Two wait at once, and are answered in the other order: nobody gets another's identity. */
static void test_two_at_once(void) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();
        sd_bus_message *first;

        fake_driver_call(d, ":1.1");
        first = sd_bus_message_ref(d->question);
        fake_driver_call(d, ":1.2");
        fake_driver_answer_uid(d, 1002);
        assert_eq_int(d->n_known, 1);
        assert_eq_int(d->subject.uid, 1002);

        sd_bus_message_unref(d->question);
        d->question = first;
        fake_driver_answer_uid(d, 1001);
        assert_eq_int(d->n_known, 2);
        assert_eq_int(d->subject.uid, 1001);

        fake_driver_call(d, ":1.2");
        assert_eq_int(d->subject.uid, 1002);
        fake_driver_call(d, ":1.1");
        assert_eq_int(d->subject.uid, 1001);
        assert_eq_int(d->n_asked, 2);
}

/* Calls that come before the answer wait for the same one: one question, and one place among the known. */
static void test_many_calls(void) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();

        for (unsigned i = 0; i < 100; i++)
                fake_driver_call(d, ":1.1000");
        assert_eq_int(d->n_asked, 1);
        assert_eq_int(d->n_known, 0);
        fake_driver_answer_uid(d, 2000);
        assert_eq_int(d->n_known, 100);
        assert_eq_int(d->subject.uid, 2000);

        for (unsigned i = 0; i < 63; i++) {
                char name[16];

                snprintf(name, sizeof(name), ":1.%u", i);
                fake_driver_call(d, name);
                fake_driver_answer_uid(d, 1000 + i);
        }
        assert_eq_int(d->n_asked, 64);
        fake_driver_call(d, ":1.1000");
        fake_driver_call(d, ":1.0");
        assert_eq_int(d->n_asked, 64);
        assert_eq_int(d->subject.uid, 1000);
}

static void call_without_answer(FakeDriver *d, unsigned n_calls, const char *error) {
        for (unsigned i = 0; i < n_calls; i++)
                fake_driver_call(d, ":1.7");
        assert_ok(sd_bus_reply_method_errorf(d->question, error, "no"));
        fake_driver_process(d);
        assert_eq_int(d->n_known, 0);
}

/* All of them are told that nobody knows, or none, when nobody is there any more; and others wait on. */
static void test_many_calls_without_answer(void) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();
        sd_bus_message *other;

        fake_driver_call(d, ":1.8");
        other = sd_bus_message_ref(d->question);

        call_without_answer(d, 3, SD_BUS_ERROR_ACCESS_DENIED);
        assert_eq_int(d->n_asked, 2);
        assert_eq_int(d->n_errors, 3);

        call_without_answer(d, 3, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
        assert_eq_int(d->n_asked, 3);
        assert_eq_int(d->n_errors, 3);
        assert_eq_int(d->n_calls, 7);        /* none of them came back */

        sd_bus_message_unref(d->question);
        d->question = other;
        fake_driver_answer_uid(d, 1008);
        assert_eq_int(d->n_known, 1);
        assert_eq_int(d->subject.uid, 1008);
}

/* More connections than are remembered: the first is asked about again. */
static void test_many(void) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();

        for (unsigned i = 0; i < 100; i++) {
                char name[16];

                snprintf(name, sizeof(name), ":1.%u", i);
                fake_driver_call(d, name);
                fake_driver_answer_uid(d, 1000 + i);
                assert_eq_int(d->subject.uid, 1000 + i);
        }
        assert_eq_int(d->n_asked, 100);

        fake_driver_call(d, ":1.99");
        assert_eq_int(d->n_asked, 100);
        fake_driver_call(d, ":1.0");
        assert_eq_int(d->n_asked, 101);
        fake_driver_answer_uid(d, 1000);
        assert_eq_int(d->subject.uid, 1000);
}

static void answer_groups(FakeDriver *d, unsigned n) {
        sd_bus_message *reply = fake_driver_answer_begin(d);
        uint32_t gids[SUBJECT_GIDS_MAX + 1];

        assert(n <= ELEMENTSOF(gids));
        for (unsigned i = 0; i < n; i++)
                gids[i] = i + 1;

        assert_ok(sd_bus_message_append(reply, "{sv}", "UnixUserID", "u", 1000));
        assert_ok(sd_bus_message_open_container(reply, 'e', "sv"));
        assert_ok(sd_bus_message_append(reply, "s", "UnixGroupIDs"));
        assert_ok(sd_bus_message_open_container(reply, 'v', "au"));
        assert_ok(sd_bus_message_append_array(reply, 'u', gids, n * sizeof(gids[0])));
        assert_ok(sd_bus_message_close_container(reply));
        assert_ok(sd_bus_message_close_container(reply));
        fake_driver_answer_end(d, reply);
}

/* Of the groups none may be left out: a rule may deny to that very one. */
static void test_many_groups(void) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();

        fake_driver_call(d, ":1.7");
        answer_groups(d, SUBJECT_GIDS_MAX);
        assert_eq_int(d->n_known, 1);
        assert_eq_int(d->subject.n_gids, SUBJECT_GIDS_MAX);
        assert(subject_has_gid(&d->subject, 1) && subject_has_gid(&d->subject, SUBJECT_GIDS_MAX));
        assert(!subject_has_gid(&d->subject, SUBJECT_GIDS_MAX + 1));

        fake_driver_call(d, ":1.8");
        answer_groups(d, SUBJECT_GIDS_MAX + 1);
        assert_eq_int(d->n_known, 1);
        assert_eq_str(d->error, IOMMUD_ERROR_KERNEL_FAILED);
}

/* What the bus does not vouch for is an error, and not somebody by default. */
static void test_no_credentials(void) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();
        sd_bus_message *reply;

        fake_driver_call(d, ":1.7");
        reply = fake_driver_answer_begin(d);
        assert_ok(sd_bus_message_append(reply, "{sv}", "ProcessID", "u", 4711));
        fake_driver_answer_end(d, reply);
        assert_eq_int(d->n_known, 0);
        assert_eq_str(d->error, IOMMUD_ERROR_KERNEL_FAILED);

        fake_driver_call(d, ":1.8");
        d->error[0] = '\0';
        reply = fake_driver_answer_begin(d);
        assert_ok(sd_bus_message_append(reply, "{sv}", "UnixUserID", "s", "root"));
        fake_driver_answer_end(d, reply);
        assert_eq_int(d->n_known, 0);
        assert_eq_str(d->error, IOMMUD_ERROR_KERNEL_FAILED);

        fake_driver_call(d, ":1.9");
        d->error[0] = '\0';
        assert_ok(sd_bus_reply_method_errorf(d->question, SD_BUS_ERROR_ACCESS_DENIED, "no"));
        fake_driver_process(d);
        assert_eq_int(d->n_known, 0);
        assert_eq_str(d->error, IOMMUD_ERROR_KERNEL_FAILED);

        /* none of these is remembered */
        fake_driver_call(d, ":1.7");
        assert_eq_int(d->n_asked, 4);
}

static void test_gone(void) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();

        fake_driver_call(d, ":1.7");
        assert_ok(sd_bus_reply_method_errorf(d->question, SD_BUS_ERROR_NAME_HAS_NO_OWNER, "gone"));
        fake_driver_process(d);
        assert_eq_int(d->n_calls, 1);
        assert_eq_str(d->error, "");

        /* the end of the daemon while a question is under way */
        fake_driver_call(d, ":1.8");
        assert_eq_int(d->n_asked, 2);
}

static void test_no_sender(void) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();

        fake_driver_call(d, NULL);
        assert_eq_int(d->result, -EBADMSG);
        assert_eq_int(d->n_asked, 0);
}

/* A name that can't be remembered must not be asked about for ever. */
static void test_long_name(void) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();
        char name[100] = ":1.";

        memset(name + 3, '1', sizeof(name) - 4);
        fake_driver_call(d, name);
        fake_driver_answer_uid(d, 1000);
        assert_eq_int(d->n_asked, 1);
        assert_eq_str(d->error, IOMMUD_ERROR_KERNEL_FAILED);
}

static void answer_label(FakeDriver *d, const char *label, size_t size) {
        sd_bus_message *reply = fake_driver_answer_begin(d);

        assert_ok(sd_bus_message_append(reply, "{sv}", "UnixUserID", "u", 1000));
        assert_ok(sd_bus_message_open_container(reply, 'e', "sv"));
        assert_ok(sd_bus_message_append(reply, "s", "LinuxSecurityLabel"));
        assert_ok(sd_bus_message_open_container(reply, 'v', "ay"));
        assert_ok(sd_bus_message_append_array(reply, 'y', label, size));
        assert_ok(sd_bus_message_close_container(reply));
        assert_ok(sd_bus_message_close_container(reply));
        fake_driver_answer_end(d, reply);
}

/* A label that is only part of what it was would be another one's. */
static void test_labels(void) {
        static const char longest[SUBJECT_LABEL_MAX + 1] = { [0 ... SUBJECT_LABEL_MAX - 1] = 'x' };
        static const struct {
                const char *label;
                size_t size;
                bool known;
        } cases[] = {
                { "system_u:system_r:svirt_t:s0:c1,c2", 35, true },
                { "/usr/bin/qemu (enforce)", 23, true },
                { longest + 1, SUBJECT_LABEL_MAX, true },
                { longest, SUBJECT_LABEL_MAX + 1, false },
                { longest, SUBJECT_LABEL_MAX, false },
                { "a\0b", 4, false },
                { "", 1, false },
                { "", 0, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_driver_ FakeDriver *d = fake_driver_new();

                fake_driver_call(d, ":1.7");
                answer_label(d, cases[i].label, cases[i].size);
                assert_eq_int(d->n_known, 1);
                assert_eq_int(d->subject.known, cases[i].known ? SUBJECT_KNOWS_LABEL : 0);
                assert_eq_str(d->subject.label, cases[i].known ? cases[i].label : "");
        }
}

/* What a label proves is said by the whole host, and looked at for each call of which it is wanted. */
static void test_enforced(void) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();

        fake_driver_call(d, ":1.7");
        answer_label(d, "a:b:c", 6);
        assert_eq_int(d->subject.known, SUBJECT_KNOWS_LABEL);

        d->wanted |= SUBJECT_KNOWS_LABEL | SUBJECT_KNOWS_ENFORCED;
        fake_driver_call(d, ":1.7");
        assert_eq_int(d->subject.known, SUBJECT_KNOWS_LABEL | SUBJECT_KNOWS_ENFORCED);

        /* its directory is there, but not what it says */
        tree_dir(d->sysfs, "fs/selinux");
        fake_driver_call(d, ":1.7");
        assert_eq_int(d->subject.known, SUBJECT_KNOWS_LABEL);
        tree_file(d->sysfs, "0", "fs/selinux/enforce");
        fake_driver_call(d, ":1.7");
        assert_eq_int(d->subject.known, SUBJECT_KNOWS_LABEL);
        tree_file(d->sysfs, "1", "fs/selinux/enforce");
        fake_driver_call(d, ":1.7");
        assert_eq_int(d->subject.known, SUBJECT_KNOWS_LABEL | SUBJECT_KNOWS_ENFORCED);
        tree_file(d->sysfs, "1 or so, and more", "fs/selinux/enforce");
        fake_driver_call(d, ":1.7");
        assert_eq_int(d->subject.known, SUBJECT_KNOWS_LABEL);
}

static void answer_process(FakeDriver *d, uint32_t uid, int fd) {
        sd_bus_message *reply;

        reply = fake_driver_answer_begin(d);
        assert_ok(sd_bus_message_append(reply, "{sv}", "UnixUserID", "u", uid));
        assert_ok(sd_bus_message_append(reply, "{sv}", "ProcessFD", "h", fd));
        fake_driver_answer_end(d, reply);
}

/* Whether uid 0 with this process descriptor is the host's root. */
static void assert_own_userns(int fd, bool expected) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();

        fake_driver_call(d, ":1.7");
        answer_process(d, 0, fd);
        assert_eq_int(d->n_known, 1);
        assert_eq_int(d->subject.own_userns, expected);
        assert_eq_int(subject_is_root(&d->subject), expected);
}

static void test_user_namespace(void) {
        _cleanup_(child_done) Child ours = CHILD_INIT, theirs = CHILD_INIT;
        _cleanup_close_ int null = -EBADF;

        null = assert_ok(open("/dev/null", O_RDONLY | O_CLOEXEC));
        assert_own_userns(null, false);

        if (child_start(&ours, /* flags= */ 0)) {
                assert_own_userns(ours.pidfd, true);
                child_end(&ours);
                assert_own_userns(ours.pidfd, false);        /* its number may be anybody's now */
        }

        if (child_start(&theirs, CLONE_NEWUSER))
                assert_own_userns(theirs.pidfd, false);
}

/*
 * A process that has connected may have handed its connection to another one before it ended: what was true
 * of it then is not true of that one.
 */
static void test_connection_outlives_process(void) {
        _cleanup_driver_ FakeDriver *d = fake_driver_new();
        _cleanup_(child_done) Child child = CHILD_INIT;

        if (!child_start(&child, /* flags= */ 0))
                return;

        fake_driver_call(d, ":1.7");
        answer_process(d, 0, child.pidfd);
        assert(subject_is_root(&d->subject));
        assert(d->subject.known & SUBJECT_KNOWS_CGROUP);

        child_end(&child);
        fake_driver_call(d, ":1.7");
        assert_eq_int(d->n_asked, 1);
        assert_eq_int(d->n_known, 2);
        assert_eq_int(d->subject.uid, 0);
        assert(!subject_is_root(&d->subject));
        assert_eq_int(d->subject.known, 0);
        assert_eq_str(d->subject.cgroup, "");
}

/* Descriptors of connections that are forgotten are closed, and those of a free object too. */
static void test_descriptors(void) {
        _cleanup_(child_done) Child child = CHILD_INIT;
        unsigned before = count_fds(), full = 0;
        FakeDriver *d = fake_driver_new();

        if (child_start(&child, /* flags= */ 0)) {
                for (unsigned i = 0; i < 200; i++) {
                        char name[16];

                        snprintf(name, sizeof(name), ":1.%u", i);
                        fake_driver_call(d, name);
                        answer_process(d, 1000, child.pidfd);
                        if (i == 99)
                                full = count_fds();
                }
                assert_eq_int(count_fds(), full);
        }

        fake_driver_free(d);
        child_done(&child);
        child = (Child) CHILD_INIT;
        assert_eq_int(count_fds(), before);
}

int main(void) {
        test_credentials();
        test_two_at_once();
        test_many_calls();
        test_many_calls_without_answer();
        test_many();
        test_many_groups();
        test_no_credentials();
        test_gone();
        test_no_sender();
        test_long_name();
        test_labels();
        test_enforced();
        test_user_namespace();
        test_connection_outlives_process();
        test_descriptors();
        return 0;
}
