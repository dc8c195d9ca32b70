/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the daemon says to the administrator: with fields to the journal when standard error goes there, else
 * as lines on standard error.
 */

#include <sys/types.h>
#include <syslog.h>

#include "core/forward.h"

/* So many of a kind go into one message; the rest is left out. */
#define LOG_FIELDS_MAX 8

/*
 * What a message is about, each part optional: NULL or none leaves it out. All borrowed for the call. The
 * fields are documented in iommud(8), and stay what they are.
 */
typedef struct LogFields {
        const char *event;                   /* IOMMUD_EVENT= */
        const char *device;                  /* IOMMUD_DEVICE= */
        const char *const *devices;          /* the same for each of @n_devices, instead of @device */
        size_t n_devices;
        const char *lease;                   /* IOMMUD_LEASE= */
        const uint32_t *groups;              /* IOMMUD_GROUP= for each of @n_groups */
        size_t n_groups;
        const uid_t *uid;                    /* IOMMUD_UID=, on whose behalf */
        pid_t pid;                           /* IOMMUD_PID=, that asked for it; 0: not known */
        const char *mode;                    /* IOMMUD_MODE= */
        const char *refusal;                 /* IOMMUD_REFUSAL=, the error's name without its prefix */
        const uid_t *by;                     /* IOMMUD_BY_UID=, who ended it */
} LogFields;

/*
 * @priority is one of syslog's. @message_id is what the message is known by in the catalog, 32 hexadecimal
 * digits, or NULL. Both pointers may be NULL. Keeps errno. A message that cannot be logged is lost: there is
 * nobody to tell.
 */
void log_event(const char *message_id, int priority, const LogFields *fields, const char *format, ...)
        _printf_(4, 5);

#define log_error(...) log_event(/* message_id= */ NULL, LOG_ERR, /* fields= */ NULL, __VA_ARGS__)
#define log_warning(...) log_event(/* message_id= */ NULL, LOG_WARNING, /* fields= */ NULL, __VA_ARGS__)
#define log_notice(...) log_event(/* message_id= */ NULL, LOG_NOTICE, /* fields= */ NULL, __VA_ARGS__)
#define log_info(...) log_event(/* message_id= */ NULL, LOG_INFO, /* fields= */ NULL, __VA_ARGS__)
