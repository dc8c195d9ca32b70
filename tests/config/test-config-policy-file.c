/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "config/file.h"
#include "config/json.h"
#include "config/policy-file.h"

#define ADMIN "etc/policy.d"
#define VENDOR "usr/policy.d"

static const char *const dirs[] = { ADMIN, VENDOR, NULL };

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
        return remove(path);
}

static void make_dirs(void) {
        assert(mkdir("etc", 0755) == 0 && mkdir(ADMIN, 0755) == 0);
        assert(mkdir("usr", 0755) == 0 && mkdir(VENDOR, 0755) == 0);
}

static void remove_dirs(void) {
        assert(nftw("etc", remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
        assert(nftw("usr", remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static void create(const char *path, const char *content) {
        _cleanup_close_ int fd = -EBADF;

        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        assert(fd >= 0);
        assert(write(fd, content, strlen(content)) == (ssize_t) strlen(content));
}

/* A file with one rule, which is known by its uid. */
static void create_rule(const char *path, unsigned uid) {
        char text[128];

        snprintf(text, sizeof(text), "{\"rules\":[{\"uid\":%u,\"devices\":\"any\",\"verdict\":\"allow\"}]}",
                 uid);
        create(path, text);
}

/* Loads, and compares the uids of the rules, of which each has one, with the list that ends in 0. */
static void expect_rules(const unsigned *uids) {
        _cleanup_(config_error_done) ConfigError error = {};
        _cleanup_(policy_freep) Policy *policy = NULL;
        size_t n = 0;
        int r;

        r = policy_load(NULL, dirs, &policy, &error);
        if (r < 0)
                fprintf(stderr, "%s: %s\n", error.file, error.message);
        assert(r == 0 && !error.message);

        for (; uids[n]; n++)
                assert(n < policy->n_rules && policy->rules[n].subject.uids[0] == uids[n]);
        assert(n == policy->n_rules);
}

#define EXPECT_RULES(...) expect_rules((const unsigned[]) { __VA_ARGS__ __VA_OPT__(, ) 0 })

static void expect_error(int code, const char *file, const char *says) {
        _cleanup_(config_error_done) ConfigError error = {};
        Policy *policy = NULL;
        int r;

        r = policy_load(NULL, dirs, &policy, &error);
        if (r != code || strcmp(error.file, file) != 0 || !strstr(error.message, says)) {
                fprintf(stderr, "%d: %s: %s\n", r, error.file, error.message);
                abort();
        }
        assert(!policy);
}

static void test_order(void) {
        create_rule(ADMIN "/50-b.json", 4);
        create_rule(ADMIN "/10-a.json", 1);
        create_rule(VENDOR "/20-v.json", 2);
        create_rule(VENDOR "/90-v.json", 5);
        create_rule(ADMIN "/5-late.json", 3); /* names, not numbers */
        EXPECT_RULES(1, 2, 3, 4, 5);
}

static void test_other_files(void) {
        create_rule(ADMIN "/50-a.json", 1);
        create(ADMIN "/.hidden.json", "bad");
        create(ADMIN "/.json", "bad");
        create(ADMIN "/50-a.json~", "bad");
        create(ADMIN "/50-a.json.rpmsave", "bad");
        create(ADMIN "/README", "bad");
        create(ADMIN "/50-A.JSON", "bad");
        assert(mkdir(ADMIN "/sub", 0755) == 0);
        create(ADMIN "/sub/50-a.json", "bad");
        EXPECT_RULES(1);
}

static void test_several_rules(void) {
        create(ADMIN "/50-a.json", "{\"rules\":[{\"uid\":1,\"devices\":\"any\",\"verdict\":\"allow\"},"
                                   "{\"uid\":2,\"devices\":\"any\",\"verdict\":\"allow\"}]}");
        create_rule(ADMIN "/60-b.json", 3);
        EXPECT_RULES(1, 2, 3);
}

static void test_origin(void) {
        _cleanup_(config_error_done) ConfigError error = {};
        _cleanup_(policy_freep) Policy *policy = NULL;

        create_rule(VENDOR "/50-vm.json", 1);
        assert(policy_load(NULL, dirs, &policy, &error) == 0);
        assert(strcmp(policy->rules[0].origin, VENDOR "/50-vm.json: rules[0]") == 0);
}

static void test_hidden(void) {
        create_rule(ADMIN "/50-a.json", 1);
        create(VENDOR "/50-a.json", "bad, but nobody looks");
        assert(chmod(VENDOR "/50-a.json", 0666) == 0);
        EXPECT_RULES(1);
}

static void test_masked(void) {
        create(ADMIN "/10-empty.json", "");
        create_rule(VENDOR "/10-empty.json", 1);
        assert(symlink("/dev/null", ADMIN "/20-link.json") == 0);
        create_rule(VENDOR "/20-link.json", 2);
        create_rule(VENDOR "/30-other.json", 3);
        EXPECT_RULES(3);
}

static void test_no_dirs(void) {
        EXPECT_RULES();

        assert(rmdir(ADMIN) == 0);
        create_rule(VENDOR "/50-a.json", 1);
        EXPECT_RULES(1);

        assert(unlink(VENDOR "/50-a.json") == 0);
        assert(rmdir(VENDOR) == 0);
        EXPECT_RULES();
}

static void test_all_or_nothing(void) {
        create_rule(ADMIN "/10-good.json", 1);
        create(ADMIN "/20-bad.json", "{\"rules\":[\n  {\"uid\":1,\"devcies\":\"any\"}]}");
        create_rule(ADMIN "/30-good.json", 2);
        expect_error(-EBADMSG, ADMIN "/20-bad.json", "did you mean \"devices\"?");
}

static void test_links(void) {
        create_rule("etc/target.json", 1);
        assert(symlink("../target.json", ADMIN "/50-a.json") == 0);
        expect_error(-ELOOP, ADMIN "/50-a.json", "it is a link");

        assert(unlink(ADMIN "/50-a.json") == 0);
        assert(symlink("/dev/null/", ADMIN "/50-a.json") == 0);
        expect_error(-ELOOP, ADMIN "/50-a.json", "it is a link");

        assert(unlink(ADMIN "/50-a.json") == 0);
        assert(symlink("/dev/nul", ADMIN "/50-a.json") == 0);
        expect_error(-ELOOP, ADMIN "/50-a.json", "it is a link");
}

static void test_linked_dir(void) {
        assert(rename(ADMIN, "etc/real.d") == 0);
        assert(symlink("real.d", ADMIN) == 0);
        expect_error(-ENOTDIR, ADMIN, "links are not followed");

        assert(unlink(ADMIN) == 0);
        create(ADMIN, "");
        expect_error(-ENOTDIR, ADMIN, "no directory");
}

static void test_no_regular_file(void) {
        /* Were it opened as it is, this would wait for a writer */
        assert(mkfifo(ADMIN "/50-a.json", 0644) == 0);
        expect_error(-EBADF, ADMIN "/50-a.json", "no regular file");

        assert(unlink(ADMIN "/50-a.json") == 0);
        assert(mkdir(ADMIN "/50-a.json", 0755) == 0);
        expect_error(-EBADF, ADMIN "/50-a.json", "no regular file");
}

static void test_mode(void) {
        static const mode_t bad[] = { 0664, 0646, 0666, 0620, 0602 };

        create_rule(ADMIN "/50-a.json", 1);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                assert(chmod(ADMIN "/50-a.json", bad[i]) == 0);
                expect_error(-EPERM, ADMIN "/50-a.json", "chmod go-w '" ADMIN "/50-a.json'");
        }

        assert(chmod(ADMIN "/50-a.json", 0400) == 0);
        EXPECT_RULES(1);

        assert(chmod(VENDOR, 0775) == 0);
        expect_error(-EPERM, VENDOR, "chmod go-w '" VENDOR "'");
        assert(chmod(VENDOR, 0757) == 0);
        expect_error(-EPERM, VENDOR, "chmod go-w");
        assert(chmod(VENDOR, 01777) == 0);
        expect_error(-EPERM, VENDOR, "chmod go-w");
}

/* Only root can give files away, and so only root can run this one. */
static void test_owner(void) {
        if (geteuid() != 0)
                return;

        create_rule(ADMIN "/50-a.json", 1);
        assert(chown(ADMIN "/50-a.json", 65534, 0) == 0);
        expect_error(-EPERM, ADMIN "/50-a.json",
                     "belongs to user 65534, not to root; chown root: '" ADMIN "/50-a.json'");

        assert(chown(ADMIN "/50-a.json", 0, 65534) == 0);
        EXPECT_RULES(1);

        assert(chown(ADMIN, 65534, 0) == 0);
        expect_error(-EPERM, ADMIN, "belongs to user 65534");
}

static void test_unreadable(void) {
        if (geteuid() == 0)
                return;                      /* root reads everything */

        create_rule(ADMIN "/50-a.json", 1);
        assert(chmod(ADMIN "/50-a.json", 0) == 0);
        expect_error(-EACCES, ADMIN "/50-a.json", "can't open the file: Permission denied");
        assert(chmod(ADMIN, 0) == 0);
        expect_error(-EACCES, ADMIN, "can't open the directory: Permission denied");
        assert(chmod(ADMIN, 0755) == 0);
}

static void test_too_large(void) {
        create(ADMIN "/50-a.json", "");
        assert(truncate(ADMIN "/50-a.json", JSON_SIZE_MAX + 1) == 0);
        expect_error(-EFBIG, ADMIN "/50-a.json", "larger than 1048576 bytes");

        assert(truncate(ADMIN "/50-a.json", JSON_SIZE_MAX) == 0);
        expect_error(-EBADMSG, ADMIN "/50-a.json", "NUL");
}

static void test_file_read(void) {
        _cleanup_(config_error_done) ConfigError error = {};
        _cleanup_close_ int dir = -EBADF;
        _cleanup_free_ char *data = NULL;
        size_t size = 1;

        create(ADMIN "/plain", "abc");
        dir = config_dir_open(ADMIN, &error);
        assert(dir >= 0 && (fcntl(dir, F_GETFD) & FD_CLOEXEC));

        assert(config_file_read(dir, "anything/plain", 3, &data, &size, &error) == 0);
        assert(size == 3 && memcmp(data, "abc", 3) == 0);

        assert(config_file_read(dir, "missing", 3, &data, &size, &error) == -ENOENT);
        assert(strstr(error.message, "No such file"));
        assert(config_dir_open("missing", &error) == -ENOENT);
}

/* No descriptor stays behind, whatever went wrong: each test starts with as many as the one before. */
static unsigned count_fds(void) {
        unsigned n = 0;

        for (int fd = 0; fd < 256; fd++)
                n += fcntl(fd, F_GETFD) >= 0;

        return n;
}

int main(void) {
        static void (*const tests[])(void) = {
                test_order,          test_other_files, test_several_rules,   test_origin,
                test_hidden,         test_masked,      test_no_dirs,         test_links,
                test_all_or_nothing, test_mode,        test_linked_dir,      test_owner,
                test_too_large,      test_unreadable,  test_no_regular_file, test_file_read,
        };
        char path[] = "/tmp/test-policy-file.XXXXXX";
        unsigned n_fds;

        (void) umask(0022);
        assert(mkdtemp(path) && chdir(path) == 0);
        n_fds = count_fds();

        for (size_t i = 0; i < ELEMENTSOF(tests); i++) {
                make_dirs();
                tests[i]();
                remove_dirs();
                assert(count_fds() == n_fds);
        }

        assert(chdir("/") == 0 && rmdir(path) == 0);
        return 0;
}
