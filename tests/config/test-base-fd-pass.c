/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Descriptors with a message: they arrive with it and close-on-exec, or none of them is left open. */

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd-pass.h"
#include "base/fd.h"

#define TEXT "0123456789abcdef"

static unsigned count_fds(void) {
        unsigned n = 0;
        DIR *dir;

        dir = opendir("/proc/self/fd");
        assert(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}

static void assert_same(int a, int b) {
        struct stat of_a, of_b;

        assert(fstat(a, &of_a) >= 0 && fstat(b, &of_b) >= 0);
        assert(of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino);
}

static void test_round_trip(const int *sv, const int *fds, unsigned n_fds) {
        int got[FD_PASS_MAX];
        char text[sizeof(TEXT)] = "";
        unsigned n = 99;

        assert(fd_pass_send(sv[0], TEXT, sizeof(TEXT), fds, n_fds) == 0);
        assert(fd_pass_receive(sv[1], text, sizeof(text), got, ELEMENTSOF(got), &n) == FD_PASS_MESSAGE);
        assert(strcmp(text, TEXT) == 0 && n == n_fds);
        for (unsigned i = 0; i < n; i++) {
                assert_same(got[i], fds[i]);
                assert(fcntl(got[i], F_GETFD) == FD_CLOEXEC);
                close_fd(got[i]);
        }
}

static void test_bad(const int *sv, const int *fds, size_t size, unsigned n_fds) {
        char text[sizeof(TEXT)] = "";
        unsigned before, n = 99;
        int got[2];

        before = count_fds();
        assert(fd_pass_send(sv[0], TEXT TEXT, size, fds, n_fds) == 0);
        assert(fd_pass_receive(sv[1], text, sizeof(text), got, ELEMENTSOF(got), &n) == -EBADMSG);
        assert(n == 99 && count_fds() == before);
}

int main(void) {
        int sv[2], fds[FD_PASS_MAX], got[1];
        char text[sizeof(TEXT)];
        unsigned n;

        assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) >= 0);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++) {
                fds[i] = open(i % 2 ? "/dev/null" : "/dev/zero", O_RDONLY | O_CLOEXEC);
                assert(fds[i] >= 0);
        }

        test_round_trip(sv, fds, 0);
        test_round_trip(sv, fds, 1);
        test_round_trip(sv, fds, FD_PASS_MAX);

        test_bad(sv, fds, sizeof(TEXT) - 1, 2);
        test_bad(sv, fds, sizeof(TEXT) + 1, 2);
        test_bad(sv, fds, sizeof(TEXT), 3);
        test_bad(sv, fds, sizeof(TEXT), FD_PASS_MAX);
        test_round_trip(sv, fds, 2);

        close_fd(sv[0]);
        assert(fd_pass_receive(sv[1], text, sizeof(text), got, ELEMENTSOF(got), &n) == _FD_PASS_END);
        assert(fd_pass_send(sv[1], TEXT, sizeof(TEXT), fds, 1) == -EPIPE);

        close_fd(sv[1]);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                close_fd(fds[i]);
        return 0;
}
