/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lines of "Label: text", of which the labels end below one another. */

/* Nothing for an empty text. */
void print_line(const char *label, const char *text);

/* The same, and frees the text. */
void print_line_take(const char *label, char *text);
