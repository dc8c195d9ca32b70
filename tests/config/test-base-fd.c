/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

static char dir_path[] = "/tmp/test-base-fd.XXXXXX";
static int dir = -EBADF;

static bool is_open(int fd) {
        return fcntl(fd, F_GETFD) >= 0;
}

static void test_close_fd(void) {
        int fd;

        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert(fd >= 0);

        errno = EXDEV;
        assert(close_fd(fd) == -EBADF);
        assert(errno == EXDEV);
        assert(!is_open(fd));

        assert(close_fd(-EBADF) == -EBADF);
        assert(close_fd(-1) == -EBADF);

        {
                _cleanup_close_ int scoped = -EBADF;

                scoped = open("/dev/null", O_RDONLY | O_CLOEXEC);
                fd = scoped;
                assert(is_open(fd));
        }
        assert(!is_open(fd));
}

/* The point of close_fd(): what was closed behind its owner's back is noticed. */
static void test_double_close(void) {
        int status;
        pid_t pid;

        pid = fork();
        assert(pid >= 0);
        if (pid == 0) {
                int fd;

                fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
                (void) dup3(fd, STDERR_FILENO, 0);      /* the assertion's message is expected */
                (void) signal(SIGABRT, SIG_DFL);
                close_fd(fd);
                close_fd(fd);
                _exit(0);
        }

        assert(waitpid(pid, &status, 0) == pid);
        assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void test_take_fd(void) {
        int a = 7, b;
        char *p = dir_path, *q;

        b = TAKE_FD(a);
        assert(b == 7 && a == -EBADF);

        q = TAKE_PTR(p);
        assert(q == dir_path && !p);
}

static void test_fd_dup(void) {
        _cleanup_close_ int fd = -EBADF, copy = -EBADF;

        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        copy = fd_dup(fd);
        assert(copy > STDERR_FILENO && copy != fd);
        assert(fcntl(copy, F_GETFD) == FD_CLOEXEC);
        assert(fd_dup(-EBADF) == -EBADF);
}

static void create(const char *name, const char *content) {
        _cleanup_close_ int fd = -EBADF;

        fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert(fd >= 0);
        assert(write(fd, content, strlen(content)) == (ssize_t) strlen(content));
}

static void test_read_text_at(void) {
        static const struct {
                const char *content;
                ssize_t n;
                const char *text;
        } cases[] = {
                { "", 0, "" },
                { "\n", 0, "" },
                { "a", 1, "a" },
                { "abc\n", 3, "abc" },
                { "abc\n\n", 3, "abc" },
                { "a\nb\n", 3, "a\nb" },
                { "1234567", 7, "1234567" },
                { "12345678", -E2BIG, "" },
                { "1234567\n", -E2BIG, "" }, /* the newline has to fit too */
                { "0123456789012345", -E2BIG, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char buffer[8] = "old";

                create("text", cases[i].content);
                assert(read_text_at(dir, "text", buffer, sizeof(buffer)) == cases[i].n);
                assert(strcmp(buffer, cases[i].text) == 0);

                strcpy(buffer, "old");
                assert(read_text_all_at(dir, "text", buffer, sizeof(buffer)) == cases[i].n);
                assert(strcmp(buffer, cases[i].text) == 0);
        }

        {
                char buffer[8] = "old";

                assert(read_text_at(dir, "missing", buffer, sizeof(buffer)) == -ENOENT &&
                       strcmp(buffer, "") == 0);
                strcpy(buffer, "old");
                assert(read_text_at(AT_FDCWD, dir_path, buffer, sizeof(buffer)) == -EISDIR &&
                       strcmp(buffer, "") == 0);
        }
}

static void test_write_text_at(void) {
        char buffer[16];

        create("text", "");
        assert(write_text_at(dir, "text", "hello") == 0);
        assert(read_text_at(dir, "text", buffer, sizeof(buffer)) == 5 && strcmp(buffer, "hello") == 0);

        /* In place, as a sysfs attribute is written: nothing is created, nothing is cut */
        assert(write_text_at(dir, "text", "J") == 0);
        assert(read_text_at(dir, "text", buffer, sizeof(buffer)) == 5 && strcmp(buffer, "Jello") == 0);
        assert(write_text_at(dir, "missing", "x") == -ENOENT);
        assert(faccessat(dir, "missing", F_OK, 0) < 0);

        assert(write_text_at(AT_FDCWD, "/dev/full", "x") == -ENOSPC);
}

static void test_readlink_name_at(void) {
        char buffer[8];

        assert(symlinkat("../../drivers/vfio-pc", dir, "driver") == 0);
        assert(readlink_name_at(dir, "driver", buffer, sizeof(buffer)) == 0 &&
               strcmp(buffer, "vfio-pc") == 0);
        assert(readlink_name_at(dir, "driver", buffer, 7) == -E2BIG);

        assert(symlinkat("plain", dir, "link") == 0);
        assert(readlink_name_at(dir, "link", buffer, sizeof(buffer)) == 0 && strcmp(buffer, "plain") == 0);

        assert(readlink_name_at(dir, "missing", buffer, sizeof(buffer)) == -ENOENT);
        assert(readlink_name_at(dir, "text", buffer, sizeof(buffer)) == -EINVAL);
}

int main(void) {
        assert(mkdtemp(dir_path));
        dir = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert(dir >= 0);

        test_close_fd();
        test_double_close();
        test_take_fd();
        test_fd_dup();
        test_read_text_at();
        test_write_text_at();
        test_readlink_name_at();

        assert(unlinkat(dir, "text", 0) == 0);
        assert(unlinkat(dir, "driver", 0) == 0);
        assert(unlinkat(dir, "link", 0) == 0);
        close_fd(dir);
        assert(rmdir(dir_path) == 0);
        return 0;
}
