/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "record.h"

/* a{sv}  iommud_hw_info *; it is there even when nothing is known */
extern const FieldType field_hw_info;
