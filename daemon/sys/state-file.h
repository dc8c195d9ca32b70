/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Small text files that survive this process: each has a checksum as its last line, and either its old
 * contents or all of its new ones, whatever happens when. @dir is the directory that they are in, open.
 */

#include "base/macro.h"

/* @text ends with a newline. Returns 0 or a negative errno, with the old contents still there. */
int state_file_write(int dir, const char *name, const char *text) _must_check_;

/* The caller frees *ret. -ENOENT: there is no such file. -EBADMSG and others: it is damaged. */
int state_file_read(int dir, const char *name, char **ret) _must_check_;

/* Gone, or already gone, or a negative errno. */
int state_file_remove(int dir, const char *name) _must_check_;

/*
 * Puts a file that could not be used, for the negative errno @error, out of the way, and tells the
 * administrator, with @consequence as the last sentence.
 */
void state_file_set_aside(int dir, const char *name, int error, const char *consequence);

/* The same, but the file stays as well, for who is going to write another in its place. */
void state_file_keep_aside(int dir, const char *name, int error, const char *consequence);
