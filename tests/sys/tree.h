/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A made /sys, /dev or /proc in a temporary directory. Everything here stops the test when it fails.
 */

#include "base/macro.h"

typedef struct Tree {
        char path[64];
        int fd;                              /* the directory */
} Tree;

/* An empty directory. */
Tree *tree_new(void);

/* Removes the directory with everything in it. */
Tree *tree_free(Tree *tree);
DEFINE_CLEANUP_FUNC(Tree, tree_free);

#define _cleanup_tree_ _cleanup_(tree_freep)

/* These take paths below the tree and make the directories that are missing above them. */
void tree_dir(Tree *tree, const char *format, ...) _printf_(2, 3);
void tree_file(Tree *tree, const char *text, const char *format, ...) _printf_(3, 4);
void tree_link(Tree *tree, const char *target, const char *format, ...) _printf_(3, 4);
void tree_remove(Tree *tree, const char *path);

/* What is in a file; at most 1023 bytes. Borrowed until the next call. */
const char *tree_read(Tree *tree, const char *format, ...) _printf_(2, 3);

/*
 * A PCI device as Linux shows it: its directory below devices/pci0000:00, its links on the bus and into its
 * group, of which type and reserved_regions are made too. @driver may be NULL for none.
 */
void tree_pci_device(Tree *tree, const char *address, unsigned group, const char *driver);
