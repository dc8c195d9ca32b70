/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Records are text, a line for each thing in them, of words "KEY=VALUE". The first word is "version=N". A
 * word that older records do not have may be added, and means what there was before it where it is missing;
 * all other changes make another version. What was damaged is -EBADMSG; what is of a version that is not
 * known is -EPROTONOSUPPORT.
 */

#include "core/forward.h"

/* What is wrong with a text that begins with none of the versions that are known. */
int record_not_known(const char *text) _must_check_;

/*
 * Calls @read for each line behind @begin, the first one with its newline, until it fails; lines with
 * nothing in them are skipped. The line is @read's to cut up.
 */
int record_read_lines(const char *text, const char *begin, int (*read)(char *line, void *userdata),
                      void *userdata) _must_check_;

/* The value of the next word of @line, which must be that of @key. The line is cut there. */
int record_read_word(char **line, const char *key, const char **ret) _must_check_;

/* The same of "0" or "1". */
int record_read_flag(char **line, const char *key, bool *ret) _must_check_;
