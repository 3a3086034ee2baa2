# Completion of copernica-mirror for fish.

set --local commands run sync backfill audit status check snapshot erase report help version
set --local none "not __fish_seen_subcommand_from $commands"

complete -c copernica-mirror -f
complete -c copernica-mirror -s c -l config -r -F -d 'Configuration'
complete -c copernica-mirror -s d -l database -r -F -d 'The SQLite file'
complete -c copernica-mirror -l api-url -x -d 'Base URL of the API'
complete -c copernica-mirror -l token-file -r -F -d 'File with the access token'
complete -c copernica-mirror -l log-level -x -a 'trace debug info warning error' -d 'What to log'
complete -c copernica-mirror -l log-format -x -a 'text json' -d 'How to log'
complete -c copernica-mirror -s q -l quiet -d 'No progress, and no log but warnings and errors'
complete -c copernica-mirror -s V -l version -d 'Print the versions'
complete -c copernica-mirror -s h -l help -d 'Print the help'
complete -c copernica-mirror -l help-all -d 'Print the help of all commands'

complete -c copernica-mirror -n $none -a run -d 'Keep the mirror up to date until told to stop'
complete -c copernica-mirror -n $none -a sync -d 'Bring it up to date once'
complete -c copernica-mirror -n $none -a backfill -d 'Fetch a past period'
complete -c copernica-mirror -n $none -a audit -d 'Compare counts with the API; with --repair, put right what differs'
complete -c copernica-mirror -n $none -a status -d 'What the file holds, how far it is complete, what is wrong'
complete -c copernica-mirror -n $none -a check -d 'Try everything that the mirror needs, and say what to do'

complete -c copernica-mirror -n $none -a snapshot -d 'Copy the file as it is now'
complete -c copernica-mirror -n '__fish_seen_subcommand_from snapshot' -F
complete -c copernica-mirror -n $none -a erase -d 'Delete what names a person, or is old, for good'
complete -c copernica-mirror -n $none -a report -d 'Numbers and charts of a period, as one HTML file'
complete -c copernica-mirror -n $none -a help -d 'Print the help'
complete -c copernica-mirror -n $none -a version -d 'Print the versions'
complete -c copernica-mirror -n '__fish_seen_subcommand_from help' -a 'run sync backfill audit status check snapshot erase report'

set --local seen __fish_seen_subcommand_from
complete -c copernica-mirror -n "$seen backfill audit report" -l from -x -d 'Begin of the period'
complete -c copernica-mirror -n "$seen backfill audit report" -l to -x -d 'End of the period, not included'
complete -c copernica-mirror -n "$seen sync backfill audit" -l metrics-file -r -F -d 'Write metrics there at the end'
complete -c copernica-mirror -n "$seen sync backfill audit erase" -l stream -x -a 'impressions clicks deliveries errors abuses unsubscribes mailings' -d 'Only this stream'
complete -c copernica-mirror -n "$seen sync backfill" -l estimate -d 'Print what that takes; store nothing'
complete -c copernica-mirror -n "$seen backfill" -l force -d 'Fetch again what is covered'
complete -c copernica-mirror -n "$seen audit" -l repair -d 'Fetch again the places that differ'
complete -c copernica-mirror -n "$seen audit" -l before-horizon -d 'With --prune: also delete what is older than all that the API shows'
complete -c copernica-mirror -n "$seen audit" -l prune -d 'Delete the rows there that the API no longer returns'
complete -c copernica-mirror -n "$seen audit" -l yes -d 'With --prune: even if that is a large share of the rows'
complete -c copernica-mirror -n "$seen audit" -l statistics -d "Compare each mailing with the API's statistics instead; change nothing"
complete -c copernica-mirror -n "$seen audit status check" -l json -d 'As JSON'
complete -c copernica-mirror -n "$seen report" -s o -l output -r -F -d 'The HTML file'
complete -c copernica-mirror -n "$seen status" -l max-lag -x -d 'End with 5 if the mirror is further behind'
complete -c copernica-mirror -n "$seen erase" -l profile -x -d 'Records of this profile'
complete -c copernica-mirror -n "$seen erase" -l destination -x -d 'Records of this destination'
complete -c copernica-mirror -n "$seen erase" -l ip -x -d 'Records with this IP address'
complete -c copernica-mirror -n "$seen erase" -l before -x -d 'Records that are older'
complete -c copernica-mirror -n "$seen erase" -l dry-run -d 'Print how many there are; erase nothing'
