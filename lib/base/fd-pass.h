/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Descriptors that go with a message through a socket of whole messages.
 */

#include <stddef.h>

#include "base/macro.h"

/* So many go with one message at most. */
#define FD_PASS_MAX 32

/* Sends @size bytes and duplicates of @fds, which stay the caller's. Returns 0 or a negative errno. */
int fd_pass_send(int socket, const void *data, size_t size, const int *fds, unsigned n_fds) _must_check_;

/* Outcomes of fd_pass_receive(). */
enum {
        _FD_PASS_END,                        /* there is nobody who could send any more */
        FD_PASS_MESSAGE,
};

/*
 * Receives a message of exactly @size bytes and the descriptors that come with it, up to @max of them, which
 * are close-on-exec and the caller's. Returns an outcome, or a negative errno: -EBADMSG when the message is
 * another one. There are no descriptors then.
 */
int fd_pass_receive(int socket, void *data, size_t size, int *ret_fds, unsigned max, unsigned *ret_n_fds)
        _must_check_;
