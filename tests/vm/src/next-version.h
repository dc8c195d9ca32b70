/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What makes of the daemon the next version of it: included before all else, after config.h. */

#undef IOMMUD_VERSION
#define IOMMUD_VERSION "1.0-next"
