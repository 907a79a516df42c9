#!/bin/sh
# Puts the mails of tests/try/mails into a Maildir, dated relative to now.
#
#   sh tests/try/deliver.sh MAILDIR
#
# Each file is one conversation. A mail begins after a line
#   %% HOURS:MINUTES FOLDER FLAGS TZ
# with its age, its folder, its Maildir flags (S = read, - = none) and the sender's time zone. The Date header is
# added here. @HOURS:MINUTES FORMAT@ in a mail becomes that time, formatted by date(1); a negative age lies ahead.
set -eu

maildir=$1
mails=$(dirname "$0")/mails
now=$(date +%s)

for folder in '' .Sent .Drafts .Junk .Trash .Archive; do
    mkdir -p "$maildir/$folder/cur" "$maildir/$folder/new" "$maildir/$folder/tmp"
done

LC_ALL=C awk -v maildir="$maildir" -v now="$now" '
function at(age,   parts) {
    split(age, parts, ":")
    return now - parts[1] * 3600 - (parts[1] < 0 ? -1 : 1) * parts[2] * 60
}
function formatted(when, format,   command, answer) {
    command = "LC_ALL=C TZ=" zone " date -d @" when " \"+" format "\""
    command | getline answer
    close(command)
    return answer
}
function finish() {
    if (file == "") return
    close(file)
    system("touch -d @" sent " \"" file "\"")
}
$1 == "%%" {
    finish()
    sent = at($2); zone = $5; count++
    file = sprintf("%s/%scur/%d.M%d.try:2,%s", maildir, $3 == "INBOX" ? "" : "." $3 "/", sent, count, $4 == "-" ? "" : $4)
    print "Date: " formatted(sent, "%a, %d %b %Y %H:%M:%S %z") > file
    next
}
{
    while (match($0, /@-?[0-9]+:[0-9][0-9] [^@]*@/)) {
        inside = substr($0, RSTART + 1, RLENGTH - 2)
        space = index(inside, " ")
        $0 = substr($0, 1, RSTART - 1) formatted(at(substr(inside, 1, space - 1)), substr(inside, space + 1)) substr($0, RSTART + RLENGTH)
    }
    print > file
}
END { finish() }
' "$mails"/*.txt
