/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a fuzzer over the files of the directories that are its arguments: the corpus as a test. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "fuzz.h"

static void run_file(int dir, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ uint8_t *data = NULL;
        struct stat st;

        fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
        assert(fd >= 0 && fstat(fd, &st) == 0);

        /* As large as the file and not larger, so that a sanitizer sees the first byte too many */
        data = malloc((size_t) st.st_size);
        assert(data || st.st_size == 0);
        assert(read(fd, data, (size_t) st.st_size) == st.st_size);

        printf("%s: %zu bytes\n", name, (size_t) st.st_size);
        assert(LLVMFuzzerTestOneInput(data, (size_t) st.st_size) == 0);
}

static unsigned run_dir(const char *path) {
        struct dirent *entry;
        unsigned n = 0;
        DIR *dir;

        dir = opendir(path);
        assert(dir);

        while ((entry = readdir(dir)))
                if (entry->d_name[0] != '.') {
                        run_file(dirfd(dir), entry->d_name);
                        n++;
                }

        closedir(dir);
        return n;
}

int main(int argc, char **argv) {
        unsigned n = 0;

        for (int i = 1; i < argc; i++)
                n += run_dir(argv[i]);

        if (n == 0) {
                fprintf(stderr, "There is no corpus to run over.\n");
                return EXIT_FAILURE;
        }

        printf("%u inputs\n", n);
        return 0;
}
