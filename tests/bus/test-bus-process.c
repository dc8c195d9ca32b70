/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a process descriptor tells of its process, and that it never tells of another one. */

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/fd.h"
#include "bus/process-facts.h"
#include "core/subject.h"
#include "fake/assert.h"
#include "fake/child.h"

#define ALL (SUBJECT_KNOWS_USERNS | SUBJECT_KNOWS_CGROUP)

/* What /proc says of the control group of any process; NULL: what it really says */
static const char *cgroup;
/* Ends while that is being read. */
static Child *ends;

static ProcessReader reader;

ssize_t __real_read_text_at(int dir, const char *path, char *buffer, size_t size);
ssize_t __wrap_read_text_at(int dir, const char *path, char *buffer, size_t size);
ssize_t __wrap_read_text_at(int dir, const char *path, char *buffer, size_t size) {
        const char *name = strrchr(path, '/');

        if (!cgroup || !name || strcmp(name, "/cgroup") != 0)
                return __real_read_text_at(dir, path, buffer, size);

        if (ends)
                child_end(ends);
        assert((size_t) snprintf(buffer, size, "%s", cgroup) < size);
        return (ssize_t) strlen(buffer);
}

/* Of a process that nothing is known of yet. */
static int read_facts(int pidfd, unsigned wanted, Subject *subject) {
        return process_facts_read(&reader, &(ProcessHandle) { .pidfd = pidfd }, wanted, subject);
}

static void test_facts(void) {
        static const struct {
                const char *text, *cgroup, *unit, *slice;
        } cases[] = {
                { "0::/system.slice/x.service\n", "/system.slice/x.service", "x.service", "system.slice" },
                { "0::/machine.slice/machine-lab.slice/vm.scope/vcpu0\n",
                  "/machine.slice/machine-lab.slice/vm.scope/vcpu0", "vm.scope", "machine-lab.slice" },
                { "0::/init.scope\n", "/init.scope", "init.scope", "-.slice" },
                { "0::/\n", "/", "", "-.slice" },
                { "0::/..x\n", "/..x", "", "-.slice" },
                /* below a unit, the names are those of whoever was delegated it */
                { "0::/user.slice/user-7.slice/user@7.service/system.slice/victim.service\n",
                  "/user.slice/user-7.slice/user@7.service/system.slice/victim.service", "user@7.service",
                  "user-7.slice" },
                { "0::/user.slice/user-7.slice/user@7.service/a:name=systemd:/system.slice/victim.service\n",
                  "/user.slice/user-7.slice/user@7.service/a:name=systemd:/system.slice/victim.service",
                  "user@7.service", "user-7.slice" },
                { "0::/docker/12ab/system.slice/victim.service\n",
                  "/docker/12ab/system.slice/victim.service", "", "-.slice" },
        };
        _cleanup_(child_done) Child child = CHILD_INIT;

        if (!child_start(&child, /* flags= */ 0))
                return;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Subject subject = { .uid = 7, .known = SUBJECT_KNOWS_GIDS, .pid = 1 };

                cgroup = cases[i].text;
                assert_ok(read_facts(child.pidfd, ALL, &subject));
                assert_eq_int(subject.known, SUBJECT_KNOWS_GIDS | ALL);
                assert(subject.own_userns);
                assert_eq_str(subject.cgroup, cases[i].cgroup);
                assert_eq_str(subject.unit, cases[i].unit);
                assert_eq_str(subject.slice, cases[i].slice);
                assert_eq_int(subject.uid, 7);
                assert_eq_int(subject.pid, 1);
        }
        cgroup = NULL;
}

/* What can't be found out is not known, and the rest is. */
static void test_no_cgroup(void) {
        static const struct {
                const char *text;
                int error;
        } cases[] = {
                { "", -ENODATA },
                { "5:cpu:/system.slice/x.service\n", -ENODATA },
                { "0::/../../system.slice/x.service\n", -EXDEV },        /* we are in a container */
                { "0::/..\n", -EXDEV },
        };
        _cleanup_(child_done) Child child = CHILD_INIT;
        Subject subject = SUBJECT_INIT;
        char longest[2000];

        if (!child_start(&child, /* flags= */ 0))
                return;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                cgroup = cases[i].text;
                assert_eq_int(read_facts(child.pidfd, ALL, &subject), cases[i].error);
                assert_eq_int(subject.known, SUBJECT_KNOWS_USERNS);
                assert_eq_str(subject.unit, "");
                assert_eq_str(subject.cgroup, "");
        }

        snprintf(longest, sizeof(longest), "0::/system.slice/x.service/%01024u\n", 0);
        cgroup = longest;
        assert_eq_int(read_facts(child.pidfd, ALL, &subject), -E2BIG);
        assert_eq_int(subject.known, SUBJECT_KNOWS_USERNS);
        cgroup = NULL;
}

