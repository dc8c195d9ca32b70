/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A fact about a plan: something that speaks for or against it, or that its user should know, as a sentence
 * for people and as values for programs. The words of topics, grades and keys are part of the contract on
 * the bus, see the documentation of Plan.
 */

#include "core/forward.h"

typedef enum FactTopic {
        FACT_POLICY,                         /* which rule decides */
        FACT_LEASE,                          /* who has the group */
        FACT_HOST,                           /* whether the host itself uses the device */
        FACT_DRIVER,                         /* of each device of the group, and what it does */
        FACT_ISOLATION,                      /* of each bridge on the way to the IOMMU */
        FACT_INTERRUPTS,                     /* whether the device can forge them */
        FACT_RESERVED,                       /* addresses that the client can't use */
        FACT_RESET,                          /* how it is made clean between two tenants */
        FACT_KERNEL,                         /* what this kernel lacks */
        FACT_MEMORY,                         /* whether the client may pin what it needs */
        FACT_QUOTA,                          /* of each limit, how much is used and what this takes */
        _FACT_TOPIC_MAX,
        _FACT_TOPIC_INVALID = -EINVAL,
} FactTopic;

DECLARE_STRING_TABLE(fact_topic, FactTopic);

typedef enum FactGrade {
        FACT_UNKNOWN,
        FACT_BAD,                            /* it will fail, or is not safe */
        FACT_NOTE,                           /* to be known */
        FACT_GOOD,
        _FACT_GRADE_MAX,
        _FACT_GRADE_INVALID = -EINVAL,
} FactGrade;

DECLARE_STRING_TABLE(fact_grade, FactGrade);

typedef enum FactValueType {
        FACT_VALUE_TEXT,
        FACT_VALUE_NUMBER,
        FACT_VALUE_BOOL,
} FactValueType;

typedef struct FactValue {
        const char *key;                     /* static */
        FactValueType type;
        uint64_t number;                     /* and of a bool */
        char text[128];
} FactValue;

#define FACT_VALUES_MAX 6

struct Fact {
        FactTopic topic;
        FactGrade grade;
        char text[384];
        FactValue values[FACT_VALUES_MAX];
        unsigned n_values;
};

/* Fills *ret, without values. */
void fact_init(Fact *ret, FactTopic topic, FactGrade grade, const char *format, ...) _printf_(4, 5);

/* Add a value. Text that is too long is cut. */
void fact_add_text(Fact *fact, const char *key, const char *text);
void fact_add_number(Fact *fact, const char *key, uint64_t number);
void fact_add_bool(Fact *fact, const char *key, bool value);
