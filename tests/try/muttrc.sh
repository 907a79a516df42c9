#!/bin/sh
# Prints a NeoMutt configuration for the mailbox of tests/try.sh.
#
#   sh tests/try/muttrc.sh LAYOUT USER PASSWORD PORT
set -eu
layout=$1 user=$2 password=$3 port=$4

cat <<RC
set imap_user = "$user"
set imap_pass = "$password"
set folder = "imap://127.0.0.1:$port/"
set spoolfile = "+INBOX"
set record = "+Sent"
set postponed = "+Drafts"
set trash = "+Trash"
set ssl_starttls = no
set ssl_force_tls = no
set imap_check_subscribed = yes
set imap_keepalive = 30
set mail_check = 3
set timeout = 3
set header_cache = ""
set confirmappend = no
set confirmcreate = no
set delete = yes
set move = no
set mark_old = no
set resolve = no
set fast_reply = yes
set include = yes
set abort_unmodified = no
set mail_check_stats = yes
set sidebar_visible = yes
set sidebar_width = 24
set use_threads = threads
set sort = reverse-last-date
set strict_threads = yes
set index_format = "%4C %Z %-16.16g %{%d %b %H:%M} %-20.20F %s"

# As the shared address. Nothing is sent: only the copy in Sent is kept, and Baton takes it for the answer.
set from = "Example Support <support@example.test>"
set use_from = yes
set sendmail = "/bin/true"
RC

if [ "$layout" = folders ]; then
    cat <<'RC'
set index_format = "%4C %Z %{%d %b %H:%M} %-20.20F %s"
macro index,pager <F1> "<save-message>+Baton/Ana<enter><sync-mailbox>" "Ana's"
macro index,pager <F2> "<save-message>+Baton/Ben<enter><sync-mailbox>" "Ben's"
macro index,pager <F3> "<save-message>+Baton/Cleo<enter><sync-mailbox>" "Cleo's"
macro index,pager <F4> "<save-message>+Baton/Resolved<enter><sync-mailbox>" "resolved"
macro index,pager <F5> "<save-message>+INBOX<enter><sync-mailbox>" "back to the queue"
RC
else
    # NeoMutt edits all the tags of a mail as one line.
    cat <<'RC'
bind index,pager \` modify-labels
macro index,pager <F1> "<modify-labels><kill-line>baton-ana<enter><sync-mailbox>" "Ana's"
macro index,pager <F2> "<modify-labels><kill-line>baton-ben<enter><sync-mailbox>" "Ben's"
macro index,pager <F3> "<modify-labels><kill-line>baton-cleo<enter><sync-mailbox>" "Cleo's"
macro index,pager <F4> "<modify-labels><eol> baton-resolved<enter><sync-mailbox>" "resolved"
macro index,pager <F5> "<modify-labels><kill-line><enter><sync-mailbox>" "all tags off"
RC
fi
