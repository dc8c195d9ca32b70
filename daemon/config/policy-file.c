/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/dir.h"
#include "base/fd.h"
#include "config/catalog-file.h"
#include "config/file.h"
#include "config/json.h"
#include "config/policy-file.h"
#include "config/policy-parse.h"

#define SUFFIX ".json"

typedef struct PolicyFile {
        char *path;                          /* owned */
        const char *name;                    /* the last component of path */
        size_t dir;                          /* index of the directory; the lower, the stronger */
} PolicyFile;

/* All files of all directories; the directories stay open until the files have been read. */
typedef struct PolicyFiles {
        int *dirs;                           /* owned, with the descriptors; negative: no such directory */
        size_t n_dirs;
        PolicyFile *files;                   /* owned */
        size_t n_files;
} PolicyFiles;

static void policy_files_done(PolicyFiles *list) {
        for (size_t i = 0; i < list->n_files; i++)
                free(list->files[i].path);
        for (size_t i = 0; i < list->n_dirs; i++)
                close_fd(list->dirs[i]);

        free(list->files);
        free(list->dirs);
}

static bool is_policy_file(const char *name) {
        size_t n = strlen(name);

        return n > strlen(SUFFIX) && strcmp(name + n - strlen(SUFFIX), SUFFIX) == 0;
}

static int policy_files_add(PolicyFiles *list, const char *dir, const char *name) {
        PolicyFile *files;
        char *path;

        files = reallocarray(list->files, list->n_files + 1, sizeof(*files));
        if (!files)
                return -ENOMEM;
        list->files = files;

        if (asprintf(&path, "%s/%s", dir, name) < 0)
                return -ENOMEM;

        files[list->n_files++] = (PolicyFile) {
                .path = path,
                .name = path + strlen(dir) + 1,
                .dir = list->n_dirs - 1,
        };
        return 0;
}

static int list_dir(PolicyFiles *list, const char *path, int fd, ConfigError *reterr) {
        _cleanup_dir_ Dir *dir = NULL;
        const char *name;
        int r;

        r = dir_open_at(fd, ".", &dir);
        if (r < 0)
                return config_error_set(reterr, r, path, "can't read the directory: %s", strerror(-r));

        while ((r = dir_next(dir, &name)) == DIR_ENTRY) {
                if (!is_policy_file(name))
                        continue;

                r = policy_files_add(list, path, name);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return config_error_set(reterr, r, path, "can't read the directory: %s", strerror(-r));

        return 0;
}

static int policy_files_add_dir(PolicyFiles *list, const char *path, ConfigError *reterr) {
        int *dirs, fd;

        dirs = reallocarray(list->dirs, list->n_dirs + 1, sizeof(*dirs));
        if (!dirs)
                return -ENOMEM;
        list->dirs = dirs;

        fd = config_dir_open(path, reterr);
        if (fd < 0 && fd != -ENOENT)
                return fd;

        dirs[list->n_dirs++] = fd;
        return fd < 0 ? 0 : list_dir(list, path, fd, reterr);
}

/* By name, byte by byte whatever the locale is, and of equal names the strongest first. */
static int compare_files(const void *a, const void *b) {
        const PolicyFile *x = a, *y = b;
        int c;

        c = strcmp(x->name, y->name);
        if (c != 0)
                return c;

        return x->dir < y->dir ? -1 : x->dir > y->dir;
}

static int load_file(int dir, const char *path, Policy *policy, ConfigError *reterr) {
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r;

        r = config_file_read(dir, path, JSON_SIZE_MAX, &data, &size, reterr);
        if (r < 0)
                return r;

        return policy_parse(path, data, size, policy, reterr);
}

int policy_load(const char *names, const char *const *dirs, Policy **ret, ConfigError *reterr) {
        _cleanup_(policy_files_done) PolicyFiles list = {};
        _cleanup_(policy_freep) Policy *policy = NULL;
        int r, failed = 0;

        for (; *dirs; dirs++) {
                r = policy_files_add_dir(&list, *dirs, reterr);
                if (r < 0)
                        return r;
        }

        r = policy_new(&policy);
        if (r < 0)
                return r;

        if (names) {
                r = catalog_load(names, &policy->catalog, reterr);
                if (r < 0)
                        return r;
        }

        if (list.n_files > 0)
                qsort(list.files, list.n_files, sizeof(*list.files), compare_files);

        for (size_t i = 0; i < list.n_files; i++) {
                const PolicyFile *file = &list.files[i];

                if (i > 0 && strcmp(file->name, list.files[i - 1].name) == 0)
                        continue;            /* hidden: not even looked into */

                r = load_file(list.dirs[file->dir], file->path, policy, reterr);
                if (r < 0) {
                        if (!config_error_go_on(reterr, r))
                                return r;
                        failed = r;
                }
        }
        if (failed < 0)
                return failed;

        *ret = TAKE_PTR(policy);
        return 0;
}