/* What was read by its number may have been another process's, when it is not alive any more. */
static void test_reused(void) {
        _cleanup_(child_done) Child child = CHILD_INIT;
        Subject subject = SUBJECT_INIT;

        if (!child_start(&child, /* flags= */ 0))
                return;

        cgroup = "0::/system.slice/victim.service\n";
        ends = &child;
        assert_eq_int(read_facts(child.pidfd, ALL, &subject), -ESRCH);
        cgroup = NULL;
        ends = NULL;
        assert_eq_int(subject.known, 0);
        assert(!subject.own_userns);
        assert_eq_str(subject.unit, "");
        assert_eq_str(subject.cgroup, "");

        /* before that it was its own */
        assert_eq_int(read_facts(child.pidfd, ALL, &subject), -ESRCH);
        assert_eq_int(subject.known, 0);
}

static void test_no_pidfd(void) {
        _cleanup_close_ int null = assert_ok(open("/dev/null", O_RDONLY | O_CLOEXEC));
        Subject subject = SUBJECT_INIT;

        assert_eq_int(read_facts(null, ALL, &subject), -EBADF);
        assert_eq_int(read_facts(-EBADF, ALL, &subject), -EBADF);
        assert_eq_int(subject.known, 0);
}

static void test_user_namespace(void) {
        _cleanup_(child_done) Child child = CHILD_INIT;
        Subject subject = SUBJECT_INIT;

        if (!child_start(&child, CLONE_NEWUSER))
                return;

        cgroup = "0::/system.slice/x.service\n";
        assert_ok(read_facts(child.pidfd, ALL, &subject));
        cgroup = NULL;
        assert_eq_int(subject.known, ALL);
        assert(!subject.own_userns);
}

/* Nothing else is read, nor known. */
static void test_wanted(void) {
        static const unsigned cases[] = { 0, SUBJECT_KNOWS_USERNS, SUBJECT_KNOWS_CGROUP, ALL };
        _cleanup_(child_done) Child child = CHILD_INIT;

        if (!child_start(&child, /* flags= */ 0))
                return;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Subject subject = SUBJECT_INIT;

                assert_ok(read_facts(child.pidfd, cases[i], &subject));
                assert_eq_int(subject.known, cases[i]);
                assert_eq_int(subject.own_userns, (cases[i] & SUBJECT_KNOWS_USERNS) != 0);
                assert_eq_int(subject.cgroup[0] != '\0', (cases[i] & SUBJECT_KNOWS_CGROUP) != 0);
        }

        /* that it lives is looked at whatever is wanted */
        child_end(&child);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Subject subject = SUBJECT_INIT;

                assert_eq_int(read_facts(child.pidfd, cases[i], &subject), -ESRCH);
                assert_eq_int(subject.known, 0);
        }
}

/* The number is looked up once, and still nobody who has it later is taken for the process. */
static void test_number_kept(void) {
        _cleanup_(child_done) Child child = CHILD_INIT;
        ProcessHandle handle = PROCESS_HANDLE_NULL;
        Subject subject = SUBJECT_INIT;

        if (!child_start(&child, /* flags= */ 0))
                return;

        handle.pidfd = child.pidfd;
        assert_ok(process_facts_read(&reader, &handle, ALL, &subject));
        assert_eq_int(handle.pid, child.pid);

        child_end(&child);
        handle.pid = getpid();
        subject = (Subject) SUBJECT_INIT;
        assert_eq_int(process_facts_read(&reader, &handle, ALL, &subject), -ESRCH);
        assert_eq_int(subject.known, 0);
        assert(!subject.own_userns);
}

int main(void) {
        _cleanup_close_ int proc = assert_ok(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));

        assert_ok(process_reader_init(&reader, proc));
        test_facts();
        test_wanted();
        test_number_kept();
        test_no_cgroup();
        test_reused();
        test_no_pidfd();
        test_user_namespace();
        return 0;
}
