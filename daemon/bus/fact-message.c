/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bus/fact-message.h"
#include "bus/property.h"

static int append_value(sd_bus_message *message, const FactValue *value) {
        switch (value->type) {

        case FACT_VALUE_TEXT:
                return append_entry(message, value->key, "s", value->text);

        case FACT_VALUE_NUMBER:
                return append_entry(message, value->key, "t", value->number);

        case FACT_VALUE_BOOL:
                return append_entry(message, value->key, "b", (int) value->number);
        }

        return -EINVAL;
}

int fact_append(sd_bus_message *message, const Fact *fact) {
        int r;

        r = append_entry(message, "topic", "s", fact_topic_to_string(fact->topic));
        if (r < 0)
                return r;

        r = append_entry(message, "grade", "s", fact_grade_to_string(fact->grade));
        if (r < 0)
                return r;

        r = append_entry(message, "text", "s", fact->text);
        if (r < 0)
                return r;

        for (unsigned i = 0; i < fact->n_values; i++) {
                r = append_value(message, &fact->values[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}
