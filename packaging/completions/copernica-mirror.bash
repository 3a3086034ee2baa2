# Completion of copernica-mirror for bash.
# shellcheck shell=bash

_copernica_mirror() {
    local current=${COMP_WORDS[COMP_CWORD]}
    local previous=${COMP_WORDS[COMP_CWORD - 1]}
    # "=" is a word of its own: --database=a is three words, and --database= is two.
    if [[ $current == '=' ]]; then
        current=''
    elif [[ $previous == '=' ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    local general='-c --config -d --database --api-url --token-file --log-level --log-format
        -q --quiet -V --version -h --help --help-all'
    COMPREPLY=()

    case $previous in
        -c | --config | -d | --database | --token-file | --metrics-file | -o | --output)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
            ;;
        --log-level)
            mapfile -t COMPREPLY < <(compgen -W 'trace debug info warning error' -- "$current")
            return
            ;;
        --log-format)
            mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$current")
            return
            ;;
        --stream)
            mapfile -t COMPREPLY < <(compgen -W 'impressions clicks deliveries errors abuses unsubscribes mailings' -- "$current")
            return
            ;;
        --api-url | --from | --to | --max-lag | --profile | --destination | --ip | --before) return ;;
    esac

    # The command is the first word that is neither an option nor an option's value.
    local command='' word is_value=false
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ $word == '=' ]]; then
            continue
        fi
        if $is_value; then
            is_value=false
            continue
        fi
        case $word in
            -c | --config | -d | --database | --api-url | --token-file | --log-level | --log-format)
                is_value=true
                ;;
            -*) ;;
            *)
                command=$word
                break
                ;;
        esac
    done

    local words=$general
    case $command in
        '') [[ $current == -* ]] || words='run sync backfill audit status check snapshot erase report help version' ;;
        sync) words+=' --stream --estimate --metrics-file' ;;
        backfill) words+=' --from --to --force --stream --estimate --metrics-file' ;;
        audit) words+=' --from --to --repair --prune --before-horizon --yes --statistics --stream --json --metrics-file' ;;
        status) words+=' --json --max-lag' ;;
        check) words+=' --json' ;;
        report) words+=' --from --to -o --output' ;;
        snapshot)
            if [[ $current != -* ]]; then
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
                return
            fi
            ;;
        erase) words+=' --profile --destination --ip --before --stream --dry-run' ;;
        help) [[ $current == -* ]] || words='run sync backfill audit status check snapshot erase report' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _copernica_mirror copernica-mirror
