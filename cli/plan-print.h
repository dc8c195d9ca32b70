/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Plans, for people and for programs. */

#include "cli.h"

/* What stands in the way, or that nothing does. */
void print_plan_result(const iommud_plan *plan);

/* What would be done; nothing, if nothing would. */
void print_plan_steps(const iommud_plan *plan);

/* What speaks for and against it, each with a mark: "+" good, "!" bad, "-" to be known, "?" not known. */
void print_plan_facts(const iommud_plan *plan);

void print_plan_json(const iommud_plan *plan);

/* The fact about a topic, of the worst grade if there are more; NULL: there is none. */
const iommud_step *find_fact(const iommud_plan *plan, const char *topic);
