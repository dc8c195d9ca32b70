# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash

# Completion of iommuctl for bash. What it offers is held to "iommuctl --help" by a test.

_iommuctl() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb='' i
    local verbs='list groups leases ps domain show find explain plan acquire run release claim unclaim quarantine log policy reload version help'
    local options='--json --device --mode --accounting --no-wait --no-ask-password --persistent --accept --timeout --request --deadline --reason --kill --supervise --as --ram --since --lease --uid --unit --slice --cgroup --label --userns --kind --dirty-tracking --pasid-capable --data --window --small-pages --answer --depth --pasid --offset --length --iova --read-only --copy --page-size --keep --help --version'
    local domain_verbs='alloc-ioas alloc faults alloc-viommu alloc-vdevice events attach detach destroy map unmap ranges dirty bitmap hw-info revoke'

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
        local current=$word words
        words=$(iommuctl 2>/dev/null | sed '1d; s/ .*//')
        [[ $previous == domain ]] && words+=" $domain_verbs"
        _get_comp_words_by_ref -n : -c current 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        if [[ " ${COMP_WORDS[*]} " == *' domain map '* ]]; then
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
        fi
        __ltrim_colon_completions "$current" 2>/dev/null
    fi
}

complete -F _iommuctl iommuctl
