# SPDX-License-Identifier: LGPL-2.1-or-later
# deadline: 120
#
# The adversary's matrix: files of the policy that somebody else than root could have written are not believed. The policy
# that was in force stays. Each case is counted.

. guest/iommud.sh

CASES=0
DIR=/etc/iommud/policy.d
EVIL="$DIR/60-evil.json"
everything=$(jq -n -c --argjson uid "$LAB_STRANGER_UID" '{rules: [{$uid, devices: "any", verdict: "allow"}]}')

allow "$LAB_VMM_UID" "$LAB_NIC"
defer rm -rf "$EVIL"
mkdir "$CASE_DIR/elsewhere"
printf '%s\n' "$everything" >"$CASE_DIR/elsewhere/evil.json"

# not_believed WHAT: with the file that is there now nothing can be loaded, and nothing has changed
not_believed() {
        assert_refused "(InvalidPolicy)" iommuctl reload
        assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"
        assert as_user "$LAB_VMM_UID" iommuctl plan "$LAB_NIC" >/dev/null
        CASES=$((CASES + 1))
        rm -rf "$EVIL"
}

file() {
        printf '%s\n' "$everything" >"$EVIL"
        "$@" "$EVIL"
        not_believed "$*"
}

ln -s "$CASE_DIR/elsewhere/evil.json" "$EVIL" && not_believed "a symbolic link"
ln -s ../policy.d/50-lab.json "$EVIL" && not_believed "a symbolic link to what is believed"
ln -s /nowhere "$EVIL" && not_believed "a symbolic link to nothing"
ln -s /dev/zero "$EVIL" && not_believed "a symbolic link to a device"
ln -s "$EVIL" "$EVIL" && not_believed "a symbolic link to itself"
file chmod 666
file chmod 622
file chmod 664
file chmod 620
file chmod 602
file chown "$LAB_STRANGER_UID"
file chown "$LAB_STRANGER_UID:0"
file setfacl -m "u:$LAB_STRANGER_UID:rw"
file setfacl -m "g:$LAB_STRANGER_UID:w"
file truncate -s 2M
mkfifo "$EVIL" && not_believed "a pipe"
mkdir "$EVIL" && not_believed "a directory"
mknod "$EVIL" c 1 3 && not_believed "a device"

# The directory itself
for change in "chmod 777" "chmod 775" "chown $LAB_STRANGER_UID" "setfacl -m u:$LAB_STRANGER_UID:rwx"; do
        case "$change" in
        chown*) back="chown 0" ;;
        setfacl*) back="setfacl -b" ;;
        *) back="chmod 755" ;;
        esac
        # shellcheck disable=SC2086 # a command and its arguments
        $change "$DIR"
        # shellcheck disable=SC2086
        defer $back "$DIR"
        not_believed "$change of the directory"
        # shellcheck disable=SC2086
        $back "$DIR"
done
mv "$DIR" "$CASE_DIR/policy.d"
ln -s "$CASE_DIR/policy.d" "$DIR"
not_believed "a directory that is a symbolic link"
rm "$DIR"
mv "$CASE_DIR/policy.d" "$DIR"

# What stands in a file that is not called so is nobody's
printf '%s\n' "$everything" >"$DIR/.evil.json"
printf '%s\n' "$everything" >"$DIR/60-evil.json~"
defer rm -f "$DIR/.evil.json" "$DIR/60-evil.json~"
assert iommuctl reload
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"
CASES=$((CASES + 2))

# And from the start there is none
printf '%s\n' "$everything" >"$EVIL"
chmod 666 "$EVIL"
systemctl restart iommud.service
assert_refused "(Denied)" as_user "$LAB_STRANGER_UID" iommuctl acquire "$LAB_NIC"
assert_refused "(Denied)" as_user "$LAB_VMM_UID" iommuctl acquire "$LAB_NIC"
CASES=$((CASES + 1))
rm -f "$EVIL" "$DIR/.evil.json" "$DIR/60-evil.json~"
assert iommuctl reload

conclude "$CASES cases"
assert_untouched
