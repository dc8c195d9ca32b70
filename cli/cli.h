/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What all verbs of iommuctl share. They speak to iommud through libiommud alone: what they lack, its other
 * users lack. Being out of memory ends the program here: nothing is held that its end would not give back.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "iommud.h"

/* The exit status, as documented in iommuctl(1) */
typedef enum Status {
        STATUS_OK = 0,
        STATUS_REFUSED = 1,             /* iommud has answered, and the answer is no */
        STATUS_USAGE = 2,
        STATUS_BROKEN = 3,              /* everything else that can be wrong */
        STATUS_CANNOT_EXECUTE = 126,    /* "run", as shells have them */
        STATUS_NOT_FOUND = 127,
} Status;

typedef struct IovaWindow {
        uint64_t first, last;           /* both are in it */
} IovaWindow;

typedef struct Options {
        uint64_t given;                 /* a set: see options.h */
        bool json;
        bool no_wait;
        bool no_ask_password;
        bool request;                   /* ask the holder */
        bool kill;                      /* end the holders */
        bool supervise;
        const char *reason;             /* NULL: none is given */
        uint64_t deadline_usec;         /* from now on; 0: none */
        bool persistent;
        bool accept;
        const char *mode;               /* NULL: iommud's default */
        const char *accounting;         /* NULL: iommud's default */
        uint64_t timeout_usec;          /* 0: the verb's default */
        uint64_t since_usec;            /* CLOCK_REALTIME; 0: no matter when */
        uint64_t lease;                 /* 0: any */
        bool has_uid, has_as;
        uid_t uid, as;
        uint64_t ram;                   /* bytes; 0: not said */
        /* of whom "policy explain" is asked about: unit, slice, cgroup, label, userns; NULL: not said */
        const char *unit, *slice, *cgroup, *label, *userns;
        /* of what "domain" makes, attaches and maps; NULL, 0: not said */
        const char *kind, *data, *pasid, *answer;
        bool dirty_tracking, pasid_capable, small_pages, read_only, copy, keep;
        uint64_t offset, length, iova, page_size, depth;
        IovaWindow windows[8];
        size_t n_windows;
        char **devices;                 /* selectors; the strings are of argv */
        size_t n_devices;
} Options;

/* One per file verb-*.c; @arguments ends with NULL and has as many as the table in iommuctl.c allows. */
typedef Status (*VerbFunction)(const Options *options, char **arguments);

Status verb_acquire(const Options *options, char **arguments);
Status verb_claim(const Options *options, char **arguments);
Status verb_domain(const Options *options, char **arguments);
Status verb_explain(const Options *options, char **arguments);
Status verb_find(const Options *options, char **arguments);
Status verb_groups(const Options *options, char **arguments);
Status verb_leases(const Options *options, char **arguments);
Status verb_list(const Options *options, char **arguments);
Status verb_log(const Options *options, char **arguments);
Status verb_plan(const Options *options, char **arguments);
Status verb_policy(const Options *options, char **arguments);
Status verb_ps(const Options *options, char **arguments);
Status verb_quarantine(const Options *options, char **arguments);
Status verb_release(const Options *options, char **arguments);
Status verb_reload(const Options *options, char **arguments);
Status verb_run(const Options *options, char **arguments);
Status verb_show(const Options *options, char **arguments);
Status verb_unclaim(const Options *options, char **arguments);
Status verb_version(const Options *options, char **arguments);

DEFINE_CLEANUP_FUNC(iommud_client, iommud_client_free);
DEFINE_CLEANUP_FUNC(iommud_request, iommud_request_free);
DEFINE_CLEANUP_FUNC(iommud_lease, iommud_lease_free);
DEFINE_CLEANUP_FUNC(iommud_plan, iommud_plan_free);
DEFINE_CLEANUP_FUNC(iommud_device *, iommud_devices_free);
DEFINE_CLEANUP_FUNC(iommud_group *, iommud_groups_free);
DEFINE_CLEANUP_FUNC(iommud_lease_info *, iommud_lease_infos_free);
DEFINE_CLEANUP_FUNC(iommud_who, iommud_who_free);
DEFINE_CLEANUP_FUNC(iommud_policy_step *, iommud_policy_steps_free);
DEFINE_CLEANUP_FUNC(char *, iommud_strings_free);

/* Says "iommuctl: ..." on standard error. The format is a sentence without its end. */
void complain(const char *format, ...) _printf_(1, 2);

/* @p, or the end of the program when it is NULL: for everything that allocates. */
void *need(void *p);

/* A new string. */
char *print_string(const char *format, ...) _printf_(1, 2);

/* Connects; has complained when the result is not STATUS_OK. */
Status connect_client(iommud_client **ret_client);

/* The same, and lists the leases. */
Status connect_and_list_leases(iommud_client **ret_client, iommud_lease_info ***ret_leases);

/* Complains that @what cannot be done because a function with @client has returned @r, which is not 0. */
Status report(const iommud_client *client, int r, const char *what);

/* A request for the devices @selectors, which end with NULL, with the mode and accounting of the options. */
Status new_request(const Options *options, char *const *selectors, iommud_request **ret_request);

/* Whether the memory of the options can be pinned for these devices; has complained when it can't. */
Status check_memory(const Options *options, char **selectors);

/* What belongs to it, or NULL. */
const iommud_group *find_group(iommud_group *const *groups, uint32_t id);
const iommud_device *find_device(iommud_device *const *devices, const char *name);
const iommud_lease_info *find_lease(iommud_lease_info *const *leases, uint64_t id);
