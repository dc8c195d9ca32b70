/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "iommud.h"

/* As in the contract: options of the first domain and of AllocIoas; of AllocDomain. */
#define WINDOWS_MAX 8
#define DATA_MAX 128

struct iommud_domain_options {
        char *kind;                     /* NULL: iommud's default */
        bool dirty_tracking, pasid, fault_queue, small_pages;
        uint64_t windows[2 * WINDOWS_MAX];      /* first and last of each */
        size_t n_windows;
        uint32_t data_type;
        uint8_t data[DATA_MAX];
        size_t data_size;               /* 0: none */
};

/* Appends them as a{sv}; of NULL none. */
int domain_options_append(const iommud_domain_options *options, sd_bus_message *m) _must_check_;

/* A copy, for the caller to free. */
int domain_options_copy(const iommud_domain_options *options, iommud_domain_options **ret) _must_check_;
