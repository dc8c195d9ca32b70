/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Everything is hidden by default. What is declared in iommud.h, and nothing else, is marked with this. */
#define _public_ __attribute__((visibility("default")))
