/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Linux' headers of iommufd and VFIO as vendored in uapi/, and what they take from headers that come with
 * the compiler's Linux, which may be older.
 */

#include <linux/stddef.h>

#ifndef __counted_by
#define __counted_by(member)
#endif

#include <linux/iommufd.h>
#include <linux/vfio.h>
