/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What libFuzzer calls for each input. A fuzzer says that something is wrong by a failing assertion. Built
 * without libFuzzer, main.c calls the same function for each file of the corpus.
 */

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
