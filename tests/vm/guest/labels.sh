# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For the cases about rules with labels of a security module: who may have the network card. On top of iommud.sh.

# What a refusal says
no_rule="no rule of the policy allows it"

# How many times somebody was denied what is not his
CASES=0

# rule_of VERDICT KEYS
rule_of() {
        jq -n -c --arg verdict "$1" --argjson keys "$2" --arg device "$LAB_NIC" '$keys + {devices: [$device], $verdict}'
}

# denied REGEX COMMAND...
denied() {
        assert_refused "(Denied)" "${@:2}"
        assert_match "$OUTPUT" "$1"
        assert no_lease
        assert bindings_are "$BEFORE"
        CASES=$((CASES + 1))
}
