# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash

# Completion of iommuctl for bash. What it offers is held to "iommuctl --help" by a test.

_iommuctl() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb='' i
    local verbs='list groups leases ps domain show find explain plan acquire run release claim unclaim quarantine log policy reload version help'
    local options='--json --device --mode --accounting --no-wait --no-ask-password --persistent --accept --timeout --request --deadline --reason --kill --supervise --as --ram --since --lease --uid --unit --slice --cgroup --label --userns --help --version'

    for ((i = 1; i < COMP_CWORD; i++)); do
        # Behind "run ... --" is another program's command line
        if [[ $verb == run && ${COMP_WORDS[i]} == -- ]]; then
            mapfile -t COMPREPLY < <(compgen -c -f -- "$word")
            return
        fi
        [[ -z $verb && " $verbs " == *" ${COMP_WORDS[i]} "* ]] && verb=${COMP_WORDS[i]}
    done

    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    elif [[ -z $verb ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$word")
    elif [[ $verb != run || $previous == -d || $previous == --device ]]; then
        # Addresses have colons, at which bash breaks words
        local current=$word
        _get_comp_words_by_ref -n : -c current 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -W "$(iommuctl 2>/dev/null | sed '1d; s/ .*//')" -- "$current")
        __ltrim_colon_completions "$current" 2>/dev/null
    fi
}

complete -F _iommuctl iommuctl
