/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdarg.h>
#include <stdio.h>

#include "core/fact.h"
#include "core/refusal.h"

static const char *const fact_topic_table[] = {
        [FACT_POLICY] = "policy",
        [FACT_LEASE] = "lease",
        [FACT_HOST] = "host",
        [FACT_DRIVER] = "driver",
        [FACT_ISOLATION] = "isolation",
        [FACT_INTERRUPTS] = "interrupts",
        [FACT_RESERVED] = "reserved",
        [FACT_RESET] = "reset",
        [FACT_KERNEL] = "kernel",
        [FACT_MEMORY] = "memory",
        [FACT_QUOTA] = "quota",
};

DEFINE_STRING_TABLE(fact_topic, FactTopic, _FACT_TOPIC_MAX);

static const char *const fact_grade_table[] = {
        [FACT_UNKNOWN] = "unknown",
        [FACT_BAD] = "bad",
        [FACT_NOTE] = "note",
        [FACT_GOOD] = "good",
};

DEFINE_STRING_TABLE(fact_grade, FactGrade, _FACT_GRADE_MAX);

void fact_init(Fact *ret, FactTopic topic, FactGrade grade, const char *format, ...) {
        va_list ap;

        *ret = (Fact) { .topic = topic, .grade = grade };
        va_start(ap, format);
        vsnprintf(ret->text, sizeof(ret->text), format, ap);
        va_end(ap);
        make_printable(ret->text);
}

static FactValue *fact_add(Fact *fact, const char *key, FactValueType type, uint64_t number) {
        FactValue *value = &fact->values[fact->n_values];

        assert(fact->n_values < ELEMENTSOF(fact->values));
        fact->n_values++;
        *value = (FactValue) { .key = key, .type = type, .number = number };
        return value;
}

void fact_add_text(Fact *fact, const char *key, const char *text) {
        FactValue *value = fact_add(fact, key, FACT_VALUE_TEXT, 0);

        snprintf(value->text, sizeof(value->text), "%s", text);
        make_printable(value->text);
}

void fact_add_number(Fact *fact, const char *key, uint64_t number) {
        (void) fact_add(fact, key, FACT_VALUE_NUMBER, number);
}

void fact_add_bool(Fact *fact, const char *key, bool value) {
        (void) fact_add(fact, key, FACT_VALUE_BOOL, value);
}
