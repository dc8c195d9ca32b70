/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Strict parsing: the whole string is the value or the call fails. No leading or trailing space, no sign, no
 * value that does not fit. Every function returns 0, -EINVAL (not such a value) or -ERANGE (too large), and
 * leaves the result untouched when it fails.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

/* Decimal digits only. */
int parse_u32(const char *s, uint32_t *ret) _must_check_;
int parse_u64(const char *s, uint64_t *ret) _must_check_;

/* Exactly @digits hexadecimal digits at @s, no "0x" and not more: what follows them is not looked at. */
int parse_hex_digits(const char *s, unsigned digits, uint32_t *ret) _must_check_;

/* "0x"-prefixed or bare hexadecimal of at most 8 digits, as sysfs prints ids and classes. */
int parse_hex_u32(const char *s, uint32_t *ret) _must_check_;

/* The same of at most 16 digits, as addresses are written. */
int parse_hex_u64(const char *s, uint64_t *ret) _must_check_;

/* The length of "DDDD:BB:DD.F" with its terminator; domains above ffff (VMD) have up to 8 digits. */
#define PCI_ADDRESS_MAX 18

/*
 * A PCI address as users write it, "0000:01:00.0" or, with domain 0 implied, "01:00.0", into the kernel's
 * spelling: lower case, domain of at least four digits. @ret holds at least PCI_ADDRESS_MAX bytes.
 */
int parse_pci_address(const char *s, char *ret) _must_check_;

/* "8086:10d3": vendor and device id, four hexadecimal digits each. */
int parse_pci_ids(const char *s, uint16_t *ret_vendor, uint16_t *ret_device) _must_check_;

/*
 * Copies @s to the array @buffer of @size bytes; returns 0, or -E2BIG and "" when it does not fit.
 * For names with a limit of their own, where cutting would make another name of it.
 */
int copy_string(char *buffer, size_t size, const char *s) _must_check_;
