/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Directories: more entries than are read at a time, none, and one that goes while it is read. */

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/parse.h"

#define N_ENTRIES 1000                       /* of 48 bytes each, as the kernel writes them */
#define NAME "an-entry-of-a-length-%u"

static char top[] = "/tmp/iommud-test-dir-XXXXXX";

static void make(int dir, const char *name) {
        close_fd(openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        assert(faccessat(dir, name, F_OK, 0) >= 0);
}

static void test_many(void) {
        _cleanup_close_ int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool seen[N_ENTRIES] = {};
        _cleanup_dir_ Dir *dir = NULL;
        char expected[64];
        const char *name;
        uint32_t number;
        struct stat a, b;

        make(fd, ".hidden");
        for (unsigned i = 0; i < N_ENTRIES; i++) {
                snprintf(expected, sizeof(expected), NAME, i);
                make(fd, expected);
        }

        assert(dir_open_at(AT_FDCWD, top, &dir) == 0);
        assert(fstat(dir_fd(dir), &a) >= 0 && fstat(fd, &b) >= 0 && a.st_ino == b.st_ino);
        for (unsigned i = 0; i < N_ENTRIES; i++) {
                assert(dir_next(dir, &name) == DIR_ENTRY);
                assert(parse_u32(name + strlen(NAME) - strlen("%u"), &number) == 0 && number < N_ENTRIES);
                snprintf(expected, sizeof(expected), NAME, number);
                assert(strcmp(name, expected) == 0 && !seen[number]);
                seen[number] = true;
        }
        assert(dir_next(dir, &name) == _DIR_END);
        assert(dir_next(dir, &name) == _DIR_END);

        for (unsigned i = 0; i < N_ENTRIES; i++) {
                snprintf(expected, sizeof(expected), NAME, i);
                assert(unlinkat(fd, expected, 0) >= 0);
        }
        assert(unlinkat(fd, ".hidden", 0) >= 0);
}

static void test_empty(void) {
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;

        assert(dir_open_at(AT_FDCWD, top, &dir) == 0);
        assert(dir_next(dir, &name) == _DIR_END);
}

static void test_none(void) {
        Dir *dir;

        assert(dir_open_at(AT_FDCWD, "/proc/self/nothing", &dir) == -ENOENT);
        assert(dir_open_at(AT_FDCWD, "/proc/self/stat", &dir) == -ENOTDIR);
}

static void test_removed(void) {
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;

        assert(dir_open_at(AT_FDCWD, top, &dir) == 0);
        assert(rmdir(top) >= 0);
        assert(dir_next(dir, &name) == _DIR_END);
}

int main(void) {
        assert(mkdtemp(top));
        test_many();
        test_empty();
        test_none();
        test_removed();
        return 0;
}
