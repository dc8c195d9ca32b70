/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "tree.h"

#define FORMAT_PATH(path, format)                                                                        \
        do {                                                                                             \
                va_list _ap;                                                                             \
                va_start(_ap, format);                                                                   \
                assert(vsnprintf(path, sizeof(path), format, _ap) < (int) sizeof(path));                 \
                va_end(_ap);                                                                             \
        } while (0)

Tree *tree_new(void) {
        Tree *tree = malloc(sizeof(*tree));

        assert(tree);
        strcpy(tree->path, "/tmp/iommud-tree-XXXXXX");
        assert(mkdtemp(tree->path));
        tree->fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert(tree->fd >= 0);
        return tree;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

Tree *tree_free(Tree *tree) {
        if (!tree)
                return NULL;

        assert(nftw(tree->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
        close_fd(tree->fd);
        free(tree);
        return NULL;
}

/* The directories above @path. */
static void make_parents(Tree *tree, const char *path) {
        char partial[512];

        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                snprintf(partial, sizeof(partial), "%.*s", (int) (slash - path), path);
                assert(mkdirat(tree->fd, partial, 0755) == 0 || errno == EEXIST);
        }
}

void tree_dir(Tree *tree, const char *format, ...) {
        char path[512];

        FORMAT_PATH(path, format);
        make_parents(tree, path);
        assert(mkdirat(tree->fd, path, 0755) == 0 || errno == EEXIST);
}

void tree_file(Tree *tree, const char *text, const char *format, ...) {
        _cleanup_close_ int fd = -EBADF;
        char path[512];

        FORMAT_PATH(path, format);
        make_parents(tree, path);
        fd = openat(tree->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert(fd >= 0);
        assert(write(fd, text, strlen(text)) == (ssize_t) strlen(text));
}

void tree_link(Tree *tree, const char *target, const char *format, ...) {
        char path[512];

        FORMAT_PATH(path, format);
        make_parents(tree, path);
        (void) unlinkat(tree->fd, path, 0);
        assert(symlinkat(target, tree->fd, path) == 0);
}

void tree_remove(Tree *tree, const char *path) {
        assert(unlinkat(tree->fd, path, 0) == 0 || unlinkat(tree->fd, path, AT_REMOVEDIR) == 0);
}

const char *tree_read(Tree *tree, const char *format, ...) {
        static char text[1024];
        char path[512];

        FORMAT_PATH(path, format);
        assert(read_text_at(tree->fd, path, text, sizeof(text)) >= 0);
        return text;
}

static void make_uevent(Tree *tree, const char *dir, const char *address, const char *driver) {
        char text[512];

        snprintf(text, sizeof(text),
                "%s%s%sPCI_CLASS=20000\nPCI_ID=8086:10D3\nPCI_SUBSYS_ID=8086:A01F\nPCI_SLOT_NAME=%s\n"
                "MODALIAS=pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00\n",
                driver ? "DRIVER=" : "", driver ?: "", driver ? "\n" : "", address);
        tree_file(tree, text, "%s/uevent", dir);
}

void tree_pci_device(Tree *tree, const char *address, unsigned group, const char *driver) {
        char dir[128], target[256];

        snprintf(dir, sizeof(dir), "devices/pci0000:00/%s", address);
        make_uevent(tree, dir, address, driver);
        tree_link(tree, "../../../bus/pci", "%s/subsystem", dir);
        tree_file(tree, "(null)\n", "%s/driver_override", dir);
        tree_file(tree, "-1\n", "%s/numa_node", dir);
        tree_file(tree, "flr pm\n", "%s/reset_method", dir);
        tree_link(tree, "../../virtual/iommu/dmar0", "%s/iommu", dir);

        snprintf(target, sizeof(target), "../../../kernel/iommu_groups/%u", group);
        tree_link(tree, target, "%s/iommu_group", dir);
        snprintf(target, sizeof(target), "../../../../devices/pci0000:00/%s", address);
        tree_link(tree, target, "kernel/iommu_groups/%u/devices/%s", group, address);
        tree_file(tree, "DMA-FQ\n", "kernel/iommu_groups/%u/type", group);
        tree_file(tree, "0x00000000fee00000 0x00000000feefffff msi\n",
                "kernel/iommu_groups/%u/reserved_regions", group);

        snprintf(target, sizeof(target), "../../../devices/pci0000:00/%s", address);
        tree_link(tree, target, "bus/pci/devices/%s", address);

        if (driver) {
                snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
                tree_link(tree, target, "%s/driver", dir);
                tree_file(tree, "", "bus/pci/drivers/%s/bind", driver);
                tree_file(tree, "", "bus/pci/drivers/%s/unbind", driver);
        }
}
